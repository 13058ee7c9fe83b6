/**
 * Strategy `export-pass`: fold the casts of an exported program.
 *
 * @packageDocumentation
 */
import { pythonString } from './literal';
import type { CodeStrategy } from './strategy';

/**
 * `fold_weight_casts(ep)`.
 *
 * #### Notes
 * One new placeholder, input spec and stored tensor per weight and dtype. Where the original has no reader left, the new tensor
 * takes its name; otherwise it is called `NAME_DTYPE`, as in a file that `castlens fix` wrote. A cast behind operators that only
 * rearrange their operand moves in front of them. A cast that also changes strides or device, or that the program returns,
 * stays: it then copies, but casts no more.
 */
export const exportPass: CodeStrategy = ({ copied, composites }) => {
  const keepsBoth = copied.length > 0;
  const loses = composites.size > 0;
  return {
    call: 'fold_weight_casts(ep)',
    about: 'after torch.export.export; a new program with smaller weights, model and ep stay',
    imports: ['import dataclasses', 'import torch'],
    usesTables: true,
    source: [
      'def fold_weight_casts(ep: torch.export.ExportedProgram) -> torch.export.ExportedProgram:',
      '    """A program that stores the weights above in the precision they are used in, and casts them no more.',
      '',
      '    Decomposing makes the casts of autocast regions explicit. Save, load, run or compile the result as any other program.',
      '    """',
      ...(loses ? ['    _refuse_composites(ep)'] : []),
      '    ep = ep.run_decompositions({})',
      '    ep._constants = dict(ep.constants)  # Decomposing shares this table with the program it started from.',
      '    specs = ep.graph_signature.input_specs',
      '    placeholders = {node.name: node for node in ep.graph.nodes if node.op == "placeholder"}',
      '    stored = {}  # Tied weights stay tied.',
      keepsBoth
        ? '    for name, dtype in [*LOW_PRECISION.items(), *KEEP_BOTH]:'
        : '    for name, dtype in LOW_PRECISION.items():',
      '        index = next((i for i, spec in enumerate(specs) if spec.target == name), None)',
      '        if index is None:',
      '            raise ValueError(f"the program has no weight {name!r}: is it another model?")',
      '        spec = specs[index]',
      '        old, suffix = placeholders[spec.arg.name], str(dtype).removeprefix("torch.")',
      '        with ep.graph.inserting_after(old):',
      '            new = ep.graph.placeholder(f"{old.name}_{suffix}")',
      '        new.meta = {**old.meta, "val": old.meta["val"].detach().to(dtype)}',
      '        _move_casts(old, new, dtype)',
      ...(keepsBoth
        ? [
            '        if name not in LOW_PRECISION and not new.users:  # The program uses a tied name instead.',
            '            ep.graph.erase_node(new)',
            '            continue'
          ]
        : []),
      '        tensors = ep.constants if name in ep.constants else ep.state_dict',
      '        tensor = tensors[name]',
      '        key = (tensor.data_ptr(), tensor.shape, tensor.stride(), dtype)',
      '        if key not in stored:',
      '            low = tensor.detach().to(dtype)',
      '            is_parameter = isinstance(tensor, torch.nn.Parameter)',
      '            stored[key] = torch.nn.Parameter(low, requires_grad=False) if is_parameter else low',
      '        argument = dataclasses.replace(spec.arg, name=new.name)',
      '        if old.users:',
      '            specs.insert(index + 1, dataclasses.replace(spec, arg=argument, target=f"{name}_{suffix}"))',
      '            tensors[f"{name}_{suffix}"] = stored[key]',
      '        else:',
      '            specs[index] = dataclasses.replace(spec, arg=argument)',
      '            tensors[name] = stored[key]',
      '            ep.graph.erase_node(old)',
      '    ep.graph_module.recompile()',
      '    ep.validate()',
      '    return ep',
      '',
      '',
      ...(loses ? refusal(composites) : []),
      '# Results hold elements of the first operand unchanged, arranged anew: a cast commutes with each of these.',
      'REARRANGING = {',
      '    "alias", "chunk", "clone", "detach", "expand", "flatten", "getitem", "lift_fresh_copy", "narrow", "permute", "reshape",',
      '    "select", "slice", "split", "split_with_sizes", "squeeze", "t", "transpose", "unbind", "unflatten", "unsqueeze", "view",',
      '}  # fmt: skip',
      '',
      '',
      'def _move_casts(old: torch.fx.Node, new: torch.fx.Node, dtype: torch.dtype) -> None:',
      '    """Give casts of `old` to `dtype` the operand `new`, which has that dtype already, and drop those with nothing left to do."""',
      '    graph = old.graph',
      '    for user in list(old.users):',
      '        operator_name = getattr(getattr(user.target, "overloadpacket", user.target), "__name__", "")',
      '        if user.target is torch.ops.aten._assert_tensor_metadata.default:',
      '            graph.erase_node(user)  # Recorded the dtype that a cast was to start from.',
      '        elif user.target is torch.ops.aten._to_copy.default and user.kwargs.get("dtype") is dtype:',
      '            user.replace_input_with(old, new)',
      '            casts_only = user.kwargs.keys() == {"dtype"} and user.meta["val"].stride() == new.meta["val"].stride()',
      '            if casts_only and all(reader.op != "output" for reader in user.users):',
      '                user.replace_all_uses_with(new)',
      '                graph.erase_node(user)',
      '        elif operator_name in REARRANGING and user.args[0] is old:',
      '            with graph.inserting_before(user):',
      '                moved = graph.node_copy(user, lambda node: new if node is old else node)',
      '            args, kwargs = torch.fx.map_arg((moved.args, moved.kwargs), lambda node: node.meta["val"])',
      '            moved.meta = {**user.meta, "val": moved.target(*args, **kwargs)}',
      '            _move_casts(user, moved, dtype)',
      '            for node in (moved, user):',
      '                if not node.users:',
      '                    graph.erase_node(node)',
      '        elif isinstance(user.target, torch._ops.HigherOrderOperator) and isinstance(user.args[-1], (list, tuple)):',
      '            _hand_on(user, old, new, dtype)',
      '',
      '',
      'def _hand_on(call: torch.fx.Node, old: torch.fx.Node, new: torch.fx.Node, dtype: torch.dtype) -> None:',
      '    """Give the graphs of a branch or loop the weight they need of the two. Its last operands are those that no run changes."""',
      '    *others, last = call.args',
      '    operands = list(last)',
      '    bodies = [getattr(call.graph.owning_module, arg.target) for arg in others if getattr(arg, "op", "") == "get_attr"]',
      '    carried = sum(len(arg) for arg in others if isinstance(arg, (list, tuple)))',
      '    for index in reversed([i for i, operand in enumerate(last) if operand is old]):',
      '        given, added = [], []',
      '        for body in bodies:',
      '            inputs = body.graph.find_nodes(op="placeholder")',
      '            with body.graph.inserting_after(inputs[-1]):',
      '                low = body.graph.placeholder(new.name)',
      '            low.meta = dict(new.meta)',
      '            _move_casts(inputs[carried + index], low, dtype)',
      '            given.append(inputs[carried + index])',
      '            added.append(low)',
      '        unused = given',
      '        if any(node.users for node in added):',
      '            operands.append(new)',
      '        else:',
      '            unused = added',
      '        if not any(node.users for node in unused):',
      '            for node in unused:',
      '                node.graph.erase_node(node)',
      '            if unused is given:',
      '                del operands[index]',
      '    for body in bodies:',
      '        body.recompile()',
      '    call.args = (*others, type(last)(operands))'
    ].join('\n')
  };
};

/** A function that raises where decomposing would change what the program computes. */
function refusal(composites: ReadonlyMap<string, readonly string[]>): string[] {
  return [
    '# Autocast casts inside of these operators alone, here with the weights that they take. Decomposing loses those casts.',
    'LOSES_CASTS = {',
    ...[...composites].map(
      ([operator, weights]) =>
        `    ${pythonString(operator)}: [${weights.map(pythonString).join(', ')}],`
    ),
    '}',
    '',
    '',
    'def _refuse_composites(ep: torch.export.ExportedProgram) -> None:',
    '    """Decomposed, the program would compute with other dtypes: that is no change of its weights alone."""',
    '    graphs = [module.graph for module in ep.graph_module.modules() if isinstance(module, torch.fx.GraphModule)]',
    '    found = {str(node.target) for graph in graphs for node in graph.nodes} & LOSES_CASTS.keys()',
    '    if found:',
    '        calls = "; ".join(f"{name} (weights {\', \'.join(LOSES_CASTS[name]) or \'none\'})" for name in sorted(found))',
    '        raise ValueError(',
    '            f"decomposing loses the casts inside of {calls}, and the outputs would change: write the call with matmul or linear, "',
    '            "or keep it out of the region with torch.autocast(..., enabled=False), and export again"',
    '        )',
    '',
    ''
  ];
}
