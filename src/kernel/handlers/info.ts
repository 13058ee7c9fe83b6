/**
 * kernel_info.
 *
 * @packageDocumentation
 */
import type { JsonObject } from '../message';
import { PROTOCOL_VERSION } from '../message';

/** Content of kernel_info_reply. Neither the debugger nor subshells are advertised. */
export function kernelInfo(version: string): JsonObject {
  return {
    status: 'ok',
    protocol_version: PROTOCOL_VERSION,
    implementation: 'castlens',
    implementation_version: version,
    language_info: {
      name: 'typescript',
      version: process.versions.node,
      mimetype: 'application/typescript',
      file_extension: '.ts',
      pygments_lexer: 'typescript',
      codemirror_mode: 'typescript',
      nbconvert_exporter: 'script'
    },
    banner:
      `castlens ${version}: TypeScript and JavaScript on Node ${process.versions.node}\n` +
      "const m = await castlens.open('model.pt2'); m.census(); await m.compare()",
    debugger: false,
    supported_features: [],
    help_links: [
      { text: 'Node.js', url: 'https://nodejs.org/docs/latest/api/' },
      { text: 'TypeScript', url: 'https://www.typescriptlang.org/docs/' }
    ]
  };
}
