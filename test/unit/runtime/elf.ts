/** Shared libraries, made by hand, for tests. */

/** An ELF file with the names that it needs, and a text among its data. */
export function elfLibrary(needed: readonly string[], text: string): Uint8Array {
  const names = Buffer.from(`\0${needed.map(name => `${name}\0`).join('')}`, 'latin1');
  const entries = Buffer.alloc(16 * (needed.length + 1));
  let offset = 1;
  needed.forEach((name, i) => {
    entries.writeBigUInt64LE(1n, 16 * i);
    entries.writeBigUInt64LE(BigInt(offset), 16 * i + 8);
    offset += name.length + 1;
  });
  const data = Buffer.from(`\0${text}\0`, 'latin1');
  const header = Buffer.alloc(64);
  header.write('\x7fELF\x02\x01\x01', 0, 'latin1');
  const sectionsAt = 64 + names.length + entries.length + data.length;
  header.writeBigUInt64LE(BigInt(sectionsAt), 40);
  header.writeUInt16LE(64, 58);
  header.writeUInt16LE(3, 60);
  const section = (type: number, at: number, size: number, link: number): Buffer => {
    const bytes = Buffer.alloc(64);
    bytes.writeUInt32LE(type, 4);
    bytes.writeBigUInt64LE(BigInt(at), 24);
    bytes.writeBigUInt64LE(BigInt(size), 32);
    bytes.writeUInt32LE(link, 40);
    return bytes;
  };
  return Buffer.concat([
    header,
    names,
    entries,
    data,
    Buffer.alloc(64),
    section(3, 64, names.length, 0),
    section(6, 64 + names.length, entries.length, 1)
  ]);
}
