/** Damage to `.onnx` files, field by field of their protobuf. */
import type { Random } from './random';
import { EDGES, mutateBytes } from './random';

/** Kinds of messages, each with the fields that hold others. */
const MESSAGES: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  model: { 7: 'graph', 8: 'opset', 25: 'function' },
  graph: { 1: 'node', 5: 'tensor', 11: 'info', 12: 'info', 13: 'info', 15: 'leaf' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph', 14: 'type' },
  info: { 2: 'type' },
  type: { 1: 'tensortype', 4: 'inner', 9: 'inner' },
  inner: { 1: 'type' },
  tensortype: { 2: 'shape' },
  shape: { 1: 'leaf' },
  tensor: { 13: 'leaf' },
  function: { 7: 'node', 9: 'opset', 11: 'attribute' },
  opset: {},
  leaf: {}
};

interface IField {
  number: number;
  type: number;
  /** A number, bytes, or the fields of a message. */
  value: bigint | Buffer | IField[];
}

interface IPlace {
  readonly list: IField[];
  readonly index: number;
  readonly kind: string;
}

/** The model with one to three fields changed, or bytes of it. */
export function mutateOnnx(random: Random, bytes: Buffer): Buffer {
  if (random.chance(0.1)) {
    return mutateBytes(random, bytes);
  }
  const root = parse(bytes, 'model');
  for (let count = 1 + random.below(3); count > 0; count--) {
    const places = placesOf(root);
    if (places.length > 0) {
      change(random, places);
    }
  }
  return write(root);
}

function change(random: Random, places: readonly IPlace[]): void {
  const { list, index, kind } = pickPlace(random, places);
  const field = list[index];
  const alike = places
    .filter(place => place.kind === kind && place.list[place.index].number === field.number)
    .map(place => place.list[place.index]);
  switch (random.below(8)) {
    case 0:
      list.splice(index, 1);
      return;
    case 1:
      list.splice(random.below(list.length), 0, structuredCopy(field));
      return;
    case 2:
    case 3:
      field.value = structuredCopy(random.pick(alike)).value;
      return;
    case 4:
      field.number = random.pick([field.number + 1, field.number - 1, 1, 2, 5, 20]) || 1;
      return;
    case 5: {
      const other = random.pick(places);
      list.splice(index, 0, structuredCopy(other.list[other.index]));
      return;
    }
    default:
      if (typeof field.value === 'bigint') {
        field.value = BigInt.asUintN(64, BigInt(random.pick(EDGES)));
      } else if (Buffer.isBuffer(field.value)) {
        field.value =
          field.value.length < 100_000 ? mutateBytes(random, field.value) : field.value.subarray(1);
      } else if (field.value.length > 0) {
        field.value.splice(random.below(field.value.length), 1);
      }
  }
}

function pickPlace(random: Random, places: readonly IPlace[]): IPlace {
  if (random.chance(0.4)) {
    return random.pick(places);
  }
  const nameOf = (place: IPlace): string => `${place.kind} ${place.list[place.index].number}`;
  const name = random.pick([...new Set(places.map(nameOf))]);
  return random.pick(places.filter(place => nameOf(place) === name));
}

function placesOf(root: IField[]): IPlace[] {
  const places: IPlace[] = [];
  const pending = [{ list: root, kind: 'model' }];
  for (const { list, kind } of pending) {
    list.forEach((field, index) => {
      places.push({ list, index, kind });
      if (Array.isArray(field.value)) {
        pending.push({ list: field.value, kind: MESSAGES[kind][field.number] ?? 'leaf' });
      }
    });
  }
  return places;
}

function structuredCopy({ number, type, value }: IField): IField {
  return { number, type, value: Array.isArray(value) ? value.map(structuredCopy) : value };
}

function parse(bytes: Buffer, kind: string): IField[] {
  const fields: IField[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) {
        return value;
      }
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const [number, type] = [tag >> 3, tag & 7];
    if (type === 0) {
      fields.push({ number, type, value: varint() });
      continue;
    }
    const length = type === 2 ? Number(varint()) : type === 5 ? 4 : 8;
    const value = bytes.subarray(at, at + length);
    at += length;
    const inner = type === 2 ? MESSAGES[kind][number] : undefined;
    fields.push({ number, type, value: inner === undefined ? value : parse(value, inner) });
  }
  return fields;
}

function write(fields: readonly IField[]): Buffer {
  return Buffer.concat(
    fields.flatMap(({ number, type, value }) => {
      const tag = varintBytes(BigInt(number * 8 + type));
      if (typeof value === 'bigint') {
        return [tag, varintBytes(value)];
      }
      const body = Array.isArray(value) ? write(value) : value;
      return type === 2 ? [tag, varintBytes(BigInt(body.length)), body] : [tag, body];
    })
  );
}

function varintBytes(value: bigint): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    if (rest < 0x80n) {
      bytes.push(Number(rest));
      return Buffer.from(bytes);
    }
    bytes.push(Number(rest & 0x7fn) | 0x80);
  }
}
