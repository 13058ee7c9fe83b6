/**
 * Frames on the wire: splitting, joining, signing. Knows nothing of message types and nothing of sockets.
 *
 * A message is `[identity ...] <IDS|MSG> signature header parent_header metadata content [buffer ...]`. The signature covers
 * the four JSON frames alone, never the identities or the buffers (jupyter_client, "The wire protocol").
 *
 * @packageDocumentation
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** Frames between identities and message. */
export const DELIMITER = '<IDS|MSG>';

/** A message as frames, JSON not parsed yet. */
export interface IRawMessage {
  /** Routing prefix; on iopub the topic. */
  readonly identities: readonly Uint8Array[];
  readonly header: Uint8Array;
  readonly parentHeader: Uint8Array;
  readonly metadata: Uint8Array;
  readonly content: Uint8Array;
  /** Binary data, each a view that may be part of a larger allocation. */
  readonly buffers: readonly Uint8Array[];
}

/** How messages are signed; an empty key means not at all. */
export interface ISigning {
  readonly key: string;
  /** Hash name of node:crypto, `sha256`. */
  readonly hash: string;
}

/** A message, or why the frames are none. */
export type Decoded =
  | { readonly ok: true; readonly message: IRawMessage }
  | { readonly ok: false; readonly reason: string };

/**
 * The message in `frames`.
 *
 * #### Notes
 * The number of frames is checked first and the signature second, in constant time; nothing is parsed before both hold.
 */
export function decodeFrames(frames: readonly Uint8Array[], signing: ISigning): Decoded {
  const delimiter = frames.findIndex(isDelimiter);
  if (delimiter < 0) {
    return { ok: false, reason: 'no delimiter frame' };
  }
  const parts = frames.slice(delimiter + 1);
  if (parts.length < 5) {
    return {
      ok: false,
      reason: `expected at least 5 frames after the delimiter, found ${parts.length}`
    };
  }
  const [signature, header, parentHeader, metadata, content, ...buffers] = parts;
  if (signing.key !== '') {
    const expected = Buffer.from(sign([header, parentHeader, metadata, content], signing));
    if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) {
      return { ok: false, reason: 'wrong signature' };
    }
  }
  const identities = frames.slice(0, delimiter);
  return { ok: true, message: { identities, header, parentHeader, metadata, content, buffers } };
}

/** The frames of a message, signed. */
export function encodeFrames(message: IRawMessage, signing: ISigning): Uint8Array[] {
  const json = [message.header, message.parentHeader, message.metadata, message.content];
  return [
    ...message.identities,
    Buffer.from(DELIMITER),
    Buffer.from(signing.key === '' ? '' : sign(json, signing)),
    ...json,
    ...message.buffers
  ];
}

/** Lower-case hexadecimal HMAC over `frames`. */
function sign(frames: readonly Uint8Array[], signing: ISigning): string {
  const hmac = createHmac(signing.hash, signing.key);
  for (const frame of frames) {
    hmac.update(frame);
  }
  return hmac.digest('hex');
}

const DELIMITER_BYTES = Buffer.from(DELIMITER);

function isDelimiter(frame: Uint8Array): boolean {
  return DELIMITER_BYTES.equals(frame);
}
