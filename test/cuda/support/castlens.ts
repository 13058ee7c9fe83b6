/** castlens with onnxruntime's CUDA provider, on a machine whose GPU, driver and libraries are made up. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const {
  CASTLENS_CUDA_FOLDER: folder,
  CASTLENS_CUDA_STUB: stub,
  CASTLENS_CUDA_PRESENT: present = ''
} = process.env;

/** How long a command may take: the benchmark makes eight comparisons. */
const TIMEOUT_MS = 150_000;

jest.setTimeout(TIMEOUT_MS + 30_000);

/** `describe`, left out where there is no stub; `npm test -- cuda` says why. */
export const describeWithStub = stub === undefined ? describe.skip : describe;

/**
 * `it` for a machine that lacks what is named, all of CUDA where nothing is. Left out where this machine has it and it cannot be hidden;
 * `npm test -- cuda` says what that is.
 *
 * @param names - `nvidia-smi`, or libraries.
 */
export function itWithout(...names: readonly string[]): jest.It {
  const has = present.split(',').filter(name => name !== '');
  return has.some(name => names.length === 0 || names.includes(name)) ? it.skip : it;
}

/** A model among the fixtures. */
export function fixture(name: string, file = 'model.pt2'): string {
  return join(__dirname, '../../fixtures', name, file);
}

/** What the machine has. */
export interface IMachine {
  /** What nvidia-smi does, as a shell script; none but this machine's where it is null, see `itWithout`. */
  readonly smi?: string | null;
  /** The libraries of CUDA that the loader finds, before those of this machine. */
  readonly libraries?: readonly ('cuda' | 'cudnn')[];
  /** Other variables, see test/cuda/stub/stub.c. */
  readonly env?: Readonly<Record<string, string>>;
}

/** What a command did. */
export interface IOutcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * An nvidia-smi that tells of H100s.
 *
 * @param programs - prints who uses how much memory; nobody where it is left out.
 * @param used - prints how much is used.
 */
export function smiOf(
  gpus: number,
  cudaVersion = '13.0',
  programs = '',
  used = 'echo "0, 480"'
): string {
  const rows = Array.from(
    { length: gpus },
    (_, i) =>
      `${i}, NVIDIA H100 80GB HBM3 ${i}, 580.65.06, 81559, 81079, GPU-${i}0aa, 9.0, Disabled`
  );
  return `case "$1" in
  --query-gpu=index,name*) printf '${rows.map(row => `${row}\\n`).join('')}' ;;
  --query-gpu=index,memory.used) ${used} ;;
  --query-compute-apps=*) ${programs || ':'} ;;
  *) echo "| NVIDIA-SMI 580.65.06   Driver Version: 580.65.06   CUDA Version: ${cudaVersion} |" ;;
esac`;
}

/** A machine, until it is disposed. */
export class Machine {
  constructor({ smi = smiOf(1), libraries = ['cuda', 'cudnn'], env = {} }: IMachine = {}) {
    this._bin = join(this.folder, 'bin');
    mkdirSync(this._bin);
    if (smi !== null) {
      writeFileSync(join(this._bin, 'nvidia-smi'), `#!/bin/sh\n${smi}\n`, { mode: 0o755 });
    }
    const { PATH = '', ...rest } = process.env;
    this.env = {
      ...rest,
      CUDA_VISIBLE_DEVICES: undefined,
      PATH: `${this._bin}${delimiter}${PATH}`,
      // Libraries that are installed beside the loader's folders are looked for from here on.
      HOME: this.folder,
      VIRTUAL_ENV: undefined,
      CONDA_PREFIX: undefined,
      LD_LIBRARY_PATH: libraries.map(name => join(stub ?? '', name)).join(':'),
      ...env
    };
  }

  readonly folder = mkdtempSync(join(tmpdir(), 'castlens-cuda-test-'));
  readonly env: NodeJS.ProcessEnv;

  /** The bundle of a process. */
  static bundle(name: 'cli' | 'engine'): string {
    return join(folder ?? '', `${name}.js`);
  }

  /** Run a command of castlens. */
  castlens(...args: readonly string[]): Promise<IOutcome> {
    return this._run(process.execPath, [Machine.bundle('cli'), ...args]);
  }

  /** Run the benchmark; its files are written to the machine's folder. */
  benchmark(...args: readonly string[]): Promise<IOutcome> {
    return this._run('sh', [join(folder ?? '', 'run.sh'), ...args]);
  }

  private _run(program: string, args: readonly string[]): Promise<IOutcome> {
    return new Promise(resolve => {
      const options = {
        cwd: this.folder,
        env: this.env,
        maxBuffer: 1 << 26,
        timeout: TIMEOUT_MS
      };
      execFile(program, [...args], options, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? NaN), stdout, stderr })
      );
    });
  }

  /** What a command prints as JSON. */
  async json<T>(...args: readonly string[]): Promise<T> {
    const { code, stdout, stderr } = await this.castlens(...args, '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return JSON.parse(stdout) as T;
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private readonly _bin: string;
}

/** Work on a machine that is disposed afterwards. */
export async function withMachine<T>(
  options: IMachine,
  work: (machine: Machine) => Promise<T>
): Promise<T> {
  const machine = new Machine(options);
  try {
    return await work(machine);
  } finally {
    machine.dispose();
  }
}
