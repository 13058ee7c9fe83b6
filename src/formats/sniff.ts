/**
 * Tells file formats apart by their first bytes.
 *
 * @packageDocumentation
 */
import { CastlensError } from '../model';
import type { FileReader } from './filereader';

/** Containers castlens reads. */
export type Container = 'zip' | 'onnx';

const HEAD_BYTES = 64;

/**
 * The container of a file.
 *
 * @throws CastlensError for an empty file and for formats castlens does not open, by their name where they have one.
 */
export function sniff(file: FileReader): Container {
  if (file.sizeBytes === 0) {
    throw new CastlensError('bad-file', 'the file is empty', {
      file: file.path,
      expected: 'an exported model (.pt2 or .onnx)',
      found: '0 bytes',
      hint: 'The export or copy did not finish: do it again.'
    });
  }
  const head = file.read(0, Math.min(file.sizeBytes, HEAD_BYTES), 'first bytes');
  const text = head.toString('latin1');
  if (text.startsWith('PK\x03\x04') || text.startsWith('PK\x05\x06')) {
    return 'zip';
  }
  const other = OTHER_FORMATS.find(format => format.test(text, head));
  if (other === undefined && looksLikeOnnx(head)) {
    return 'onnx';
  }
  throw new CastlensError(
    'unsupported-format',
    other === undefined
      ? 'this is neither a zip archive (.pt2) nor an ONNX model'
      : `this is ${other.name}, not an exported program`,
    {
      file: file.path,
      entry: 'first bytes',
      expected: 'a zip archive written by torch.export.save, or an ONNX protobuf',
      found: describeBytes(head),
      ...(other === undefined ? {} : { hint: other.hint })
    }
  );
}

/** Whether a file is laid out as safetensors: a length below 4 GiB, then JSON. */
export function isSafetensors(file: FileReader): boolean {
  return startsLikeSafetensors(file.read(0, Math.min(file.sizeBytes, HEAD_BYTES), 'first bytes'));
}

function startsLikeSafetensors(head: Buffer): boolean {
  return head.length >= 10 && head.readUInt32LE(4) === 0 && head[8] === 0x7b;
}

const OTHER_FORMATS: readonly {
  readonly name: string;
  readonly hint: string;
  readonly test: (text: string, head: Buffer) => boolean;
}[] = [
  {
    name: 'a pickle',
    hint: 'Pickles hold code and are never read: save the model with torch.export.save.',
    test: (_text, head) => head.length > 2 && head[0] === 0x80 && head[1] >= 2 && head[1] <= 5
  },
  {
    name: 'a safetensors file, which holds weights alone',
    hint: 'Open the program that uses these weights.',
    test: (_text, head) => startsLikeSafetensors(head)
  },
  {
    name: 'a GGUF file',
    hint: 'castlens opens .pt2 and .onnx files.',
    test: text => text.startsWith('GGUF')
  },
  {
    name: 'an HDF5 file',
    hint: 'castlens opens .pt2 and .onnx files.',
    test: text => text.startsWith('\x89HDF')
  },
  {
    name: 'a TensorFlow Lite file',
    hint: 'castlens opens .pt2 and .onnx files.',
    test: text => text.slice(4, 8) === 'TFL3'
  },
  {
    name: 'an ONNX Runtime (.ort) file',
    hint: 'Open the .onnx file it was made from.',
    test: text => text.slice(4, 8) === 'ORTM'
  },
  {
    name: 'a compressed file',
    hint: 'Unpack it first.',
    test: text => text.startsWith('\x1f\x8b') || text.startsWith('(\xb5/\xfd')
  },
  {
    name: 'JSON text',
    hint: 'Open the archive it belongs to.',
    test: text => /^\s*[{[]\s*["\]}[{]/.test(text)
  },
  {
    name: 'a Git LFS pointer',
    hint: 'Fetch the file itself with git lfs pull.',
    test: text => text.startsWith('version https://git-lfs')
  }
];

/** Whether the first bytes can be a ModelProto: the tag of one of its fields (onnx.proto3), with its wire type. */
function looksLikeOnnx(head: Buffer): boolean {
  const tag = head[0];
  const field = tag >> 3;
  const wireType = tag & 7;
  return (
    (wireType === 0 && (field === 1 || field === 5)) ||
    (wireType === 2 && [2, 3, 4, 6, 7, 8, 14].includes(field))
  );
}

function describeBytes(head: Buffer): string {
  return [...head.subarray(0, 8)].map(byte => byte.toString(16).padStart(2, '0')).join(' ');
}
