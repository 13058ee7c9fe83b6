/**
 * The request `package`: archives and folders, several models, damage, and the program that one was compiled from.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';

import { readCompiledModel } from '../../../src/aotinductor';
import { packageText } from '../../../src/cli/packagetext';
import { compareCasts } from '../../../src/engine/packageagainst';
import { Engine } from '../../../src/engine/service';
import { isCompiledPackage, writePt2Archive } from '../../../src/formats';
import type { CastlensError } from '../../../src/model';
import type { IPackageInfo, IWeightCast } from '../../../src/protocol';
import { packageFolder, sourcesOf } from '../aotinductor/sources';
import { failureOf, fixture, temporaryFolder } from '../formats/samples';

const folder = temporaryFolder();
const engine = new Engine();
afterAll(() => engine.dispose());

const ask = async (file: string, against?: string): Promise<IPackageInfo> =>
  (await engine.handle('package', { path: file, against }, {})).result;

/** An archive of models by their names in it; `more` are other records. */
async function archive(
  name: string,
  models: Readonly<Record<string, string>>,
  more: Readonly<Record<string, string>> = {}
): Promise<string> {
  const target = path.join(folder, name);
  const entries = Object.entries(models).flatMap(([model, source]) =>
    fs
      .readdirSync(packageFolder(source))
      .map((file): [string, Uint8Array] => [
        `data/aotinductor/${model}/${file}`,
        fs.readFileSync(path.join(packageFolder(source), file))
      ])
  );
  const records = [
    ...entries,
    ...Object.entries({ archive_format: 'pt2', ...more }).map(
      ([record, text]): [string, Uint8Array] => [record, Buffer.from(text)]
    )
  ];
  await writePt2Archive(
    target,
    records.map(([record, bytes]) => ({
      name: `package/${record}`,
      source: { kind: 'bytes', bytes }
    }))
  );
  return target;
}

describe('package', () => {
  it('should read an archive as it reads the unpacked folder', async () => {
    const file = await archive('one.pt2', { 'twouse-off': 'cpu-2.15/twouse-off' });
    const packed = await ask(file);
    const unpacked = await ask(packageFolder('cpu-2.15/twouse-off'));
    expect(packed.models).toEqual(unpacked.models);
    const [model] = packed.models;
    expect(model).toMatchObject({
      name: 'twouse-off',
      build: 'default',
      device: 'cpu',
      torch: null,
      castsPerCall: 8,
      castsAtLoad: 0,
      constantBytes: 6400,
      storedConstantBytes: null
    });
    expect(model.options).toMatchObject({
      AOTI_CPU_ISA: 'AVX512',
      'aot_inductor.use_runtime_constant_folding': 'false'
    });
    expect(model.findings.map(({ code }) => code)).toEqual(['compiled-casts-every-call']);
    expect(model.findings[0].message).toBe(
      'One call runs 8 weight casts of 4 weights and moves 12.5 KiB for them: it was built without folding.'
    );
    expect(model.findings[0].remedy).toContain('Two ways to be rid of them');
  });

  it('should read every model of a package', async () => {
    const file = await archive('several.pt2', {
      plain: 'cpu-2.15/twouse-off',
      folded: 'cpu-2.15/twouse-folded',
      gpu: 'cuda-2.15/twouse-off'
    });
    const info = await ask(file);
    expect(
      info.models.map(({ name, build, device, castsPerCall, castsAtLoad }) =>
        [name, build, device, castsPerCall, castsAtLoad].join(' ')
      )
    ).toEqual(['plain default cpu 8 0', 'folded folded cpu 0 8', 'gpu default cuda 8 0']);
    const text = packageText(info);
    expect(text).toContain('3 compiled models');
    expect(text).toContain("'folded': AOTInductor, built with runtime constant folding, cpu");
    expect(text).toMatch(
      /l1\.weight +stored +float32 +bfloat16 +2 +6\.0 KiB +cpp_fused__to_copy_0/u
    );
  });

  it('should tell constants that lie beside the library', async () => {
    const blob = await archive(
      'blob.pt2',
      { model: 'cpu-2.15/half-off' },
      {
        'data/aotinductor/model/x.wrapper_weights.blob': '0123456789'
      }
    );
    expect((await ask(blob)).models[0].storedConstantBytes).toBe(10);
    const tensors = await archive(
      'tensors.pt2',
      { model: 'cpu-2.15/half-off' },
      {
        'data/aotinductor/model/weights_config.json': '{}',
        'data/weights/weight_0': '0123',
        'data/weights/weight_1': '45'
      }
    );
    expect((await ask(tensors)).models[0].storedConstantBytes).toBe(6);
  });

  it('should know packages from exported programs', async () => {
    const file = await archive('known.pt2', { model: 'cpu-2.15/half-off' });
    expect(await isCompiledPackage(file)).toBe(true);
    expect(await isCompiledPackage(packageFolder('cpu-2.15/half-off'))).toBe(true);
    for (const other of [fixture('seed-mlp/model.pt2'), fixture('seed-mlp'), '/none']) {
      expect(await isCompiledPackage(other)).toBe(false);
    }
    const failure = await failureOf(ask(fixture('seed-mlp/model.pt2')));
    expect(failure.message).toContain('holds no model that AOTInductor compiled');
    expect(failure.details.file).toContain('seed-mlp');
  });

  it('should name the file where it is cut off anywhere', async () => {
    const bytes = fs.readFileSync(await archive('cut.pt2', { model: 'cpu-2.15/half-off' }));
    const target = path.join(folder, 'cut-off.pt2');
    for (let share = 0; share < 20; share++) {
      fs.writeFileSync(target, bytes.subarray(0, Math.floor((bytes.length * share) / 20)));
      const failure: CastlensError = await failureOf(ask(target));
      expect(failure.message).toContain('cut-off.pt2');
    }
  });

  it('should refuse a source beyond all measure before it is read', async () => {
    const model = path.join(folder, 'huge');
    fs.mkdirSync(model);
    fs.writeFileSync(path.join(model, 'a.wrapper.cpp'), '');
    fs.truncateSync(path.join(model, 'a.wrapper.cpp'), 33 * 1024 ** 2);
    const failure = await failureOf(ask(model));
    expect(failure.message).toMatch(/huge: a\.wrapper\.cpp: the generated source is too large/u);
  });

  it('should stay within bounds on any text', async () => {
    const model = path.join(folder, 'hostile');
    fs.mkdirSync(model);
    const head = 'void AOTInductorModel::run_impl(int x) {';
    for (const body of [
      '{'.repeat(20_000),
      '('.repeat(20_000),
      'x = '.repeat(13_000),
      '"'.repeat(6_000),
      '/*'.repeat(20_000),
      'extern "C" void k('.repeat(3_000),
      'void call_k(/*'.repeat(3_000),
      `constants_info_[9999999].name = "a";constants_info_[0].shape = {${'1, '.repeat(6_000)}};`
    ]) {
      fs.writeFileSync(path.join(model, 'a.wrapper.cpp'), head + body);
      fs.writeFileSync(path.join(model, 'a.kernel.cpp'), `extern "C" void k(${body}`.repeat(3));
      const { models } = await ask(model);
      expect(models[0].castsPerCall).toBe(0);
      expect(models[0].notCounted.length).toBeGreaterThan(0);
    }
  }, 60_000);
});

describe('a package against its program', () => {
  const cast = (weight: string, uses: number, more: Partial<IWeightCast> = {}): IWeightCast => ({
    weight,
    kind: 'stored',
    computedFrom: [],
    aliases: [],
    from: 'float32',
    to: 'bfloat16',
    uses,
    bytesMoved: 0,
    shape: [16, 8],
    sizeBytes: 0,
    module: null,
    source: null,
    cacheEligible: true,
    origin: 'region',
    ...more
  });
  const why = (name: string, exported: IWeightCast[]): Record<string, string | null> =>
    Object.fromEntries(
      compareCasts(exported, readCompiledModel(sourcesOf(name))).map(row => [
        row.weights.join(),
        row.why
      ])
    );

  it('should say cast by cast why they differ', () => {
    const both = [
      cast('l1.weight', 2),
      cast('l1.bias', 2),
      cast('l2.weight', 2),
      cast('l2.bias', 2)
    ];
    const values = (name: string): unknown[] => Object.values(why(name, both));
    expect(new Set(values('cpu-2.15/twouse-off'))).toEqual(new Set([null]));
    expect(new Set(values('cpu-2.15/twouse-folded'))).toEqual(new Set(['cast once, at load']));
    expect(new Set(values('cpu-2.15/twouse-frozen'))).toEqual(
      new Set(['cast when it was compiled'])
    );
    expect(
      why('cpu-2.15/smallbias-off', [
        cast('a.weight', 1),
        cast('a.bias', 1, { shape: [8] }),
        cast('b.weight', 1),
        cast('b.bias', 1)
      ])
    ).toEqual({
      'a.weight': null,
      'a.bias': 'written into the code as numbers',
      'b.weight': null,
      'b.bias': null
    });
    expect(why('cuda-2.15/convcl-off', [cast('c1.bias', 1), cast('fc.weight', 2)])).toMatchObject({
      'c1.bias': 'fused into arithmetic, which takes it as stored'
    });
  });

  it('should take tied and computed weights for what they are', () => {
    const tied = why('cuda-2.15/tied-off', [cast('b.weight', 2, { aliases: ['a.weight'] })]);
    expect(tied['b.weight']).toBeNull();
    const computed = why('cpu-2.15/computed-off', [
      cast('add', 1, { kind: 'computed', computedFrom: ['w', 'B', 'A'] })
    ]);
    expect(computed['A,B,w']).toBeNull();
  });

  it('should find the program by its name, and say so', async () => {
    const program = path.join(folder, 'mlp.pt2');
    fs.copyFileSync(fixture('seed-mlp/model.pt2'), program);
    const file = await archive('mlp.compiled.pt2', { model: 'cpu-2.15/twouse-off' });
    const [model] = (await ask(file)).models;
    expect(model.against).toMatchObject({ file: program, isFoundByName: true, exported: 4 });
    expect(model.findings.map(({ code }) => code)).toContain('compiled-differs');
    expect(packageText(await ask(file))).toContain('mlp.pt2 (found by its name): 4 exported');
    const [named] = (await ask(file, fixture('reused-weights/model.pt2'))).models;
    expect(named.against?.isFoundByName).toBe(false);
    const failure = await failureOf(ask(file, '/none.pt2'));
    expect(failure.code).toBe('file-not-found');
  });
});
