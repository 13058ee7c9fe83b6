/**
 * Which operators a provider has kernels for, by the element types of their operands and results.
 *
 * @packageDocumentation
 */
import type { DType } from '../model';

/**
 * Element types at the inputs or outputs of a node, by position: null where an optional one is left out, undefined where the type
 * is not known or is none of a tensor.
 */
export type NodeTypes = readonly (DType | null | undefined)[];

/** Kernels of one provider. */
export class KernelTable {
  /**
   * @param operators - by operator, its versions from the first one on that has kernels, oldest first, each as text:
   *   `since|inputs|outputs|kernel|...|kernel`. Inputs and outputs are type parameters in order, `...` behind one that repeats, `:type`
   *   for a fixed type. A kernel says which types it allows for each parameter, `T=float16,float32;U=int64`; `integers` stands for
   *   bool and all whole numbers of 8 to 64 bits.
   */
  constructor(private readonly _operators: Readonly<Record<string, readonly string[]>>) {}

  /**
   * Whether there is a kernel for a node with these operands and results.
   *
   * @param op - such as `onnx.MatMul`.
   * @param opset - version of the operator's domain that the graph is written against.
   *
   * #### Notes
   * False where a type is not known. The table has no kernels but those that take or give low precision: false for all others.
   */
  has(op: string, opset: number, inputs: NodeTypes, outputs: NodeTypes): boolean {
    const version = this._version(op, opset);
    if (version === null) {
      return false;
    }
    const bound = new Map<string, DType>();
    return (
      bind(version.inputs, inputs, bound) &&
      bind(version.outputs, outputs, bound) &&
      version.kernels.some(kernel =>
        [...bound].every(([parameter, type]) => kernel.get(parameter)?.has(type) ?? true)
      )
    );
  }

  /** The operator as of the newest version that `opset` knows; null where that one has no kernels here. */
  private _version(op: string, opset: number): IOperatorVersion | null {
    const key = `${op}@${opset}`;
    let version = this._parsed.get(key);
    if (version === undefined) {
      const texts = this._operators[op] ?? [];
      const text = [...texts].reverse().find(entry => Number.parseInt(entry, 10) <= opset);
      version = text === undefined ? null : parseVersion(text);
      this._parsed.set(key, version);
    }
    return version;
  }

  private readonly _parsed = new Map<string, IOperatorVersion | null>();
}

interface IOperatorVersion {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Types allowed, by parameter. */
  readonly kernels: readonly ReadonlyMap<string, ReadonlySet<string>>[];
}

function parseVersion(text: string): IOperatorVersion {
  const [, inputs, outputs, ...kernels] = text.split('|');
  return {
    inputs: inputs === '' ? [] : inputs.split(','),
    outputs: outputs === '' ? [] : outputs.split(','),
    kernels: kernels.map(kernel => {
      const parameters = kernel.split(';').filter(part => part !== '');
      return new Map(
        parameters.map(part => {
          const [name, types] = part.split('=');
          return [
            name,
            new Set(types.split(',').flatMap(type => (type === 'integers' ? INTEGERS : [type])))
          ];
        })
      );
    })
  };
}

const INTEGERS: readonly string[] = [
  'bool',
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
  'uint64'
];

/** Bind type parameters to the types of a node; false where they do not fit each other or are not known. */
function bind(parameters: readonly string[], types: NodeTypes, bound: Map<string, DType>): boolean {
  return types.every((type, i) => {
    if (type === null) {
      return true;
    }
    const last = parameters[parameters.length - 1];
    const text = parameters[i] ?? (last?.endsWith('...') ? last : undefined);
    if (type === undefined || text === undefined) {
      return false;
    }
    if (text.startsWith(':')) {
      return (FIXED_TYPES[text.slice(1)] ?? text.slice(1)) === type;
    }
    const parameter = text.replace('...', '');
    const known = bound.get(parameter);
    bound.set(parameter, type);
    return known === undefined || known === type;
  });
}

/** ONNX's names of element types where they are not ours. */
const FIXED_TYPES: Readonly<Record<string, DType>> = { float: 'float32', double: 'float64' };
