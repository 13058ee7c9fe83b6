/**
 * How many inputs and outputs the operators of ai.onnx take.
 *
 * @packageDocumentation
 */
import { CastlensError, perOperator } from '../../model';
import type { IOnnxParameter } from '../../operators';
import { isVariadic, onnxVersions } from '../../operators';
import { describeNode } from './order';
import type { IRawNode } from './rawmodel';
import { normalizeDomain } from './rawmodel';

const MANY = Infinity;

interface IArity {
  readonly inputs: IRange;
  readonly outputs: IRange;
}

interface IRange {
  readonly fewest: number;
  readonly most: number;
}

/** How many operands and results an operator has in some version of ai.onnx; null where it never was in it. */
const arityOf = perOperator((name): IArity | null => {
  const versions = onnxVersions(name);
  return versions.length === 0
    ? null
    : {
        inputs: rangeOf(versions.map(({ inputs }) => inputs)),
        outputs: rangeOf(versions.map(({ outputs }) => outputs))
      };
});

function rangeOf(versions: readonly (readonly IOnnxParameter[])[]): IRange {
  return {
    fewest: Math.min(...versions.map(fewest)),
    most: Math.max(
      ...versions.map(parameters => (parameters.some(isVariadic) ? MANY : parameters.length))
    )
  };
}

/** All up to the last that is always there; before any number of operands all have a place, as `onnx` counts them (`min_input`). */
function fewest(parameters: readonly IOnnxParameter[]): number {
  const last = parameters.at(-1);
  return last !== undefined && isVariadic(last)
    ? parameters.length - 1 + last.fewest
    : parameters.findLastIndex(({ count }) => count === 'one') + 1;
}

/**
 * Refuse a node with fewer or more inputs or outputs than its operator has in any version. Left out is what has no name, or stands behind
 * all that is given.
 *
 * @throws CastlensError that names the node.
 */
export function checkArity(file: string, node: IRawNode, index: number): void {
  const arity = normalizeDomain(node.domain) === '' ? arityOf(node.opType) : null;
  if (arity === null) {
    return;
  }
  const check = (what: string, names: readonly string[], { fewest, most }: IRange): void => {
    const given = names.findLastIndex(name => name !== '') + 1;
    if (given > most || names.length < fewest) {
      const range = fewest === most ? `${most}` : `${fewest} to ${most === MANY ? 'any' : most}`;
      throw new CastlensError('bad-file', `a node has the wrong number of ${what}`, {
        file,
        entry: describeNode(node, index),
        expected: `${range} ${what}, as ${node.opType} has`,
        found: String(given)
      });
    }
  };
  check('inputs', node.inputs, arity.inputs);
  check('outputs', node.outputs, arity.outputs);
}
