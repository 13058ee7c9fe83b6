/**
 * The `castlens` command.
 *
 * @packageDocumentation
 */
import { Engine } from '../engine/service';
import { versions } from '../engine/versions';
import { whenUndone } from '../formats';
import { CastlensError } from '../model';
import type { IJob } from '../runtime';
import { inspectCuda, installCudaProvider, removeCudaProvider } from '../runtime';
import { DEFAULT_RUNS, DEFAULT_WARMUP, escapeControls, escapeLines, printable } from '../protocol';
import type { IOptions } from './options';
import { parseCommandLine, UsageError } from './options';
import {
  censusText,
  codeText,
  compareText,
  doctorText,
  findingLines,
  fixText,
  runText
} from './text';
import { USAGE } from './usage';

/** Exit status: done, cannot be done, usage. */
const enum Exit {
  Done = 0,
  Failed = 1,
  Usage = 2
}

/** One line to whoever runs the command. */
function say(line: string): void {
  process.stderr.write(`castlens: ${escapeControls(line)}\n`);
}

/** Run a command line and say its exit status. */
async function main(argv: readonly string[]): Promise<Exit> {
  try {
    const invocation = parseCommandLine(argv);
    if ('run' in invocation) {
      await runCommand(invocation.run);
    } else {
      const text = invocation.show === 'help' ? USAGE : `castlens ${versions().castlens}\n`;
      process.stdout.write(text);
    }
    return Exit.Done;
  } catch (error) {
    if (error instanceof UsageError) {
      say(error.message);
      process.stderr.write('Try "castlens --help".\n');
      return Exit.Usage;
    }
    if (error instanceof CastlensError) {
      say(error.message);
      return Exit.Failed;
    }
    throw error;
  }
}

async function runCommand(options: IOptions): Promise<void> {
  const engine = new Engine();
  try {
    await runWith(engine, options);
  } finally {
    await engine.dispose();
  }
}

async function runWith(engine: Engine, options: IOptions): Promise<void> {
  const { file: path, program, passes, device, regions, inputs, weightsFrom: weights } = options;
  const job = terminalJob();
  const print = <T>(result: T, text: (result: T) => string): void => {
    const shown = options.json ? escapeControls(JSON.stringify(result)) : text(printable(result));
    process.stdout.write(`${shown}\n`);
  };
  /** Print what is about a model, with the remarks of the reader about its file. */
  const printOfModel = async <T>(result: T, text: (result: T) => string): Promise<void> => {
    const warnings = await engine.warnings({ path, program });
    if (!options.json) {
      warnings.forEach(line => say(`warning: ${line}`));
    }
    print(warnings.length === 0 ? result : { ...result, warnings }, text);
  };
  switch (options.command) {
    case 'census': {
      const { result } = await engine.handle('census', { path, program, regions }, job);
      return printOfModel(result, censusText);
    }
    case 'run': {
      const variant = { cache: options.cache[0], passes, device, regions };
      const params = { path, program, weights, variant, inputs, outputsFile: options.outputs };
      const { result } = await engine.handle('run', params, job);
      return printOfModel(result, runText);
    }
    case 'compare': {
      const variants = options.cache.map(cache => ({ cache, passes, device, regions }));
      const { runs = DEFAULT_RUNS, warmup = DEFAULT_WARMUP } = options;
      const { result } = await engine.handle(
        'compare',
        { path, program, weights, variants, runs, warmup, inputs },
        job
      );
      return printOfModel(result, compareText);
    }
    case 'stats': {
      const { arrow } = options;
      if (options.activations) {
        const { values, modules, reference } = options;
        const variant = { cache: options.cache[0], passes, device, regions };
        const params = {
          path,
          program,
          weights,
          variant,
          inputs,
          values,
          modules,
          reference,
          outputFile: arrow
        };
        const { result, buffers } = await engine.handle('activationStats', params, job);
        const { activationsText, probeCostText, statsRows } = await import('./stats');
        if (arrow !== undefined) {
          return printOfModel(
            { ...result, arrow },
            ({ rows }) => `${rows} values written to ${arrow}\n${probeCostText(result)}`
          );
        }
        return printOfModel({ ...result, values: statsRows(buffers[0]) }, activationsText);
      }
      const params = { path, program, weights, outputFile: arrow };
      const { result, buffers } = await engine.handle('weightStats', params, job);
      if (arrow !== undefined) {
        return printOfModel({ ...result, arrow }, ({ rows, findings }) =>
          [`${rows} weights written to ${arrow}`, ...findingLines(findings)].join('\n')
        );
      }
      const { statsRows, statsText } = await import('./stats');
      const { findings } = result;
      return printOfModel({ weights: statsRows(buffers[0]), findings }, statsText);
    }
    case 'fix': {
      const { output, mixed, types, code: codeFile } = options;
      const params = { path, program, output, mixed, types, regions, codeFile, overwrite: true };
      const { result } = await engine.handle('fix', params, job);
      return printOfModel(result, fixText);
    }
    case 'code': {
      const { mixed, strategies } = options;
      const codeFile = options.output === '' ? undefined : options.output;
      const params = { path, program, mixed, strategies, codeFile, overwrite: true };
      const { result } = await engine.handle('code', params, job);
      return printOfModel(result, shown => codeText({ ...shown, code: escapeLines(result.code) }));
    }
    case 'explain': {
      const { result } = await engine.handle('explain', { code: path }, job);
      return print(result, () => escapeLines(result.markdown.trimEnd()));
    }
    case 'doctor': {
      if (options.cudaProvider === 'install') {
        await interruptible(signal => installCudaProvider(say, undefined, { signal }));
      } else if (options.cudaProvider === 'remove') {
        removeCudaProvider();
      }
      const { result } = await engine.handle('devices', {}, job);
      const cuda = await inspectCuda();
      const report = { versions: versions(), devices: result.devices, cuda };
      return print(report, doctorText);
    }
  }
}

/** What ends a process that does not look at it. */
const ENDINGS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Work that removes what it has begun when the process is told to end, and then lets it end. A second signal ends it at once.
 */
async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let received: NodeJS.Signals | undefined;
  const stop = (signal: NodeJS.Signals): void => {
    received = signal;
    controller.abort();
  };
  ENDINGS.forEach(signal => process.once(signal, stop));
  try {
    return await work(controller.signal);
  } catch (error) {
    if (received !== undefined && error instanceof CastlensError && error.code === 'cancelled') {
      say('cancelled; nothing was installed');
      process.removeListener(received, stop);
      process.kill(process.pid, received);
    }
    throw error;
  } finally {
    ENDINGS.forEach(signal => process.removeListener(signal, stop));
  }
}

/** Progress on stderr where somebody looks at it. */
function terminalJob(): IJob {
  if (!process.stderr.isTTY) {
    return {};
  }
  let shown = '';
  process.on('exit', () => shown && process.stderr.write('\r\x1b[K'));
  return {
    progress: ({ text: raw, fraction }) => {
      const text = escapeControls(raw);
      const share = fraction === undefined ? '' : ` ${Math.round(fraction * 100)} %`;
      if (text + share !== shown) {
        shown = text + share;
        process.stderr.write(`\r\x1b[K${shown}`);
      }
    }
  };
}

whenUndone(() => say('cancelled; nothing was written'));

// Whoever reads may stop reading, as `head` does; a full disk is worth a word.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') {
    say(`standard output cannot be written to: ${error.message}`);
  }
  process.exit(error.code === 'EPIPE' ? Exit.Done : Exit.Failed);
});

main(process.argv.slice(2)).then(
  status => {
    process.exitCode = status;
  },
  (error: unknown) => {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`castlens failed unexpectedly: ${escapeLines(detail)}\n`);
    process.exitCode = Exit.Failed;
  }
);
