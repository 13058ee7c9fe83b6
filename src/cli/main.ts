/**
 * The `castlens` command.
 *
 * @packageDocumentation
 */
import { EXPLAINED_CODES } from '../engine/findingpages';
import { Engine } from '../engine/service';
import { versions } from '../engine/versions';
import { isCompiledPackage, whenUndone } from '../formats';
import { CastlensError } from '../model';
import type { IJob } from '../runtime';
import { inspectCuda, installCudaProvider, removeCudaProvider } from '../runtime';
import {
  activationParams,
  codeParams,
  compareParams,
  escapeControls,
  escapeLines,
  fixParams,
  overridesOf,
  printable,
  progressText,
  runParams,
  shareOf
} from '../protocol';
import type { ICheckReport } from './check';
import { checkCensus, limitsOf } from './check';
import { completionScript } from './completion';
import type { Invocation, Run } from './options';
import { parseCommandLine, UsageError } from './options';
import type { OutputName } from './outputname';
import { packageText } from './packagetext';
import { schemaName } from './outputname';
import {
  censusText,
  codeText,
  compareText,
  doctorText,
  findingLines,
  fixText,
  runText
} from './text';
import { checkMarkdown, checkText } from './checktext';
import { usage, usageOf } from './usage';

/** Exit status: done, cannot be done, usage, a limit exceeded. */
const enum Exit {
  Done = 0,
  Failed = 1,
  Usage = 2,
  Exceeded = 3
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
      return await runCommand(invocation.run);
    }
    process.stdout.write(textOf(invocation));
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

/** What an invocation that runs nothing shows. */
function textOf(invocation: Exclude<Invocation, { run: unknown }>): string {
  switch (invocation.show) {
    case 'help':
      return invocation.command === null ? usage() : usageOf(invocation.command);
    case 'version':
      return `castlens ${versions().castlens}\n`;
    case 'completion':
      return completionScript(invocation.shell, EXPLAINED_CODES);
  }
}

async function runCommand(run: Run): Promise<Exit> {
  const engine = new Engine();
  try {
    return (await runWith(engine, run)) ?? Exit.Done;
  } finally {
    await engine.dispose();
  }
}

async function runWith(engine: Engine, run: Run): Promise<Exit | void> {
  const { file: path } = run;
  const job = terminalJob();
  const print = <T extends object>(
    output: OutputName,
    result: T,
    text: (result: T) => string
  ): void => {
    const shown = run.options.json
      ? escapeControls(JSON.stringify({ schema: schemaName(output), ...result }))
      : text(printable(result));
    process.stdout.write(`${shown}\n`);
  };
  /** Print what is about a model, with the remarks of the reader about its file. */
  const printOfModel = async <T extends object>(
    output: OutputName,
    program: string | undefined,
    result: T,
    text: (result: T) => string
  ): Promise<void> => {
    const warnings = await engine.warnings({ path, program });
    if (!run.options.json) {
      warnings.forEach(line => say(`warning: ${line}`));
    }
    print(output, warnings.length === 0 ? result : { ...result, warnings }, text);
  };
  switch (run.command) {
    case 'census': {
      const { program, regions, against } = run.options;
      if (await isCompiledPackage(path)) {
        if (regions !== undefined) {
          throw new UsageError('census takes --region only of an exported program');
        }
        const { result } = await engine.handle('package', { path, against, program }, job);
        return print('package', result, packageText);
      }
      if (against !== undefined) {
        throw new UsageError('census takes --against only of a package compiled by AOTInductor');
      }
      const params = {
        path,
        program,
        ...(regions === undefined ? {} : { regions: overridesOf(regions) })
      };
      const { result } = await engine.handle('census', params, job);
      return printOfModel('census', program, result, censusText);
    }
    case 'check': {
      const { program, regions, markdown } = run.options;
      const overrides = regions === undefined ? {} : { regions: overridesOf(regions) };
      const { result } = await engine.handle('census', { path, program, ...overrides }, job);
      const report: ICheckReport = checkCensus(result, limitsOf(run.options));
      await printOfModel('check', program, report, markdown ? checkMarkdown : checkText);
      return report.passed ? Exit.Done : Exit.Exceeded;
    }
    case 'run': {
      const { program, weights, ...options } = run.options;
      const params = { path, program, weights, ...runParams(options) };
      const { result } = await engine.handle('run', params, job);
      return printOfModel('run', program, result, runText);
    }
    case 'compare': {
      const { program, weights, ...options } = run.options;
      const params = { path, program, weights, ...compareParams(options) };
      const { result } = await engine.handle('compare', params, job);
      return printOfModel('compare', program, result, compareText);
    }
    case 'stats':
      return run.options.activations === true
        ? summarizeActivations(run.options)
        : summarizeWeights(run.options);
    case 'fix': {
      const { program, output = '', ...options } = run.options;
      const params = { path, program, output, ...fixParams({ ...options, overwrite: true }) };
      const { result } = await engine.handle('fix', params, job);
      return printOfModel('fix', program, result, fixText);
    }
    case 'code': {
      const { program, output: codeFile, ...options } = run.options;
      const params = { path, program, codeFile, overwrite: true, ...codeParams(options) };
      const { result } = await engine.handle('code', params, job);
      return printOfModel('code', program, result, shown =>
        codeText({ ...shown, code: escapeLines(result.code) })
      );
    }
    case 'explain': {
      const { result } = await engine.handle('explain', { code: path }, job);
      return print('explain', result, () => escapeLines(result.markdown.trimEnd()));
    }
    case 'doctor': {
      const { cudaProvider } = run.options;
      if (cudaProvider === 'install') {
        await interruptible(signal => installCudaProvider(say, undefined, { signal }));
      } else if (cudaProvider === 'remove') {
        removeCudaProvider();
      }
      const { result } = await engine.handle('devices', {}, job);
      const cuda = await inspectCuda();
      const { pythons } = (await engine.handle('pythons', {}, job)).result;
      const report = { versions: versions(), devices: result.devices, cuda, pythons };
      return print('doctor', report, doctorText);
    }
  }

  async function summarizeActivations(stats: StatsOptions): Promise<void> {
    const { program, weights, outputFile, ...options } = stats;
    const params = { path, program, weights, outputFile, ...activationParams(options) };
    const { result, buffers } = await engine.handle('activationStats', params, job);
    const { activationsText, probeCostText, statsRows } = await import('./stats');
    if (outputFile !== undefined) {
      return printOfModel(
        'activation-stats',
        program,
        { ...result, arrow: outputFile },
        ({ rows }) => `${rows} values written to ${outputFile}\n${probeCostText(result)}`
      );
    }
    const report = { ...result, values: statsRows(buffers[0]) };
    return printOfModel('activation-stats', program, report, activationsText);
  }

  async function summarizeWeights(stats: StatsOptions): Promise<void> {
    const { program, weights, outputFile } = stats;
    const params = { path, program, weights, outputFile };
    const { result, buffers } = await engine.handle('weightStats', params, job);
    if (outputFile !== undefined) {
      return printOfModel(
        'weight-stats',
        program,
        { ...result, arrow: outputFile },
        ({ rows, findings }) =>
          [`${rows} weights written to ${outputFile}`, ...findingLines(findings)].join('\n')
      );
    }
    const { statsRows, statsText } = await import('./stats');
    const report = { weights: statsRows(buffers[0]), findings: result.findings };
    return printOfModel('weight-stats', program, report, statsText);
  }
}

/** Options of `stats`. */
type StatsOptions = Extract<Run, { command: 'stats' }>['options'];

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
    progress: progress => {
      const text = escapeControls(progressText(progress));
      const done = shareOf(progress);
      const share = done === null ? '' : ` (${Math.round(done * 100)} %)`;
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
