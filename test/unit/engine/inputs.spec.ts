/**
 * Where the inputs of a run come from.
 */
import { join } from 'node:path';

import { bindInputs } from '../../../src/engine/inputs';
import { openSafetensors, readByteRange, readModel } from '../../../src/formats';
import { parseGuard } from '../../../src/formats/pt2/guards';
import { evaluateDim, formatDim } from '../../../src/model';
import type { Dim, IExportedModel } from '../../../src/model';
import { bytesOf } from '../../../src/numerics';
import { failureOf } from '../formats/samples';

const FIXTURES = join(__dirname, '../../fixtures');

function file(name: string): string {
  return join(FIXTURES, name);
}

describe('bindInputs()', () => {
  it.each(['seed-mlp', 'gpt2', 'bert', 'dynamic-batch'])(
    'should take the samples of %s, bit for bit',
    async name => {
      const model = await readModel(file(`${name}/model.pt2`));
      const { tensors, label } = await bindInputs(model, {});
      expect(label).toBe('sample inputs of the file');
      const stored = await openSafetensors(file(`${name}/inputs.safetensors`));
      const ports = model.inputs.filter(port => port.value !== null);
      for (const [i, port] of ports.entries()) {
        const { range, shape } = stored.get(port.name) ?? stored.get(`input_${i}`)!;
        const tensor = tensors.get(port.value!.name)!;
        expect(tensor.shape).toEqual(shape);
        expect(Buffer.from(bytesOf(tensor.data))).toEqual(Buffer.from(await readByteRange(range)));
      }
    }
  );

  it('should be random where other sizes are asked for', async () => {
    const model = await readModel(file('dynamic-batch/model.pt2'));
    const [symbol] = model.ranges.keys();
    const sampleSize = [...model.sampleInputs!.values()][0].shape[0];
    const other = await bindInputs(model, { dims: { [symbol]: sampleSize + 1 } });
    expect(other.dims.get(symbol)).toBe(sampleSize + 1);
    expect(other.label).toBe(`random, seed 0; sizes chosen by castlens: ${other.chosen}`);
    expect(other.chosen).not.toContain(`${symbol}=`);
    const same = await bindInputs(model, { dims: { [symbol]: sampleSize } });
    expect(same.label).toBe('sample inputs of the file');
  });

  it('should be random where a seed is given, and where there are no samples', async () => {
    const model = await readModel(file('seed-mlp/model.pt2'));
    expect((await bindInputs(model, { seed: 0 })).label).toBe('random, seed 0');
    const bare = { ...model, sampleInputs: undefined };
    expect((await bindInputs(bare, {})).label).toBe('random, seed 0');
  });

  it('should refuse inputs that would be larger than the limit, before it makes any', async () => {
    const model = await readModel(file('dynamic-batch/model.pt2'));
    const [symbol] = model.ranges.keys();
    const ranges = new Map([[symbol, { min: 0, max: null }]]);
    const wanted = { seed: 0, dims: { [symbol]: 2 ** 40 } };
    const error = await failureOf(bindInputs({ ...model, ranges, guards: [] }, wanted));
    expect(error.message).toMatch(
      /is too large.*at most 134217728 bytes.*--dim.*CASTLENS_INPUT_MIB/
    );
    expect(error.details.file).toBe(model.path);
  });

  it('should refuse a run in which a value would not fit into the machine', async () => {
    const model = await readModel(file('seed-mlp/model.pt2'));
    const [node] = model.graph.nodes;
    const huge = { ...node, outputs: node.outputs.map(value => ({ ...value!, shape: [2 ** 50] })) };
    const graph = { ...model.graph, nodes: [huge, ...model.graph.nodes.slice(1)] };
    const error = await failureOf(bindInputs({ ...model, graph }, {}));
    expect(error.message).toContain('larger than the memory of the machine');
    expect(error.details).toMatchObject({ file: model.path, entry: node.name });
  });

  it('should refuse samples whose strides make many elements of few bytes', async () => {
    const model = await readModel(file('dynamic-batch/model.pt2'));
    const samples = new Map(
      [...model.sampleInputs!].map(([name, sample]) => [
        name,
        {
          ...sample,
          shape: [2 ** 40, ...sample.shape.slice(1)],
          strides: sample.shape.map(() => 0)
        }
      ])
    );
    const error = await failureOf(bindInputs({ ...model, sampleInputs: samples }, {}));
    expect(error.message).toContain('its sample in the file repeats few bytes');
  });

  it('should not guess the dtype of an input that the file gives none', async () => {
    const model = await readModel(file('seed-mlp/model.pt2'));
    const inputs = model.inputs.map(port => ({ ...port, dtype: null }));
    const error = await failureOf(bindInputs({ ...model, inputs }, { seed: 0 }));
    expect(error.message).toContain('does not say the dtype of input');
  });

  it('should be the file where one is given', async () => {
    const model = await readModel(file('seed-mlp/model.pt2'));
    const inputsFile = file('seed-mlp/inputs.safetensors');
    expect((await bindInputs(model, { inputsFile })).label).toBe('inputs.safetensors');
  });

  it('should read symbols off sizes that are expressions of them', async () => {
    const model = await readModel(file('dynamic-batch/model.pt2'));
    const inputs = model.inputs.map(port => {
      const shape = port.shape!.map((dim): Dim =>
        typeof dim === 'number' ? dim : { kind: 'call', fn: 'add', args: [dim, 1] }
      );
      return { ...port, shape };
    });
    const inputsFile = file('dynamic-batch/inputs.safetensors');
    const stored = await openSafetensors(inputsFile);
    const { dims } = await bindInputs({ ...model, inputs }, { inputsFile });
    model.inputs[0].shape!.forEach((dim, i) => {
      if (typeof dim !== 'number') {
        expect(evaluateDim(dim, dims)).toBe(stored.get('input_0')!.shape[i] - 1);
      }
    });
  });

  describe('guards', () => {
    async function guarded(...texts: string[]): Promise<IExportedModel> {
      const model = await readModel(file('dynamic-batch/model.pt2'));
      const sources = model.inputs.map(port => [port.name]);
      const guards = texts.map(text => ({ text, condition: parseGuard(text, sources)! }));
      return { ...model, guards };
    }

    function dimsOf(model: IExportedModel, ...sizes: number[]): Record<string, number> {
      return Object.fromEntries(
        model.inputs[0].shape!.flatMap((dim, i) =>
          typeof dim === 'number' ? [] : [[formatDim(dim), sizes[i]]]
        )
      );
    }

    it('should refuse sizes that break one, and name guard and sizes', async () => {
      const model = await guarded("L['x'].size()[0] < L['x'].size()[1]");
      const failure = await failureOf(bindInputs(model, { dims: dimsOf(model, 6, 5) }));
      expect(failure.code).toBe('bad-input');
      expect(failure.details).toMatchObject({
        file: model.path,
        entry: 'guards_code',
        expected: "L['x'].size()[0] < L['x'].size()[1]",
        found: 'x [6, 5, 32]'
      });
      const { tensors } = await bindInputs(model, { dims: dimsOf(model, 4, 5) });
      expect([...tensors.values()][0].shape).toEqual([4, 5, 32]);
    });

    it('should decide about inputs of a file', async () => {
      const inputsFile = file('dynamic-batch/inputs.safetensors');
      const model = await guarded("L['x'].size()[0] != 3");
      const failure = await failureOf(bindInputs(model, { inputsFile }));
      expect(failure.details.found).toBe('x [3, 5, 32]');
    });

    it('should let random inputs have the sizes of the samples where the default breaks one', async () => {
      const shapeOf = async (model: IExportedModel): Promise<readonly number[]> =>
        [...(await bindInputs(model, { seed: 0 })).tensors.values()][0].shape;
      expect(await shapeOf(await guarded())).toEqual([4, 4, 32]);
      expect(await shapeOf(await guarded("L['x'].size()[0] != L['x'].size()[1]"))).toEqual([
        3, 5, 32
      ]);
    });
  });
});
