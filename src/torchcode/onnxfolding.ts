/**
 * Strategy `onnx-folding`: let onnxscript fold the casts of initializers that its default limits leave alone.
 *
 * @packageDocumentation
 */
import type { CodeStrategy } from './strategy';

/**
 * `fold_onnx(model)`.
 *
 * #### Notes
 * The default limits of `torch.onnx.export` keep every `Cast` of more than 8192 elements. The limit is set to the largest weight
 * that is cast, and not higher: whatever is larger stays as it is.
 */
export const onnxFolding: CodeStrategy = ({ converted, copied }) => {
  const limit = Math.max(1, ...[...converted, ...copied].map(weight => weight.elementCount));
  return {
    call: 'fold_onnx(model)',
    about: 'on torch.onnx.export(...).model or a loaded file; the casts become initializers',
    imports: ['import onnx_ir', 'import onnxscript.optimizer'],
    usesTables: false,
    source: [
      'def fold_onnx(model: onnx_ir.Model) -> onnx_ir.Model:',
      '    """Fold the casts of initializers, in place.',
      '',
      '    While exporting: program = torch.onnx.export(model, args); fold_onnx(program.model); program.save("folded.onnx").',
      '    For a file:      onnx_ir.save(fold_onnx(onnx_ir.load("model.onnx")), "folded.onnx").',
      '    """',
      `    largest = ${limit}  # Elements of the largest weight that is cast; the default limit is 8192.`,
      '    onnxscript.optimizer.optimize_ir(model, input_size_limit=largest, output_size_limit=largest)',
      '    return model'
    ].join('\n')
  };
};
