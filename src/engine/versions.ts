/**
 * Versions of what castlens is made of.
 *
 * @packageDocumentation
 */
import packageJson from '../../package.json';

/** Versions by name, as `castlens doctor` shows them. */
export function versions(): Readonly<Record<string, string>> & { readonly castlens: string } {
  return {
    castlens: packageJson.version,
    node: process.versions.node,
    'onnxruntime-node': packageJson.dependencies['onnxruntime-node'],
    platform: `${process.platform} ${process.arch}`
  };
}
