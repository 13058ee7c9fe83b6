/**
 * What the NVIDIA driver says about itself and its GPUs.
 *
 * @packageDocumentation
 */
import { execFile } from 'node:child_process';

/** A GPU. Figures that the driver does not give are null. */
export interface IGpu {
  /** Its place by PCI address, which is nvidia-smi's number. */
  readonly index: number;
  readonly name: string;
  /** Such as `GPU-8f1e2b6c-...`. */
  readonly uuid: string | null;
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

/** How long nvidia-smi may take: waking a GPU up takes seconds, and there may be sixteen; a lost one blocks for ever. */
const TIMEOUT_MS = 45_000;

/** Where nvidia-smi lies: on the path, or where container hosts and WSL put it. */
const PROGRAMS = ['nvidia-smi', '/usr/local/nvidia/bin/nvidia-smi', '/usr/lib/wsl/lib/nvidia-smi'];

/** Fields in the order in which they are read. Drivers before 510 do not know the last two. */
const FIELDS = ['index', 'name', 'driver_version', 'memory.total', 'memory.free', 'uuid'];
const NEWER_FIELDS = [...FIELDS, 'compute_cap', 'mig.mode.current'];

/** Ask the driver. */
export async function queryDriver(run: RunSmi = runNvidiaSmi): Promise<DriverState> {
  const query = (fields: readonly string[]): Promise<ISmiOutput> =>
    run([`--query-gpu=${fields.join(',')}`, '--format=csv,noheader,nounits']);
  let answer = await query(NEWER_FIELDS);
  if (answer.failure === 'exit' && /not a valid field/i.test(answer.stdout)) {
    answer = await query(FIELDS);
  }
  // A damaged inforom, for one, makes a failure of an answer that is complete.
  const rows = rowsOf(answer.stdout).filter(
    cells => /^\d+$/.test(cells[0]) && cells.length >= FIELDS.length
  );
  if (rows.length === 0) {
    return answer.failure === null
      ? { kind: 'failed', message: firstLine(answer.stdout) || 'nvidia-smi finds no GPU' }
      : failureOf(answer);
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
 * The GPUs that CUDA sees, in its order, null for an instance of a GPU that is split: those that CUDA_VISIBLE_DEVICES names, by number
 * or by the beginning of a UUID, up to the first that does not exist.
 *
 * @param visible - the variable; all GPUs where it is not set.
 *
 * #### Notes
 * Right where CUDA counts by PCI address (CUDA_DEVICE_ORDER=PCI_BUS_ID), which castlens asks for.
 */
export function visibleGpus(
  gpus: readonly IGpu[],
  visible: string | undefined
): readonly (IGpu | null)[] {
  if (visible === undefined) {
    return gpus;
  }
  const seen: (IGpu | null)[] = [];
  for (const name of visible.split(',').map(text => text.trim())) {
    const gpu = /^\d+$/.test(name)
      ? gpus.find(({ index }) => index === Number(name))
      : name.startsWith('GPU-')
        ? gpus.find(({ uuid }) => uuid?.startsWith(name))
        : name.startsWith('MIG-')
          ? null
          : undefined;
    if (gpu === undefined) {
      break;
    }
    seen.push(gpu);
  }
  return seen;
}

/** Device memory, in bytes over all GPUs; figures that the driver does not give are null. */
export interface IDeviceMemory {
  /**
   * What a process uses, contexts and libraries of CUDA included. The driver does not say inside containers that hide process ids and
   * on GPUs split by MIG, nor before the process uses a device.
   */
  readonly processBytes: number | null;
  /** What all programs together use. */
  readonly usedBytes: number | null;
}

/** The device memory in use, by a process and by all. */
export async function deviceMemory(
  pid: number = process.pid,
  run: RunSmi = runNvidiaSmi
): Promise<IDeviceMemory> {
  const ask = async (query: string): Promise<string[][]> => {
    const { stdout, failure } = await run([query, '--format=csv,noheader,nounits']);
    return failure === null ? rowsOf(stdout) : [];
  };
  const [programs, gpus] = await Promise.all([
    ask('--query-compute-apps=pid,used_memory'),
    ask('--query-gpu=index,memory.used')
  ]);
  const own = programs.filter(([id]) => id === String(pid));
  const all = gpus.filter(([index]) => /^\d+$/.test(index));
  return { processBytes: sumOf(own), usedBytes: sumOf(all) };
}

/** The sizes in the second column together; null without rows, and where a size is missing. */
function sumOf(rows: readonly string[][]): number | null {
  const sizes = rows.map(([, size]) => mebibytes(size));
  return sizes.length === 0 || sizes.includes(null)
    ? null
    : sizes.reduce<number>((total, size) => total + size!, 0);
}

function rowsOf(csv: string): string[][] {
  return csv.split('\n').map(line => line.split(',').map(cell => cell.trim()));
}

function gpuOf([index, name, , total, free, uuid, capability, mig]: readonly string[]): IGpu {
  return {
    index: Number(index),
    name,
    uuid: uuid.startsWith('GPU-') ? uuid : null,
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
async function runNvidiaSmi(args: readonly string[]): Promise<ISmiOutput> {
  let output: ISmiOutput = { stdout: '', failure: 'not-found' };
  for (const program of PROGRAMS) {
    output = await runProgram(program, args);
    if (output.failure !== 'not-found') {
      break;
    }
  }
  return output;
}

function runProgram(program: string, args: readonly string[]): Promise<ISmiOutput> {
  const options = { timeout: TIMEOUT_MS, killSignal: 'SIGKILL' } as const;
  return new Promise<ISmiOutput>(resolve => {
    execFile(program, [...args], options, (error, stdout, stderr) => {
      const code = (error as NodeJS.ErrnoException | null)?.code;
      const failure =
        error === null ? null : code === 'ENOENT' ? 'not-found' : error.killed ? 'timeout' : 'exit';
      const said = [stdout, stderr].filter(Boolean).join('\n');
      resolve({ stdout: error === null ? stdout : said || error.message, failure });
    });
    // Some systems say so at once that a program cannot be started.
  }).catch((error: unknown) => ({ stdout: (error as Error).message, failure: 'exit' }));
}
