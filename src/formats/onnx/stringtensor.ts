/**
 * Bytes of string tensors in memory: every element as its length (4 bytes, little endian) and its UTF-8 bytes.
 *
 * @packageDocumentation
 */

/** Pack the elements of a string tensor. */
export function packStrings(elements: readonly Uint8Array[]): Uint8Array {
  const total = elements.reduce((sum, element) => sum + 4 + element.length, 0);
  const packed = new Uint8Array(total);
  const view = new DataView(packed.buffer);
  let position = 0;
  for (const element of elements) {
    view.setUint32(position, element.length, true);
    packed.set(element, position + 4);
    position += 4 + element.length;
  }
  return packed;
}

/** The elements of a packed string tensor. */
export function unpackStrings(packed: Uint8Array): Uint8Array[] {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const elements: Uint8Array[] = [];
  for (let position = 0; position < packed.length;) {
    const end = position + 4 + view.getUint32(position, true);
    elements.push(packed.subarray(position + 4, end));
    position = end;
  }
  return elements;
}
