/**
 * What the NVIDIA driver says about itself and its GPUs.
 *
 * @packageDocumentation
 */
import { execFile } from 'node:child_process';

/** A GPU. Figures that the driver does not give are null. */
export interface IGpu {
  readonly index: number;
  readonly name: string;
  /** Such as `9.0`. */
  readonly computeCapability: string | null;
  readonly totalBytes: number | null;
  readonly freeBytes: number | null;
  /** Whether the GPU is split into instances, null where it cannot be. CUDA then sees one instance per process. */
  readonly mig: boolean | null;
}

/** The driver. */
export type DriverState =
  | {
      readonly kind: 'present';
      readonly driverVersion: string;
      /** Newest CUDA that the driver can run, such as `13.0`; null where it does not say. */
      readonly cudaVersion: string | null;
      readonly gpus: readonly IGpu[];
    }
  | {
      /** `missing`: no nvidia-smi. `failed`: it reports an error. `hung`: it does not answer. */
      readonly kind: 'missing' | 'failed' | 'hung';
      /** For the reader. */
      readonly message: string;
    };

/** What became of a run of nvidia-smi. */
export interface ISmiOutput {
  readonly stdout: string;
  /** Null where it ended with exit code 0. */
  readonly failure: 'not-found' | 'timeout' | 'exit' | null;
}

/** Runs nvidia-smi with arguments; never rejects. */
export type RunSmi = (args: readonly string[]) => Promise<ISmiOutput>;

/** How long nvidia-smi may take: waking a GPU up takes seconds, a lost one blocks for ever. */
const TIMEOUT_MS = 10_000;

/** Fields in the order in which they are read. Drivers before 510 do not know the last two. */
const FIELDS = ['index', 'name', 'driver_version', 'memory.total', 'memory.free'];
const NEWER_FIELDS = [...FIELDS, 'compute_cap', 'mig.mode.current'];

/** Ask the driver. */
export async function queryDriver(run: RunSmi = runNvidiaSmi): Promise<DriverState> {
  const query = (fields: readonly string[]): Promise<ISmiOutput> =>
    run([`--query-gpu=${fields.join(',')}`, '--format=csv,noheader,nounits']);
  let answer = await query(NEWER_FIELDS);
  if (answer.failure === 'exit' && /not a valid field/i.test(answer.stdout)) {
    answer = await query(FIELDS);
  }
  if (answer.failure !== null) {
    return failureOf(answer);
  }
  const rows = answer.stdout
    .split('\n')
    .map(line => line.split(',').map(cell => cell.trim()))
    .filter(cells => /^\d+$/.test(cells[0]) && cells.length >= FIELDS.length);
  if (rows.length === 0) {
    return { kind: 'failed', message: firstLine(answer.stdout) || 'nvidia-smi finds no GPU' };
  }
  const overview = await run([]);
  return {
    kind: 'present',
    driverVersion: rows[0][2],
    cudaVersion: /CUDA (?:\w+ )?Version:\s*(\d+\.\d+)/.exec(overview.stdout)?.[1] ?? null,
    gpus: rows.map(gpuOf)
  };
}

/**
 * Device memory in use by a process, in bytes, over all GPUs, as the driver counts it: contexts and libraries of CUDA included. Null
 * where the driver does not say, as inside containers that hide process ids and on GPUs split by MIG.
 */
export async function processDeviceBytes(
  pid: number = process.pid,
  run: RunSmi = runNvidiaSmi
): Promise<number | null> {
  const args = ['--query-compute-apps=pid,used_memory', '--format=csv,noheader,nounits'];
  const { stdout, failure } = await run(args);
  if (failure !== null) {
    return null;
  }
  const sizes = stdout
    .split('\n')
    .map(line => line.split(',').map(cell => cell.trim()))
    .filter(([id]) => id === String(pid))
    .map(([, size]) => mebibytes(size));
  return sizes.length === 0 || sizes.includes(null)
    ? null
    : sizes.reduce<number>((total, size) => total + size!, 0);
}

function gpuOf([index, name, , total, free, capability, mig]: readonly string[]): IGpu {
  return {
    index: Number(index),
    name,
    computeCapability: /^\d+\.\d+$/.test(capability ?? '') ? capability : null,
    totalBytes: mebibytes(total),
    freeBytes: mebibytes(free),
    mig: mig === 'Enabled' ? true : mig === 'Disabled' ? false : null
  };
}

/** `[N/A]` and the like are null. */
function mebibytes(text: string | undefined): number | null {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) * 2 ** 20 : null;
}

function failureOf({ stdout, failure }: ISmiOutput): DriverState {
  switch (failure) {
    case 'not-found':
      return {
        kind: 'missing',
        message: 'No NVIDIA driver answers on this machine (nvidia-smi is not installed)'
      };
    case 'timeout':
      return {
        kind: 'hung',
        message: `nvidia-smi did not answer within ${TIMEOUT_MS / 1000} s: a GPU is lost or the driver is stuck; restart the machine`
      };
    default:
      break;
  }
  const said = firstLine(stdout) || 'nvidia-smi failed without a word';
  const remedy = /version mismatch/i.test(stdout)
    ? ': the driver was updated while it was loaded; restart the machine'
    : /couldn't communicate/i.test(stdout)
      ? ': the kernel module of the driver is not loaded; install the driver again or restart the machine'
      : '';
  return { kind: 'failed', message: `${said.replace(/\.$/, '')}${remedy}` };
}

function firstLine(text: string): string {
  return (
    text
      .split('\n')
      .map(line => line.trim())
      .find(line => line !== '') ?? ''
  );
}

/** Standard output and error as one text: nvidia-smi writes its errors to either. */
function runNvidiaSmi(args: readonly string[]): Promise<ISmiOutput> {
  const options = { timeout: TIMEOUT_MS, killSignal: 'SIGKILL' } as const;
  return new Promise(resolve => {
    execFile('nvidia-smi', [...args], options, (error, stdout, stderr) => {
      const code = (error as NodeJS.ErrnoException | null)?.code;
      const failure =
        error === null ? null : code === 'ENOENT' ? 'not-found' : error.killed ? 'timeout' : 'exit';
      resolve({ stdout: error === null ? stdout : `${stdout}\n${stderr}`, failure });
    });
  });
}
