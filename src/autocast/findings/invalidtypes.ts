/**
 * `invalid-types`: an `.onnx` file whose types break the specification.
 *
 * @packageDocumentation
 */
import type { INode } from '../../model';
import type { ITypedPart, OnnxTypeError } from '../../operators';
import { onnxTypeErrors } from '../../operators';
import type { IFinding } from '../../protocol';
import type { FindingRule } from './finding';
import { count, places } from './finding';

/** One finding for all breaks of the types that ai.onnx allows: node, operand, what it has, what is allowed, what to do. */
export const invalidTypes: FindingRule = ({ model }) =>
  model.format === 'onnx' ? invalidTypesFinding(onnxTypeErrors(model.graph)) : [];

const REPAIR = 'Or let castlens fix --types repair what leaves nothing to choose.';

/** How many places are told in words. */
const MOST_TOLD = 3;

/** The finding of some errors; none where there are none. */
export function invalidTypesFinding(errors: readonly OnnxTypeError[]): IFinding[] {
  if (errors.length === 0) {
    return [];
  }
  const told = errors.slice(0, MOST_TOLD).map(typeErrorText);
  const more = errors.length > told.length ? ` And ${errors.length - told.length} more.` : '';
  return [
    {
      code: 'invalid-types',
      severity: 'error',
      message:
        `The file is not valid ONNX: types are wrong in ${count(errors.length, 'place')}, so onnxruntime refuses it on every device. ` +
        `${told.join(' ')}${more}`,
      ...places(errors.flatMap(({ node }) => node ?? [])),
      remedy: [...new Set(errors.map(remedyOf))].slice(0, MOST_TOLD).concat(REPAIR).join(' ')
    }
  ];
}

/** One error in words: `add (Add): A (x) is float32, B (k) is float16; operator set 18 takes them in one type.` */
export function typeErrorText(error: OnnxTypeError): string {
  const { opset } = error;
  switch (error.kind) {
    case 'declared':
      return `${place(error.node)}: ${error.value} is ${error.computed}, the file declares ${error.declared}.`;
    case 'operands':
      return `${place(error.node)}: ${partTexts(error.parts)}; operator set ${opset} takes them in one type${later(error)}.`;
    case 'operand':
    case 'result':
      return `${place(error.node)}: ${partText(error.part)}; operator set ${opset} has ${listed(error.allowed)}${later(error)}.`;
    case 'bodies':
      return `${place(error.node)}: ${partTexts(error.parts)}; all must be of one type.`;
  }
}

function remedyOf(error: OnnxTypeError): string {
  switch (error.kind) {
    case 'declared':
      if (error.node?.op === 'onnx.Cast') {
        return (
          `Patch the Cast: set its attribute "to" to ${error.declared}, or declare its result as ${error.computed}. Converters leave ` +
          'a Cast as it was where they convert what follows it.'
        );
      }
      return error.isOutput
        ? `Declare the output as ${error.computed}, or end the graph with a Cast to ${error.declared}.`
        : `Declare the value as ${error.computed}, or leave the declaration out.`;
    case 'operands': {
      const widest = error.parts.find(({ dtype }) => dtype === 'float32') ?? error.parts[0];
      return (
        `Cast ${error.parts.find(({ dtype }) => dtype !== widest.dtype)?.value ?? 'one operand'} to ${widest.dtype}, or the others to its type` +
        `${orExport(error)}.`
      );
    }
    case 'operand':
    case 'result': {
      const { part, allowed, takenSince } = error;
      const kept = allowed.includes('float32') ? 'float32' : listed(allowed);
      return takenSince === null
        ? `Keep ${part.parameter} of ${operatorOf(error.node)} in ${kept}, in the block list of the converter or with a Cast before it.`
        : `Export with operator set ${takenSince} or later, which has ${operatorOf(error.node)} in ${part.dtype}, or keep it in ${kept}.`;
    }
    case 'bodies':
      return 'Cast in the branch or loop, so that it returns the type that the others have.';
  }
}

function orExport({ takenSince }: { readonly takenSince: number | null }): string {
  return takenSince === null ? '' : `, or export with operator set ${takenSince} or later`;
}

function later({ takenSince }: { readonly takenSince: number | null }): string {
  return takenSince === null ? '' : `, operator set ${takenSince} takes it`;
}

function place(node: INode | null): string {
  return node === null ? 'initializer' : callText(node);
}

/** A call of an operator of ai.onnx: `add (Add)`. */
export function callText(node: INode): string {
  return `${node.name} (${operatorOf(node)})`;
}

function operatorOf(node: INode | null): string {
  return node?.op.replace(/^onnx\./u, '') ?? 'the operator';
}

function partTexts(parts: readonly ITypedPart[]): string {
  const distinct = parts.filter(
    (part, i) => parts.findIndex(({ dtype }) => dtype === part.dtype) === i
  );
  return distinct.map(partText).join(', ');
}

function partText({ parameter, value, dtype }: ITypedPart): string {
  return `${parameter} (${value}) is ${dtype}`;
}

/** `float16, float32 or float64`; of very many the first few. */
function listed(types: readonly string[]): string {
  const shown = types.length > 6 ? [...types.slice(0, 6), `${types.length - 6} more`] : types;
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} or ${shown.at(-1)}`;
}
