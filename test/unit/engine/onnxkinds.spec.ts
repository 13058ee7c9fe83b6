/**
 * Kinds of `.onnx` files that onnxruntime runs. The values are those of onnxruntime in Python on the same inputs.
 *
 * @jest-environment ./test/support/ortenvironment.cjs
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Engine } from '../../../src/engine/service';
import { writeSafetensors } from '../../../src/formats';
import type { DType } from '../../../src/model';
import type { ElementArray } from '../../../src/numerics';
import { bytesOf } from '../../../src/numerics';
import type { IRunInputs, IRunResult, IVariant } from '../../../src/protocol';

const folder = join(__dirname, '../../fixtures/onnx-kinds');
const MODES: readonly IVariant['cache'][] = ['off', 'frozen', 'onnxruntime'];

describe('what onnxruntime runs', () => {
  const engine = new Engine();
  let scratch: string;

  beforeAll(() => {
    scratch = mkdtempSync(join(tmpdir(), 'castlens-kinds-'));
  });

  afterAll(async () => {
    await engine.dispose();
    rmSync(scratch, { recursive: true });
  });

  async function run(
    file: string,
    cache: IVariant['cache'],
    inputs: IRunInputs = {}
  ): Promise<IRunResult> {
    const path = join(folder, `${file}.onnx`);
    const variant = { cache, passes: [], device: 'cpu' };
    return (await engine.handle('run', { path, variant, inputs }, {})).result;
  }

  async function given(
    tensors: Record<string, readonly [DType, ElementArray]>
  ): Promise<IRunInputs> {
    const inputsFile = join(scratch, `inputs-${Object.keys(tensors).join()}.safetensors`);
    await writeSafetensors(
      inputsFile,
      Object.entries(tensors).map(([name, [dtype, data]]) => ({
        name,
        dtype,
        shape: [data.length],
        data: bytesOf(data)
      }))
    );
    return { inputsFile };
  }

  const X = Float32Array.of(-1, 0, 0.4, 1, 2, 3);

  it.each([
    ['out_INT4', 'int4', -1, 3],
    ['out_UINT4', 'uint4', 0, 15],
    ['out_INT2', 'int2', -2, 1],
    ['out_UINT2', 'uint2', 0, 3],
    ['out_FLOAT8E4M3FN', 'float8_e4m3fn', -1, 3],
    ['out_FLOAT8E8M0', 'float8_e8m0fnu', 2 ** -127, 4]
  ])('should show outputs of narrow types: %s', async (file, dtype, min, max) => {
    const inputs = await given({ x: ['float32', X] });
    for (const mode of MODES) {
      const { outputs } = await run(file, mode, inputs);
      expect(outputs[0]).toMatchObject({ name: 'q', dtype, min, max });
      expect(outputs[1]).toMatchObject({ name: 'y', dtype: 'float32', min, max });
    }
  });

  it.each([
    'int4_out',
    'int4_inner',
    'int4_input',
    'int2',
    'uint2',
    'bitcast_out',
    'bitcast_inner',
    'cast_to_f8_output',
    'castlike_to_f8_output',
    'f8_qdq_activation',
    'f8_weight_dequantized',
    'f8_weight_cast',
    'f8_round_trip',
    'optional',
    'opset6',
    'opset7',
    'direct',
    'identity',
    'noop_cast',
    'range',
    'reshape',
    'upsample9',
    'f16_cast'
  ])('should run %s in all modes, with the same outputs', async file => {
    const [off, ...others] = await Promise.all(MODES.map(mode => run(file, mode)));
    for (const { outputs, findings } of others) {
      expect(outputs).toHaveLength(off.outputs.length);
      outputs.forEach((output, i) => {
        expect(output.dtype).toBe(off.outputs[i].dtype);
        expect(output.max).toBeCloseTo(off.outputs[i].max!, 5);
        expect(output.mean).toBeCloseTo(off.outputs[i].mean!, 5);
      });
      expect(findings.map(({ code }) => code)).not.toContain('exported-graph-refused');
    }
  });

  it('should give an integer the bits of a float', async () => {
    const { outputs } = await run('bitcast_out', 'off', await given({ x: ['float32', X] }));
    expect(outputs[0]).toMatchObject({ dtype: 'int32', min: -1082130432, max: 1077936128 });
  });

  it('should show the tensors among the outputs, and name the others', async () => {
    for (const mode of MODES) {
      const { outputs, findings } = await run('sequence', mode);
      expect(outputs.map(({ name }) => name)).toEqual(['y']);
      expect(findings.find(({ code }) => code === 'outputs-not-shown')?.message).toContain(
        'parts: sequence(tensor)'
      );
    }
    await expect(run('zipmap', 'off')).rejects.toThrow(/no output.*probs: sequence\(map\)/);
  });

  it('should refuse inputs that nobody can give', async () => {
    await expect(run('string_input', 'off')).rejects.toThrow(/s: string/);
  });

  it('should name sizes that the file does not, say which were chosen, and take others', async () => {
    for (const file of ['unnamed_size', 'question_mark']) {
      const { outputs, inputs } = await run(file, 'off');
      expect(outputs[0].shape).toEqual([1, 4]);
      expect(inputs).toContain('sizes chosen by castlens: x.1=4');
      const other = await run(file, 'off', { dims: { 'x.1': 48 } });
      expect(other.outputs[0].shape).toEqual([1, 48]);
      expect(other.inputs).not.toContain('chosen');
    }
  });

  it('should take an initializer that is an input for a default', async () => {
    const path = join(folder, 'overridable.onnx');
    const { result: census } = await engine.handle('census', { path }, {});
    expect(census.perForward.off.weightCasts).toBe(0);
    expect(census.findings.map(({ code }) => code)).toContain('overridable-weights');
    const x = Float32Array.of(0, 0, 0, 0);
    const w = Float32Array.of(3, 3, 3, 3);
    for (const mode of MODES) {
      const byDefault = await run('overridable', mode, await given({ x: ['float32', x] }));
      expect(byDefault.outputs[0].mean).toBe(1);
      const both = await given({ x: ['float32', x], w: ['float32', w] });
      expect((await run('overridable', mode, both)).outputs[0].mean).toBe(3);
    }
  });
});
