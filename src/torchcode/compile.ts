/**
 * Strategies `runtime-folding` and `freezing`: leave the casts to AOTInductor, once instead of on every call.
 *
 * @packageDocumentation
 */
import type { CodeStrategy } from './strategy';

const IMPORTS = ['import torch', 'import torch._inductor'];

/** `compile_with_runtime_folding(ep, package_path)`. */
export const runtimeFolding: CodeStrategy = () => ({
  call: 'compile_with_runtime_folding(ep, path)',
  about: 'casts once per load; holds the float32 and the converted weights, which can be updated',
  imports: IMPORTS,
  usesTables: false,
  source: [
    'def compile_with_runtime_folding(ep: torch.export.ExportedProgram, package_path: str) -> str:',
    '    """Compile with AOTInductor so that weights are cast on the first call after loading, not on every call.',
    '',
    '    The package keeps the weights as exported and makes the converted ones, one per use of a weight, when it is loaded: memory',
    '    holds both. After load_constants() the next call converts anew.',
    '    """',
    '    config = {"aot_inductor.use_runtime_constant_folding": True}',
    '    return torch._inductor.aoti_compile_and_package(ep, package_path=package_path, inductor_configs=config)'
  ].join('\n')
});

/** `compile_frozen(ep, package_path)`. */
export const freezing: CodeStrategy = () => ({
  call: 'compile_frozen(ep, path)',
  about: 'casts while compiling; the package holds converted weights only, for good',
  imports: IMPORTS,
  usesTables: false,
  source: [
    'def compile_frozen(ep: torch.export.ExportedProgram, package_path: str) -> str:',
    '    """Compile with AOTInductor so that weights are cast, and packed for the kernels that use them, at compile time.',
    '',
    '    They are part of the package and cannot be updated. Inductor freezes only where gradients are switched off.',
    '    """',
    '    with torch.no_grad():',
    '        return torch._inductor.aoti_compile_and_package(ep, package_path=package_path, inductor_configs={"freezing": True})'
  ].join('\n')
});
