/**
 * Packages of compiled models as files: the sources in them, and what lies beside these.
 *
 * Nothing of a package is executed, and nothing but text and sizes is read.
 *
 * @packageDocumentation
 */
import * as fs from 'node:fs';
import * as path from 'node:path';

import { CastlensError } from '../../model';
import { FileReader } from '../filereader';
import { sniff } from '../sniff';
import { openPt2Archive } from './archive';
import { hasProgram } from './programs';

/** One compiled model as it lies in its package. */
export interface ICompiledRecords {
  /** Name of the model: that of its folder. */
  readonly name: string;
  /** The wrapper; the reason why it was not read, where it is too large. */
  readonly wrapper: string;
  readonly kernels: readonly string[];
  /** Entries of the metadata records. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Bytes of the shared library; null where there is none. */
  readonly libraryBytes: number | null;
  /** Bytes of constants that are stored beside the library; null where the library holds them. */
  readonly storedConstantBytes: number | null;
}

/** What lies in a package, by name. */
interface IFiles {
  readonly path: string;
  readonly names: readonly string[];
  sizeOf(name: string): number;
  readText(name: string): Promise<string>;
}

const WRAPPER = /(^|\/)[^/]*wrapper\.cpp$/u;

/** Largest source that is read: a wrapper of some hundred thousand calls. */
const MAX_SOURCE_BYTES = 32 * 1024 ** 2;

/** Most files of an unpacked package, and how deep its folders are looked into. */
const MAX_FILES = 20_000;
const MAX_DEPTH = 6;

/** Whether there is a package at a path: an unpacked one, or an archive that holds no program. Damaged files are none. */
export async function isCompiledPackage(file: string): Promise<boolean> {
  try {
    if (isFolder(file)) {
      return folderFiles(file).names.some(name => WRAPPER.test(name));
    }
    return await withArchive(file, (files, holdsProgram) => !holdsProgram && hasWrapper(files));
  } catch (error) {
    if (error instanceof CastlensError) {
      return false;
    }
    throw error;
  }
}

/**
 * The compiled models of a package.
 *
 * @param file - an archive or a folder.
 * @throws CastlensError where it cannot be read, or holds no sources.
 */
export async function readCompiledPackage(file: string): Promise<readonly ICompiledRecords[]> {
  if (isFolder(file)) {
    return readModels(folderFiles(file));
  }
  return withArchive(file, readModels);
}

async function readModels(files: IFiles): Promise<readonly ICompiledRecords[]> {
  const wrappers = files.names.filter(name => WRAPPER.test(name));
  if (wrappers.length === 0) {
    throw new CastlensError('unsupported-format', 'this holds no model that AOTInductor compiled', {
      file: files.path,
      entry: 'data/aotinductor',
      expected:
        'a generated wrapper (*.wrapper.cpp), as torch._inductor.aoti_compile_and_package writes it',
      found: files.names.length === 0 ? 'nothing' : `${files.names.length} other files`
    });
  }
  const models: ICompiledRecords[] = [];
  for (const wrapper of wrappers) {
    models.push(await readRecords(files, wrapper));
  }
  return models;
}

async function readRecords(files: IFiles, wrapper: string): Promise<ICompiledRecords> {
  const folder = path.posix.dirname(wrapper);
  const beside = files.names.filter(
    name => path.posix.dirname(name) === folder && name !== wrapper
  );
  const read = async (name: string): Promise<string> => {
    const sizeBytes = files.sizeOf(name);
    if (sizeBytes > MAX_SOURCE_BYTES) {
      throw new CastlensError('unsupported-format', 'the generated source is too large', {
        file: files.path,
        entry: name,
        expected: `at most ${MAX_SOURCE_BYTES} bytes`,
        found: `${sizeBytes} bytes`
      });
    }
    return files.readText(name);
  };
  const kernels: string[] = [];
  const metadata: Record<string, string> = {};
  for (const name of beside) {
    if (name.endsWith('kernel.cpp')) {
      kernels.push(await read(name));
    } else if (name.endsWith('_metadata.json')) {
      Object.assign(metadata, textsOf(await read(name)));
    }
  }
  const total = (names: readonly string[]): number | null =>
    names.length === 0 ? null : names.reduce((sum, name) => sum + files.sizeOf(name), 0);
  const stored = beside.filter(name => name.endsWith('.blob'));
  if (
    beside.some(name => name.endsWith('/weights_config.json') || name === 'weights_config.json')
  ) {
    stored.push(...files.names.filter(name => /(^|\/)data\/weights\/[^/]*$/u.test(name)));
  }
  const base = path.posix.basename(folder);
  return {
    name: base === '.' ? path.basename(files.path) : base,
    wrapper: await read(wrapper),
    kernels,
    metadata,
    libraryBytes: total(beside.filter(name => /\.(so|pyd|dll|dylib)$/u.test(name))),
    storedConstantBytes: total(stored)
  };
}

/** Texts of a flat JSON object, the empty ones left out; empty where the record is none. */
function textsOf(record: string): Record<string, string> {
  try {
    const parsed = JSON.parse(record) as unknown;
    return typeof parsed === 'object' && parsed !== null
      ? Object.fromEntries(
          Object.entries(parsed).filter(
            (entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1] !== ''
          )
        )
      : {};
  } catch {
    return {};
  }
}

function hasWrapper({ names }: IFiles): boolean {
  return names.some(name => WRAPPER.test(name));
}

async function withArchive<T>(
  file: string,
  work: (files: IFiles, holdsProgram: boolean) => T | Promise<T>
): Promise<T> {
  const reader = FileReader.open(file);
  try {
    if (sniff(reader) !== 'zip') {
      throw new CastlensError('unsupported-format', 'this is no package of AOTInductor', {
        file,
        expected: 'a zip archive, or a folder with what it holds'
      });
    }
    const archive = await openPt2Archive(reader);
    return await work(
      {
        path: reader.path,
        names: archive.names,
        sizeOf: name => archive.sizeOf(name),
        readText: name => archive.readText(name)
      },
      hasProgram(archive)
    );
  } finally {
    reader.close();
  }
}

/** Files of a folder; links are not followed. */
function folderFiles(root: string): IFiles {
  const sizes = new Map<string, number>();
  let seen = 0;
  const visit = (folder: string, prefix: string, depth: number): void => {
    for (const entry of entriesOf(folder)) {
      const name = `${prefix}${entry.name}`;
      if (entry.isDirectory() && depth < MAX_DEPTH) {
        visit(path.join(folder, entry.name), `${name}/`, depth + 1);
      } else if (entry.isFile()) {
        sizes.set(name, sizeOf(path.join(folder, entry.name)));
      }
      if (++seen > MAX_FILES) {
        throw new CastlensError('unsupported-format', 'the folder holds too many files', {
          file: root,
          expected: `at most ${MAX_FILES}`,
          found: 'more',
          hint: 'Name the folder of the package itself.'
        });
      }
    }
  };
  visit(root, '', 0);
  return {
    path: path.resolve(root),
    names: [...sizes.keys()].sort(),
    sizeOf: name => sizes.get(name) ?? 0,
    readText: async name => {
      const reader = FileReader.open(path.join(root, name));
      try {
        return new TextDecoder().decode(reader.read(0, reader.sizeBytes, name));
      } finally {
        reader.close();
      }
    }
  };
}

/** What is in a folder; nothing where it cannot be read. */
function entriesOf(folder: string): fs.Dirent[] {
  try {
    return fs.readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** Bytes of a file; 0 where it is gone. */
function sizeOf(file: string): number {
  return fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

function isFolder(file: string): boolean {
  try {
    return fs.statSync(file).isDirectory();
  } catch {
    return false;
  }
}
