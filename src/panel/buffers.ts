/**
 * Binary buffers on their way over a comm.
 *
 * @packageDocumentation
 */

/**
 * A buffer that holds exactly the bytes of `view`, for sending.
 *
 * #### Notes
 * JupyterLab's message serializers send the whole backing buffer of a view (or throw, depending on the websocket
 * protocol), so a view of part of a buffer must be copied first. A view that spans its buffer is not copied.
 */
export function ownedBuffer(view: ArrayBuffer | ArrayBufferView): ArrayBuffer {
  if (!ArrayBuffer.isView(view)) {
    return view;
  }
  const { buffer, byteOffset, byteLength } = view;
  if (isUnshared(buffer) && byteOffset === 0 && byteLength === buffer.byteLength) {
    return buffer;
  }
  const copy = new Uint8Array(byteLength);
  copy.set(new Uint8Array(buffer, byteOffset, byteLength));
  return copy.buffer;
}

/** The bytes of a received buffer, honouring offset and length of views. Nothing is copied. */
export function bytesOf(buffer: ArrayBuffer | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(buffer)
    ? new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    : new Uint8Array(buffer);
}

/** Shared memory may change while it is being sent. */
function isUnshared(buffer: ArrayBufferLike): buffer is ArrayBuffer {
  return Object.prototype.toString.call(buffer) === '[object ArrayBuffer]';
}
