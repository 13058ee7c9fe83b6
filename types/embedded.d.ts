/** The bytes of a WebAssembly module, compiled from an AssemblyScript file of this name by scripts/embed.mjs. */
declare module '*?wasm' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}

/** A TypeScript file of this name with all it imports, bundled by scripts/embed.mjs to the text of a script for Node. */
declare module '*?script' {
  const text: string;
  export default text;
}

/** The texts of the other Markdown files of the folder that this one is in, by name without `.md`; see scripts/embed.mjs. */
declare module '*.md?pages' {
  const pages: Readonly<Record<string, string>>;
  export default pages;
}
