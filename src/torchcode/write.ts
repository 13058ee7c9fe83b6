/**
 * The Python file of a model: each strategy that applies, ready to be called from the user's own export script.
 *
 * @packageDocumentation
 */
import type { CodeStrategyName } from '../protocol';
import { exportPass } from './exportpass';
import type { ICodeFacts } from './facts';
import { freezing, runtimeFolding } from './compile';
import { commentText } from './literal';
import { onnxFolding } from './onnxfolding';
import { preconvert } from './preconvert';
import type { CodeStrategy } from './strategy';
import { weightTables } from './tables';

const STRATEGIES: Readonly<Record<CodeStrategyName, CodeStrategy>> = {
  preconvert,
  'export-pass': exportPass,
  'runtime-folding': runtimeFolding,
  freezing,
  'onnx-folding': onnxFolding
};

/** Functions of strategies that can keep a copy of a weight beside it. */
const COPYING: { readonly [name in CodeStrategyName]?: string } = {
  'export-pass': 'fold_weight_casts',
  'onnx-folding': 'fold_onnx'
};

/**
 * The strategies that apply to a model, in the order they are written.
 *
 * #### Notes
 * An `.onnx` file is no program of torch.export. Its initializers are known to be parameters and buffers of a module where the
 * exporter says so, and under their names there; then the module can be converted before it is exported again.
 */
export function strategiesFor({ format, converted }: ICodeFacts): readonly CodeStrategyName[] {
  if (format === 'pt2') {
    return ['preconvert', 'export-pass', 'runtime-folding', 'freezing'];
  }
  const named = converted.every(({ kind }) => kind === 'parameter' || kind === 'buffer');
  return converted.length > 0 && named ? ['onnx-folding', 'preconvert'] : ['onnx-folding'];
}

/**
 * Write the Python file. Pure: the same facts give the same text.
 *
 * @param names - strategies to write, each of which applies to the model.
 */
export function writeTorchCode(facts: ICodeFacts, names: readonly CodeStrategyName[]): string {
  const parts = names.map(name => STRATEGIES[name](facts));
  const width = Math.max(...parts.map(({ call }) => call.length));
  const blocks = [
    [
      '"""Ways to stop casting the weights of a model on every forward. Each function is one of them.',
      '',
      ...parts.map(({ call, about }) => `${call.padEnd(width)}  ${about}`),
      '"""',
      `# Written by castlens for ${commentText(facts.file)} (${commentText(facts.producer)}).`,
      `# ${countsOf(facts)}`,
      ...importLines(parts.flatMap(({ imports }) => imports))
    ].join('\n')
  ];
  if (parts.some(({ usesTables }) => usesTables)) {
    const copying = names.find(name => name in COPYING);
    blocks.push(weightTables(facts, copying === undefined ? null : COPYING[copying]!));
  }
  const [head, ...rest] = blocks;
  return `${[[head, ...rest].join('\n\n'), ...parts.map(({ source }) => source)].join('\n\n\n')}\n`;
}

function countsOf({ weightCasts, converted, copied, left }: ICodeFacts): string {
  if (converted.length + copied.length + left.length === 0) {
    return 'It casts no weight: there is nothing to do.';
  }
  const kept = copied.length > 0 ? `, ${copied.length} kept in both precisions` : '';
  return `Weight casts of one forward: ${weightCasts}. Weights converted: ${converted.length}${kept}, left: ${left.length}.`;
}

/** Each import once: those of the standard library, then the others, each in order. */
function importLines(imports: readonly string[]): string[] {
  const unique = [...new Set(imports)].sort();
  const isStandard = (line: string): boolean => /^import (dataclasses|operator)$/.test(line);
  const groups = [unique.filter(isStandard), unique.filter(line => !isStandard(line))];
  return groups.filter(group => group.length > 0).flatMap(group => ['', ...group]);
}
