"""Small ONNX models with what exporters of torch seldom write: bodies, functions, sequences, narrow types."""
import sys
import numpy as np, onnx
from onnx import helper as h, TensorProto as T, numpy_helper as nh
out = sys.argv[1]
def save(name, nodes, ins, outs, inits=(), functions=(), opset=21):
    g = h.make_graph(nodes, name, ins, outs, list(inits))
    imports = [h.make_opsetid('', opset)] + ([h.make_opsetid('local', 1)] if functions else [])
    m = h.make_model(g, opset_imports=imports, functions=list(functions), ir_version=10)
    onnx.save(m, f'{out}/{name}.onnx')
vi = h.make_tensor_value_info
rng = np.random.default_rng(0)
def t(name, *shape, dtype=np.float32): return nh.from_array(rng.standard_normal(shape).astype(dtype), name)
def i64(name, *v): return nh.from_array(np.array(v, np.int64), name)
N = h.make_node
F = T.FLOAT
cast = [N('Cast', ['w'], ['wc'], to=T.FLOAT16), N('Cast', ['x'], ['xc'], to=T.FLOAT16)]
# If
then = h.make_graph([N('MatMul', ['xc', 'wc'], ['a'])], 'then', [], [vi('a', T.FLOAT16, [2, 4])])
els = h.make_graph([N('Cast', ['w'], ['wd'], to=T.FLOAT16), N('MatMul', ['xc', 'wd'], ['b0']), N('Relu', ['b0'], ['b'])], 'else', [], [vi('b', T.FLOAT16, [2, 4])])
save('if', cast + [N('If', ['c'], ['y'], then_branch=then, else_branch=els)], [vi('x', F, [2, 3]), vi('c', T.BOOL, [])], [vi('y', T.FLOAT16, [2, 4])], [t('w', 3, 4)])
# Loop
body = h.make_graph([N('Cast', ['w'], ['wl'], to=T.FLOAT16), N('MatMul', ['s', 'wl'], ['s2']), N('Identity', ['ci'], ['co']), N('Identity', ['s2'], ['scan'])], 'body',
    [vi('i', T.INT64, []), vi('ci', T.BOOL, []), vi('s', T.FLOAT16, [2, 4])], [vi('co', T.BOOL, []), vi('s2', T.FLOAT16, [2, 4]), vi('scan', T.FLOAT16, [2, 4])])
save('loop', [N('Cast', ['x'], ['xc'], to=T.FLOAT16), N('Loop', ['n', 'c', 'xc'], ['y', 'z'], body=body)], [vi('x', F, [2, 4])], [vi('y', T.FLOAT16, [2, 4]), vi('z', T.FLOAT16, None)], [t('w', 4, 4), i64('n', *[3]).__class__.FromString(nh.from_array(np.array(3, np.int64), 'n').SerializeToString()), nh.from_array(np.array(True), 'c')])
# Scan
sbody = h.make_graph([N('Add', ['s', 'e'], ['s2']), N('MatMul', ['s2', 'w'], ['o'])], 'sb', [vi('s', F, [4]), vi('e', F, [4])], [vi('s2', F, [4]), vi('o', F, [4])])
save('scan', [N('Scan', ['s0', 'x'], ['y', 'z'], body=sbody, num_scan_inputs=1)], [vi('s0', F, [4]), vi('x', F, [3, 4])], [vi('y', F, [4]), vi('z', F, [3, 4])], [t('w', 4, 4)])
# function
fn = h.make_function('local', 'Lin', ['x', 'w', 'b'], ['y'], [N('Cast', ['w'], ['wc'], to=T.FLOAT16), N('Cast', ['x'], ['xc'], to=T.FLOAT16), N('MatMul', ['xc', 'wc'], ['m']), N('Cast', ['m'], ['mf'], to=F), N('Add', ['mf', 'b'], ['y'])], [h.make_opsetid('', 21)])
save('function', [N('Lin', ['x', 'w', 'b'], ['h'], domain='local'), N('Lin', ['h', 'w2', 'b'], ['y'], domain='local')], [vi('x', F, ['batch', 4])], [vi('y', F, ['batch', 4])], [t('w', 4, 4), t('w2', 4, 4), t('b', 4)], [fn])
# sequences
save('sequence', [N('SplitToSequence', ['x'], ['s'], axis=0), N('SequenceAt', ['s', 'i'], ['a']), N('Cast', ['a'], ['y'], to=T.FLOAT16)], [vi('x', F, [4, 3])], [vi('y', T.FLOAT16, [1, 3])], [nh.from_array(np.array(1, np.int64), 'i')])
# quantized
save('quantized', [N('DequantizeLinear', ['q', 's', 'z'], ['w']), N('Cast', ['w'], ['wc'], to=T.FLOAT16), N('Cast', ['x'], ['xc'], to=T.FLOAT16), N('MatMul', ['xc', 'wc'], ['y'])], [vi('x', F, [2, 4])], [vi('y', T.FLOAT16, [2, 4])], [nh.from_array(rng.integers(-9, 9, (4, 4)).astype(np.int8), 'q'), nh.from_array(np.array(0.1, np.float32), 's'), nh.from_array(np.array(0, np.int8), 'z')])
# layers
save('layers', [N('Conv', ['x', 'cw', 'cb'], ['c'], kernel_shape=[3, 3], pads=[1, 1, 1, 1]), N('BatchNormalization', ['c', 'g', 'be', 'me', 'va'], ['n']), N('Relu', ['n'], ['r']), N('GlobalAveragePool', ['r'], ['p']), N('Flatten', ['p'], ['f']), N('Cast', ['f'], ['fc'], to=T.BFLOAT16), N('Cast', ['lw'], ['lc'], to=T.BFLOAT16), N('Gemm', ['fc', 'lc'], ['gm'], transB=1), N('Cast', ['gm'], ['gf'], to=F), N('Softmax', ['gf'], ['y'], axis=-1)],
     [vi('x', F, ['n', 3, 8, 8])], [vi('y', F, ['n', 5])], [t('cw', 4, 3, 3, 3), t('cb', 4), t('g', 4), t('be', 4), t('me', 4), nh.from_array(np.ones(4, np.float32), 'va'), t('lw', 5, 4)])
save('recurrent', [N('Cast', ['x'], ['xc'], to=T.FLOAT16), N('Cast', ['W'], ['Wc'], to=T.FLOAT16), N('Cast', ['R'], ['Rc'], to=T.FLOAT16), N('Cast', ['xc'], ['xf'], to=F), N('Cast', ['Wc'], ['Wf'], to=F), N('Cast', ['Rc'], ['Rf'], to=F), N('LSTM', ['xf', 'Wf', 'Rf'], ['y', 'h', ''], hidden_size=4)], [vi('x', F, [5, 1, 3])], [vi('y', F, [5, 1, 1, 4]), vi('h', F, [1, 1, 4])], [t('W', 1, 16, 3), t('R', 1, 16, 4)])
save('shapes', [N('Shape', ['x'], ['sh']), N('Gather', ['sh', 'zero'], ['b']), N('Unsqueeze', ['b', 'ax'], ['b1']), N('Concat', ['b1', 'rest'], ['ns'], axis=0), N('Reshape', ['x', 'ns'], ['r']), N('ConstantOfShape', ['ns'], ['k'], value=nh.from_array(np.array([2], np.float32))), N('Add', ['r', 'k'], ['y0']), N('Slice', ['y0', 'st', 'en'], ['y1']), N('Expand', ['y1', 'big'], ['y2']), N('Tile', ['y2', 'rep'], ['y3']), N('Transpose', ['y3'], ['y'], perm=[1, 0]), N('Range', ['r0', 'r1', 'r2'], ['rg']), N('TopK', ['y', 'kk'], ['tv', 'ti'])],
     [vi('x', F, ['batch', 2, 3])], [vi('y', F, None), vi('rg', T.INT64, None), vi('ti', T.INT64, None)], [nh.from_array(np.array(0, np.int64), 'zero'), i64('ax', 0), i64('rest', 6), i64('st', 0), i64('en', 1), i64('big', 2, 6), i64('rep', 2, 1), nh.from_array(np.array(0, np.int64), 'r0'), nh.from_array(np.array(5, np.int64), 'r1'), nh.from_array(np.array(2, np.int64), 'r2'), i64('kk', 1)])
save('einsum', [N('Cast', ['w'], ['wc'], to=T.FLOAT16), N('Cast', ['x'], ['xc'], to=T.FLOAT16), N('Einsum', ['xc', 'wc'], ['e'], equation='bi,ij->bj'), N('Constant', [], ['k'], value=t('kk', 4)), N('Cast', ['k'], ['kc'], to=T.FLOAT16), N('Add', ['e', 'kc'], ['y'])], [vi('x', F, [2, 3])], [vi('y', T.FLOAT16, [2, 4])], [t('w', 3, 4)])
