/**
 * Whose results are the same bits whoever computes them, in every dialect.
 *
 * @packageDocumentation
 */
import type { Exactness } from './aten/operator';
import { operatorOf } from './aten/registry';

/** Why every runtime finds the same bits for an operator; null where they may find others. */
export function exactnessOf(op: string): Exactness | null {
  return operatorOf(op)?.exact ?? ONNX.get(op) ?? null;
}

const ONNX: ReadonlyMap<string, Exactness> = new Map([
  ...['Abs', 'Add', 'Mul', 'Neg', 'Sub'].map(name => [`onnx.${name}`, 'operation'] as const),
  ...['Div', 'Sqrt'].map(name => [`onnx.${name}`, 'quotient'] as const),
  ...[
    'And',
    'Concat',
    'Constant',
    'ConstantOfShape',
    'Equal',
    'Gather',
    'GatherElements',
    'Greater',
    'GreaterOrEqual',
    'Less',
    'LessOrEqual',
    'Not',
    'Or',
    'Shape',
    'Size',
    'Tile',
    'Trilu',
    'Where',
    'Xor'
  ].map(name => [`onnx.${name}`, 'moved'] as const)
]);
