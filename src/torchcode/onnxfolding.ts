/**
 * Strategy `onnx-folding`: fold the casts of the weights of an `.onnx` model.
 *
 * @packageDocumentation
 */
import type { CodeStrategy } from './strategy';

/**
 * `fold_onnx(model)`.
 *
 * #### Notes
 * Folds casts and nothing else: an optimizer also fuses operators, which changes bits. A cast behind operators that only rearrange
 * their operand moves in front of them. A cast that the graph returns stays, and casts no more, as do those in functions.
 */
export const onnxFolding: CodeStrategy = ({ copied }) => {
  const keepsBoth = copied.length > 0;
  return {
    call: 'fold_onnx(model)',
    about:
      'on torch.onnx.export(...).model or a loaded file; casts weights once, changes nothing else',
    imports: ['import onnx_ir', 'import torch'],
    usesTables: true,
    source: [
      'def fold_onnx(model: onnx_ir.Model) -> onnx_ir.Model:',
      '    """Store the weights above in the precision they are used in, and cast them no more; in place.',
      '',
      '    While exporting: program = torch.onnx.export(model, args); fold_onnx(program.model); program.save("folded.onnx").',
      '    For a file:      onnx_ir.save(fold_onnx(onnx_ir.load("model.onnx")), "folded.onnx").',
      '    """',
      '    weights = {}',
      '    for graph in model.graphs():',
      '        weights.update(graph.initializers)',
      '        weights.update({node.outputs[0].name: node.outputs[0] for node in graph if node.op_type == "Constant" and "value" in node.attributes})',
      keepsBoth
        ? '    for name, torch_dtype in [*LOW_PRECISION.items(), *KEEP_BOTH]:'
        : '    for name, torch_dtype in LOW_PRECISION.items():',
      '        if name not in weights:',
      '            raise ValueError(f"the model has no weight {name!r}: is it another model?")',
      '        old, dtype = weights[name], onnx_ir.DataType[str(torch_dtype).removeprefix("torch.").upper().replace("_", "")]',
      '        producer = old.producer()',
      '        graph = old.graph if producer is None else producer.graph',
      '        tensor = old.const_value if producer is None else producer.attributes["value"].as_tensor()',
      '        if graph is None or tensor is None or old.is_graph_input():',
      '            raise ValueError(f"{name!r} can be given by the caller of the model: its cast cannot be folded")',
      '        suffix = dtype.name.lower()',
      '        low = onnx_ir.Tensor(tensor.numpy().astype(dtype.numpy()), dtype=dtype, name=f"{name}_{suffix}")',
      '        new = onnx_ir.Value(name=low.name, shape=old.shape, type=onnx_ir.TensorType(dtype), const_value=low)',
      keepsBoth
        ? '        _move_casts(old, new, dtype, model, name in LOW_PRECISION)'
        : '        _move_casts(old, new, dtype, model, True)',
      ...(keepsBoth
        ? [
            '        if name not in LOW_PRECISION and not new.uses():  # The model uses a tied name instead.',
            '            continue'
          ]
        : []),
      '        if not old.uses() and not old.is_graph_output():',
      '            if producer is None:',
      '                del graph.initializers[name]',
      '            else:',
      '                graph.remove(producer, safe=True)',
      '            new.name = low.name = name',
      '        graph.register_initializer(new)',
      '    return model',
      '',
      '',
      '# Results hold elements of the first operand unchanged, arranged anew: a cast commutes with each of these.',
      'ARRANGING = {"Expand", "Flatten", "Identity", "Reshape", "Slice", "Split", "Squeeze", "Transpose", "Unsqueeze"}',
      '',
      '',
      'def _move_casts(old: onnx_ir.Value, new: onnx_ir.Value, dtype: onnx_ir.DataType, model: onnx_ir.Model, is_whole: bool) -> None:',
      '    """Give casts of `old` to `dtype` the operand `new`, which has that dtype already, and drop those with nothing left to do."""',
      '    for node, index in list(old.uses()):',
      '        is_standard = node.domain in ("", "ai.onnx")',
      '        target = None',
      '        if is_standard and node.op_type == "Cast":',
      '            target = onnx_ir.DataType(node.attributes["to"].as_int())',
      '        elif is_standard and node.op_type == "CastLike" and index == 0:',
      '            like = node.inputs[1]',
      '            target = dtype if like.dtype is None and is_whole else like.dtype',
      '        if target == dtype:',
      '            node.replace_input_with(0, new)',
      '            if not node.outputs[0].is_graph_output():',
      '                node.outputs[0].replace_all_uses_with(new)',
      '                node.graph.remove(node, safe=True)',
      '        elif is_standard and node.op_type in ARRANGING and index == 0:',
      '            types = [onnx_ir.TensorType(dtype)] * len(node.outputs)',
      '            outputs = [onnx_ir.Value(name=f"{out.name}_{dtype.name.lower()}", shape=out.shape, type=t) for out, t in zip(node.outputs, types)]',
      '            moved = onnx_ir.Node(node.domain, node.op_type, [new, *node.inputs[1:]], node.attributes.values(), outputs=outputs, overload=node.overload)',
      '            node.graph.insert_before(node, moved)',
      '            for before, after in zip(node.outputs, moved.outputs):',
      '                _move_casts(before, after, dtype, model, is_whole)',
      '            for arranged in (moved, node):',
      '                if not any(out.uses() or out.is_graph_output() for out in arranged.outputs):',
      '                    arranged.graph.remove(arranged, safe=True)',
      '        elif is_whole and (node.op_identifier() in model.functions or (is_standard and node.op_type in ("Shape", "Size"))):',
      '            node.replace_input_with(index, new)',
      '        elif is_whole:',
      '            raise ValueError(f"{old.name!r} is not only cast to {dtype.name}, {node.op_type} {node.name!r} takes it: is it another model?")'
    ].join('\n')
  };
};
