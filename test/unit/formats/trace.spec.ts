import { parseReprList } from '../../../src/formats/onnx/origin';
import { parseModuleStack, parseStackTrace } from '../../../src/formats/pt2/trace';

describe('parseStackTrace()', () => {
  it('should show the line that calls a layer of torch', () => {
    const trace = [
      'File "/home/me/model.py", line 12, in forward',
      '    return self.linear(x)',
      '  File "/env/lib/python3.12/site-packages/torch/nn/modules/linear.py", line 134, in forward',
      '    return F.linear(input, self.weight, self.bias)'
    ].join('\n');
    expect(parseStackTrace(trace)).toEqual({
      source: { file: '/home/me/model.py', line: 12, code: 'return self.linear(x)' },
      generated: false
    });
  });

  it('should show the line inside another library', () => {
    const trace = [
      'File "run.py", line 3, in forward',
      '    return self.model(x)',
      '  File "/env/site-packages/transformers/models/bert/modeling_bert.py", line 84, in forward',
      '    y = self.query(x)',
      '  File "/env/site-packages/torch/nn/modules/linear.py", line 134, in forward',
      '    return F.linear(input, self.weight, self.bias)'
    ].join('\n');
    expect(parseStackTrace(trace).source).toMatchObject({ line: 84, code: 'y = self.query(x)' });
  });

  it("should not take the user's folder for torch's", () => {
    const trace = 'File "/home/me/torch/model.py", line 3, in forward\n    return x';
    expect(parseStackTrace(trace).source).toMatchObject({ line: 3 });
  });

  it('should read Windows paths', () => {
    const trace = [
      'File "C:\\me\\model.py", line 5, in forward',
      '    y = f(x)',
      'File "C:\\env\\site-packages\\torch\\nn\\functional.py", line 9, in f',
      '    return x'
    ].join('\n');
    expect(parseStackTrace(trace).source).toMatchObject({ file: 'C:\\me\\model.py', line: 5 });
  });

  it('should show nothing for generated code', () => {
    expect(parseStackTrace('File "<eval_with_key>.51", line 4, in forward\n    x = 1')).toEqual({
      source: null,
      generated: true
    });
  });

  it("should fall back to torch's own code, but not to its tracer", () => {
    const layer = 'File "/env/site-packages/torch/nn/modules/transformer.py", line 9, in forward';
    const tracer = 'File "torch/fx/passes/runtime_assert.py", line 24, in insert';
    expect(parseStackTrace(layer).source).toMatchObject({ line: 9 });
    expect(parseStackTrace(tracer)).toEqual({ source: null, generated: false });
  });

  it.each(['', 'no frames at all', 'File "x", line twelve, in f'])('should read %j', trace => {
    expect(parseStackTrace(trace)).toEqual({ source: null, generated: false });
  });
});

describe('parseModuleStack()', () => {
  it('should list paths and classes, outermost first', () => {
    expect(
      parseModuleStack('L__self__,,__main__.M;L__self__l1,l1,torch.nn.modules.linear.Linear')
    ).toEqual([
      { path: '', type: '__main__.M' },
      { path: 'l1', type: 'torch.nn.modules.linear.Linear' }
    ]);
  });

  it('should split outside brackets only and drop call counters', () => {
    expect(parseModuleStack("getattr(L['self'], 'a;b')@1,blocks.0@1,lib.Block[int, str]")).toEqual([
      { path: 'blocks.0', type: 'lib.Block[int, str]' }
    ]);
  });

  it('should leave out what the tracer made up', () => {
    const name = '_empty_nn_module_stack_from_metadata_hook';
    expect(parseModuleStack(`${name},${name},${name}`)).toEqual([]);
    expect(parseModuleStack('')).toEqual([]);
  });
});

describe('parseReprList()', () => {
  it('should read Python list literals', () => {
    expect(parseReprList(`['', 'sub', "it's", 'a\\'b']`)).toEqual(['', 'sub', "it's", "a'b"]);
    expect(parseReprList('[]')).toEqual([]);
  });
});
