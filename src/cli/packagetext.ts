/**
 * Compiled packages as text for a terminal.
 *
 * @packageDocumentation
 */
import type { ICompiledCast, ICompiledModelInfo, IPackageInfo } from '../protocol';
import { BUILD_TEXTS, formatBytes, formatSizes } from '../protocol';
import { findingLines, table } from './text';

/** What a package holds, and what one call of it casts. */
export function packageText({ file, models }: IPackageInfo): string {
  const head = models.length === 1 ? file : `${file}: ${models.length} compiled models`;
  return [head, ...models.flatMap(model => ['', ...modelLines(model)])].join('\n');
}

function modelLines(model: ICompiledModelInfo): string[] {
  const { name, build, device, torch, options, constants, perCall, atLoad, kernels } = model;
  const stored =
    model.storedConstantBytes === null
      ? 'in the library'
      : `beside the library (${formatBytes(model.storedConstantBytes)})`;
  const lines = [
    `'${name}': AOTInductor, ${BUILD_TEXTS[build]}, ${device}, torch ${torch ?? 'version not recorded'}`,
    `  ${Object.entries(options)
      .map(([key, value]) => `${key}=${value}`)
      .join(', ')}`,
    `  ${constants.length} constants, ${formatBytes(model.constantBytes)}, ${stored}`,
    '',
    `Weight casts of one call: ${model.castsPerCall}${moved(model.bytesMovedPerCall)}`
  ];
  if (perCall.length > 0) {
    lines.push(castTable(perCall));
  }
  lines.push('', `Weight casts at load: ${model.castsAtLoad}`);
  if (atLoad.length > 0) {
    lines.push(castTable(atLoad));
  }
  lines.push(
    '',
    'Constants',
    table(
      ['constant', 'weight', 'kind', 'dtype', 'shape', 'size'],
      constants.map(constant => [
        constant.name,
        constant.weight ??
          (constant.computedFrom.length > 0
            ? `from ${constant.computedFrom.join(', ')}`
            : 'not recorded'),
        constant.kind ?? '',
        constant.dtype,
        formatSizes(constant.shape),
        formatBytes(constant.sizeBytes)
      ])
    ),
    '',
    'Kernels',
    table(
      ['kernel', 'kind', 'calls', 'at load'],
      kernels.map(kernel => [
        kernel.name,
        kernel.isConditional ? `${kernel.kind}, in a branch or loop` : kernel.kind,
        String(kernel.calls),
        String(kernel.callsAtLoad)
      ])
    )
  );
  if (model.against !== undefined) {
    const { file, isFoundByName, exported, casts } = model.against;
    lines.push(
      '',
      `Against ${file}${isFoundByName ? ' (found by its name)' : ''}: ${exported} exported, ${model.castsPerCall} executed`,
      table(
        ['weight', 'to', 'exported', 'one call', 'at load', 'why'],
        casts.map(cast => [
          cast.weights.join(', '),
          cast.to,
          String(cast.exported),
          String(cast.perCall),
          String(cast.atLoad),
          cast.why ?? 'equal'
        ])
      )
    );
  }
  return lines.concat(findingLines(model.findings));
}

function castTable(casts: readonly ICompiledCast[]): string {
  return table(
    ['weight', 'kind', 'from', 'to', 'casts', 'bytes moved', 'kernels'],
    casts.map(cast => [
      cast.weights.join(', '),
      cast.fused > 0 ? `${cast.kind}, ${cast.fused} fused` : cast.kind,
      cast.from,
      cast.to,
      String(cast.count),
      cast.bytesMoved === null ? 'not known' : formatBytes(cast.bytesMoved),
      cast.kernels.join(', ')
    ])
  );
}

function moved(bytes: number | null): string {
  return bytes === null || bytes === 0 ? '' : `, ${formatBytes(bytes)} moved`;
}
