import * as fs from 'node:fs';

import { openSafetensors, readByteRange, writeSafetensors } from '../../../src/formats';
import { failureOf, fixture, temporaryFolder } from './samples';

const folder = temporaryFolder();

/** A file with this header and this many bytes of data. */
function file(name: string, header: unknown, dataBytes: number): string {
  const target = `${folder}/${name}`;
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(text.length));
  fs.writeFileSync(target, Buffer.concat([prefix, text, Buffer.alloc(dataBytes)]));
  return target;
}

describe('openSafetensors()', () => {
  it('should list the tensors of a file written by the reference implementation', async () => {
    const tensors = await openSafetensors(fixture('seed-mlp/outputs.safetensors'));
    expect([...tensors].map(([name, { dtype, shape }]) => [name, dtype, shape])).toEqual([
      ['output_0', 'float32', [4, 10]]
    ]);
    const bytes = await readByteRange(tensors.get('output_0')!.range);
    const values = new Float32Array(bytes.buffer, bytes.byteOffset, 40);
    expect(values.every(Number.isFinite)).toBe(true);
  });

  it.each([
    ['an empty file', '', 'header'],
    ['a header length beyond the file', '\xff\xff\xff\xff\xff\xff\xff\x7f{}', 'header'],
    ['a header that is no JSON', '\x02\0\0\0\0\0\0\0{]', 'header']
  ])('should refuse %s', async (_, text, entry) => {
    const target = `${folder}/broken`;
    fs.writeFileSync(target, text, 'latin1');
    const failure = await failureOf(openSafetensors(target));
    expect(failure.code).toBe('bad-file');
    expect(failure.details).toMatchObject({ file: target, entry });
  });

  it.each([
    ['an unknown dtype', { dtype: 'F3', shape: [1], data_offsets: [0, 4] }],
    ['a range that does not fit the shape', { dtype: 'F32', shape: [2], data_offsets: [0, 4] }],
    ['a range outside the file', { dtype: 'F32', shape: [2], data_offsets: [100, 108] }],
    ['a range that runs backwards', { dtype: 'F32', shape: [1], data_offsets: [8, 4] }],
    ['a negative size', { dtype: 'F32', shape: [-1, -1], data_offsets: [0, 4] }],
    ['a missing range', { dtype: 'F32', shape: [1] }],
    [
      'a size beyond 2^53',
      '{"a":{"dtype":"U8","shape":[99999999999999999999],"data_offsets":[0,4]}}'
    ]
  ])('should refuse %s', async (_, entry) => {
    const header = typeof entry === 'string' ? entry : { a: entry };
    const failure = await failureOf(openSafetensors(file('entry', header, 8)));
    expect(failure.code).toBe('bad-file');
    expect(failure.details.expected).toBeDefined();
    expect(failure.details.found).toBeDefined();
  });

  it('should refuse tensors that share bytes, but for those without any', async () => {
    const tensor = (size: number, begin: number) => ({
      dtype: 'U8',
      shape: [size],
      data_offsets: [begin, begin + size]
    });
    const apart = { b: tensor(4, 4), none: tensor(0, 2), a: tensor(4, 0) };
    expect((await openSafetensors(file('apart', apart, 8))).size).toBe(3);
    const target = file('shared', { b: tensor(4, 3), a: tensor(4, 0) }, 8);
    const failure = await failureOf(openSafetensors(target));
    expect(failure).toMatchObject({
      code: 'bad-file',
      summary: 'two tensors share bytes',
      details: { file: target, entry: 'b' }
    });
  });

  it('should refuse a name that is there twice', async () => {
    const entry = '{"dtype":"U8","shape":[4],"data_offsets":[0,4]}';
    const target = file('twice', `{"a":${entry},"a":${entry}}`, 8);
    expect((await failureOf(openSafetensors(target))).message).toContain("key 'a' is there twice");
  });
});

describe('writeSafetensors()', () => {
  it('should write what openSafetensors() reads', async () => {
    const target = `${folder}/written.safetensors`;
    const data = Uint8Array.from([1, 2, 3, 4, 5, 6]);
    await writeSafetensors(
      target,
      [
        { name: 'output_0', dtype: 'bfloat16', shape: [3], data },
        {
          name: 'output_1',
          dtype: 'int64',
          shape: [],
          data: async function* () {
            await Promise.resolve();
            yield new Uint8Array(3);
            yield new Uint8Array(5).fill(9);
          }
        },
        { name: 'none', dtype: 'float32', shape: [0, 4], data: new Uint8Array(0) }
      ],
      { from: 'a test' }
    );
    const tensors = await openSafetensors(target);
    expect([...tensors.keys()]).toEqual(['output_0', 'output_1', 'none']);
    const { range } = tensors.get('output_0')!;
    expect(range.offset % 8).toBe(0);
    expect([...(await readByteRange(range))]).toEqual([...data]);
    expect([...(await readByteRange(tensors.get('output_1')!.range))]).toEqual([
      0, 0, 0, 9, 9, 9, 9, 9
    ]);
  });

  it('should keep the old file where the data do not fit', async () => {
    const target = `${folder}/old.safetensors`;
    fs.writeFileSync(target, 'old');
    const tensor = { name: 'a', dtype: 'float32' as const, shape: [2], data: new Uint8Array(4) };
    const failure = await failureOf(writeSafetensors(target, [tensor]));
    expect(failure.details).toMatchObject({
      expected: '8 bytes for float32 [2]',
      found: '4 bytes'
    });
    expect(fs.readFileSync(target, 'utf8')).toBe('old');
  });

  it.each([
    ['a name used twice', ['a', 'a'], 'float32'],
    ['the name of the metadata', ['__metadata__'], 'float32'],
    ['a dtype without a name', ['a'], 'int4']
  ] as const)('should refuse %s', async (_, names, dtype) => {
    const tensors = names.map(name => ({ name, dtype, shape: [0], data: new Uint8Array(0) }));
    const failure = await failureOf(writeSafetensors(`${folder}/refused`, tensors));
    expect(failure.code).toBe('bad-argument');
  });
});
