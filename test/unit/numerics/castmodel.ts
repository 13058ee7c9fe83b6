import { ONNX_TYPES, onnxModel } from '../../support/onnxmodel';

/** A model that casts its input `x` through types to `y`. */
export function castModel(from: string, steps: readonly string[]): Uint8Array {
  const last = steps.length - 1;
  return onnxModel({
    nodes: steps.map((step, i) => ({
      op: 'Cast',
      name: `cast_${i}`,
      inputs: [i === 0 ? 'x' : `v${i - 1}`],
      outputs: [i === last ? 'y' : `v${i}`],
      ints: { to: ONNX_TYPES[step] }
    })),
    inputs: [{ name: 'x', dtype: from, shape: ['n'] }],
    outputs: [{ name: 'y', dtype: steps[last], shape: ['n'] }]
  });
}
