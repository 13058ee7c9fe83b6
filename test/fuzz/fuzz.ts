/**
 * The fuzzer: `npm run fuzz -- --help`. Damages real models and tries everything castlens does with a file.
 *
 * The work is done by a child, which the parent ends where it hangs; the next one goes on behind the case.
 */
import { fork, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { Cases } from './cases';
import type { IFault } from './target';
import { MOST_BYTES, Target } from './target';

const HELP = `npm run fuzz -- [options]
  --seed N      default 0
  --first N     first case, default 0: with --count 1 repeats one case
  --count N     cases in process, default 3000
  --seconds N   ends after this time, default 600
  --run N       cases through "castlens run", each in a process of its own, default 0 (needs npm run build:sidecar)
  --corpus DIR  damages these models too; may be repeated
  --out DIR     keeps the inputs that found a fault, default build/fuzz`;

/** A case may take this long before its process is ended; 5 s are a fault already. */
const HANG_MS = 30_000;

interface IReport {
  readonly index: number;
  readonly faults: readonly IFault[];
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '0' },
      first: { type: 'string', default: '0' },
      count: { type: 'string', default: '3000' },
      seconds: { type: 'string', default: '600' },
      run: { type: 'string', default: '0' },
      corpus: { type: 'string', multiple: true, default: [] },
      out: { type: 'string', default: 'build/fuzz' },
      worker: { type: 'string' },
      help: { type: 'boolean', default: false }
    }
  });
  if (values.help) {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  const folders = ['test/fixtures', 'test/data/pt2', 'test/fuzz/models', ...values.corpus].filter(
    existsSync
  );
  const cases = new Cases(Number(values.seed), folders);
  const [first, end] = [Number(values.first), Number(values.first) + Number(values.count)];
  if (values.worker !== undefined) {
    await work(cases, values.worker, first, end);
    return 0;
  }
  const scratch = mkdtempSync(join(tmpdir(), 'castlens-fuzz-'));
  const found = new Findings(cases, values.seed, values.out);
  const deadline = Date.now() + Number(values.seconds) * 1000;
  let done = 0;
  try {
    for (let next = first; next < end && Date.now() < deadline;) {
      const stop = await superviseFrom(next, end, scratch, deadline, ({ index, faults }) => {
        done++;
        faults.forEach(fault => found.add(index, fault));
      });
      next = stop;
    }
    const runs = runCases(cases, Number(values.run), scratch, deadline, found);
    process.stdout.write(
      `${done} cases in process, ${runs} through run: ${found.count} faults of ${found.kinds} kinds\n`
    );
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return found.count === 0 ? 0 : 1;
}

/** Work off cases in this process, and tell the parent of each. */
async function work(cases: Cases, folder: string, first: number, end: number): Promise<void> {
  const target = new Target(folder);
  for (let index = first; index < end; index++) {
    process.send?.({ begun: index });
    const { bytes, extension } = cases.get(index);
    const faults = await target.try(bytes, extension, index);
    process.send?.({ index, faults });
  }
  process.disconnect?.();
}

/** @returns the case to go on with. */
function superviseFrom(
  first: number,
  end: number,
  scratch: string,
  deadline: number,
  report: (report: IReport) => void
): Promise<number> {
  const folder = join(scratch, 'in-process');
  rmSync(folder, { recursive: true, force: true });
  const temporary = join(scratch, 'temporary');
  mkdirSync(temporary, { recursive: true });
  const given = process.argv.slice(2);
  const child = fork(
    __filename,
    [...given, '--first', String(first), '--count', String(end - first), '--worker', folder],
    {
      execArgv: [`--max-old-space-size=${MOST_BYTES / 2 ** 20}`, '--enable-source-maps'],
      env: { ...process.env, TMPDIR: temporary }
    }
  );
  return new Promise(resolve => {
    let current = first;
    let isBusy = false;
    let timer = setTimeout(() => undefined, 0);
    const watch = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => child.kill('SIGKILL'), HANG_MS);
    };
    child.on('message', (message: { begun: number } | IReport) => {
      watch();
      if ('begun' in message) {
        [current, isBusy] = [message.begun, true];
        if (Date.now() > deadline) {
          isBusy = false;
          child.kill('SIGKILL');
        }
      } else {
        isBusy = false;
        current = message.index + 1;
        report(message);
      }
    });
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      if (isBusy) {
        const detail = signal === 'SIGKILL' ? `over ${HANG_MS} ms` : `ended with ${signal ?? code}`;
        report({ index: current, faults: [{ stage: 'process', kind: detail, detail }] });
        current++;
      }
      const left = readdirSync(temporary);
      if (left.length > 0 && signal !== 'SIGKILL') {
        report({
          index: current - 1,
          faults: [
            { stage: 'files', kind: 'left in the temporary folder', detail: left.join(', ') }
          ]
        });
      }
      resolve(Date.now() > deadline ? end : current);
    });
  });
}

/** Run cases through the command line. @returns how many. */
function runCases(
  cases: Cases,
  count: number,
  scratch: string,
  deadline: number,
  found: Findings
): number {
  const temporary = join(scratch, 'run');
  mkdirSync(temporary, { recursive: true });
  for (let index = 0; index < count; index++) {
    if (Date.now() > deadline) {
      return index;
    }
    const { bytes, extension } = cases.get(index);
    const path = join(scratch, `case.${extension}`);
    writeFileSync(path, bytes);
    const begun = Date.now();
    const result = spawnSync(
      'sh',
      [
        '-c',
        'ulimit -d 4194304; exec "$0" "$@"',
        process.execPath,
        'dist/sidecar/cli.js',
        'run',
        path
      ],
      { encoding: 'utf8', timeout: HANG_MS, env: { ...process.env, TMPDIR: temporary } }
    );
    const add = (kind: string): void =>
      found.add(index, { stage: 'run', kind, detail: result.stderr.slice(-3000) });
    if (result.signal !== null || (result.status ?? 0) > 2) {
      add(`run ended with ${result.signal ?? result.status}`);
    } else if (/failed unexpectedly/.test(result.stderr)) {
      add(/unexpectedly: ([^\n]{0,80})/.exec(result.stderr)![1].replace(/\d+/g, 'N'));
    } else if (result.status !== 0 && !result.stderr.includes(`case.${extension}`)) {
      add('run: no file');
    }
    if (Date.now() - begun > 15_000) {
      // Of the clock, with the start of a process on a busy machine.
      add('slow run');
    }
    const left = readdirSync(temporary);
    if (left.length > 0) {
      found.add(index, { stage: 'run', kind: 'run left files', detail: left.join(', ') });
      left.forEach(name => rmSync(join(temporary, name), { recursive: true }));
    }
    rmSync(path, { force: true });
  }
  return count;
}

/** Faults, the first of each kind with its input. */
class Findings {
  constructor(
    private readonly _cases: Cases,
    private readonly _seed: string,
    private readonly _out: string
  ) {}

  count = 0;

  get kinds(): number {
    return this._kinds.size;
  }

  add(index: number, { stage, kind, detail }: IFault): void {
    this.count++;
    if (this._kinds.has(kind)) {
      return;
    }
    this._kinds.add(kind);
    const { bytes, extension, origin } = this._cases.get(index);
    mkdirSync(this._out, { recursive: true });
    const path = join(this._out, `seed${this._seed}-${index}.${extension}`);
    writeFileSync(path, bytes);
    process.stdout.write(
      `${stage}: ${kind}\n  ${path} (seed ${this._seed}, case ${index}, of ${origin})\n  ${detail.slice(0, 1500)}\n`
    );
  }

  private readonly _kinds = new Set<string>();
}

main().then(
  code => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`${String(error instanceof Error ? error.stack : error)}\n`);
    process.exitCode = 2;
  }
);
