/**
 * Names that a file chooses, in the runtime's profile: they can neither break it nor forge what it says.
 *
 * @jest-environment ./test/support/ortenvironment.cjs
 */
import { Engine } from '../../../src/engine/service';
import type { CacheMode, IVariant, Reference } from '../../../src/protocol';
import { onnxModel } from '../../support/onnxmodel';
import { testFolder } from '../runtime/helpers';

const folder = testFolder();
const engine = new Engine();

afterAll(() => engine.dispose());

/** A weight that is cast once; all names are given. */
function write(
  file: string,
  names: { node: string; weight: string; cast: string; y: string }
): string {
  const { node, weight, cast, y } = names;
  const nodes = [
    { op: 'Cast', name: node, inputs: [weight], outputs: [cast], ints: { to: 10 } },
    { op: 'Cast', name: `${node}'`, inputs: [cast], outputs: [`${cast}'`], ints: { to: 1 } },
    { op: 'MatMul', name: `${node}''`, inputs: ['x', `${cast}'`], outputs: [y] }
  ];
  const data = new Uint8Array(Float32Array.from([1, 2, 3, 4]).buffer);
  return folder.write(
    file,
    onnxModel({
      nodes,
      inputs: [{ name: 'x', dtype: 'float32', shape: [2, 2] }],
      outputs: [{ name: y, dtype: 'float32', shape: [2, 2] }],
      initializers: [{ name: weight, dtype: 'float32', shape: [2, 2], data }]
    })
  );
}

const HOSTILE: readonly [string, string][] = [
  ['a quote', 'a"b'],
  ['a backslash', 'a\\b'],
  ['a newline', 'a\nb'],
  ['a tab', 'a\tb'],
  ['an escape', '\u001b[31m'],
  ['an end of an event', 'n_kernel_time","args":{"op_name":"Cast"}},{"cat":"Node","name":"n'],
  ['the name of an inserted cast', 'InsertedPrecisionFreeCast_w'],
  ['a name of castlens itself', 'n0'],
  ['a right-to-left override', '\u202ea']
];

describe('names in a profile', () => {
  it.each(
    HOSTILE.flatMap(([what, name]) =>
      (['off', 'frozen', 'onnxruntime'] as const).map(cache => [what, cache, name] as const)
    )
  )('should change nothing where they hold %s: %s', async (_, cache, name) => {
    const plain = write('plain.onnx', { node: 'cast', weight: 'w', cast: 'c', y: 'y' });
    const hostile = write('hostile.onnx', {
      node: name,
      weight: `${name}w`,
      cast: `${name}c`,
      y: `${name}y`
    });
    const [wanted, found] = await Promise.all([plain, hostile].map(path => run(path, cache)));
    expect(found.executedWeightCasts).toBe(wanted.executedWeightCasts);
    expect(found.planned.weightCasts).toBe(wanted.planned.weightCasts);
    expect(found.outputs[0]).toMatchObject({ name: `${name}y`, mean: wanted.outputs[0].mean });
    expect(found.findings.map(({ code }) => code)).toEqual(wanted.findings.map(({ code }) => code));
  });
});

function variantOf(cache: CacheMode | Reference): IVariant {
  return { cache, passes: [], device: 'cpu' };
}

async function run(path: string, cache: CacheMode | Reference) {
  const { result } = await engine.handle(
    'run',
    { path, variant: variantOf(cache), inputs: { seed: 0 } },
    {}
  );
  return result;
}
