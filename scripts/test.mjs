// npm test: installs what is missing, builds, runs the suites and counts. `npm test -- unit protocol` runs only those;
// arguments after another `--` go to the runner of the suite: `npm test -- unit -- --watch`.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { basename, join } from 'node:path';
import { ensureBrowser } from './browser.mjs';
import { prepareCuda } from './cudatest.mjs';
import { ensureBuilt, ensureNodeModules, requireNode } from './prepare.mjs';
import { Failure, run, say } from './process.mjs';
import { ensureVenv, hasVenv, installExtension, jupyterVariables, venvProgram } from './python.mjs';
import { root } from './sidecar.mjs';

const torchTimeLimitMs = 15 * 60_000;
/** The versions of PyTorch that the suite runs with, each in an environment of its own. */
const torchVersions = [
  { version: '2.13.0', venv: '.venv-torch', requirements: 'torch.txt' },
  { version: '2.15.0', venv: '.venv-torch-2.15', requirements: 'torch-2.15.txt' }
];
const reports = join(root, 'test-results', 'reports');

/**
 * What a suite found. `reason` tells why it is not only the counts that matter: it could not run, or had nothing to run, which is no
 * failure where `isSkipped`.
 *
 * @typedef {{ passed: number, failed: number, skipped: number, reason?: string, isSkipped?: boolean }} Counts
 */

/** The suites in the order in which they run; `torch` installs PyTorch only when it is named. */
const suites = {
  lint: () => runCheck(['node_modules/eslint/bin/eslint.js', '--cache', '.'], prettierCheck),
  typecheck: () => runCheck(...typecheckProjects),
  unit: args => runJest('unit', args),
  protocol: async args =>
    add(await runJest('protocol', ['--runInBand', ...args]), await runPytest('protocol')),
  cuda: runCuda,
  packaging: args => runPytest('packaging', args),
  browser: runPlaywright,
  torch: runTorch
};

const prettierCheck = [
  'node_modules/prettier/bin/prettier.cjs',
  '--check',
  '--log-level',
  'warn',
  '.'
];
const typecheckProjects = ['pure', 'panel', 'node', 'test'].map(project => [
  'node_modules/typescript/bin/tsc',
  '--noEmit',
  '-p',
  `tsconfig.${project}.json`
]);

function add(a, b) {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
    reason: [a.reason, b.reason].filter(Boolean).join('; ') || undefined
  };
}

const nothing = { passed: 0, failed: 0, skipped: 0 };

/** Runs programs of node_modules that answer with their exit code; each counts as one test. */
async function runCheck(...commands) {
  let counts = nothing;
  for (const command of commands) {
    const code = await run(process.execPath, command);
    counts = add(counts, code === 0 ? { ...nothing, passed: 1 } : { ...nothing, failed: 1 });
  }
  return counts;
}

/** The counts of a report, corrected for what only the exit code tells. */
function countReport(file, code, read) {
  if (!existsSync(file)) {
    return { ...nothing, failed: 1, reason: `no report was written (exit code ${code})` };
  }
  const counts = read(readFileSync(file, 'utf8'));
  return code !== 0 && counts.failed === 0
    ? { ...counts, failed: 1, reason: `the runner ended with exit code ${code}` }
    : counts;
}

async function runJest(project, args, env = process.env) {
  const file = join(reports, `${project}.json`);
  const code = await run(
    process.execPath,
    [
      'node_modules/jest/bin/jest.js',
      '--selectProjects',
      project,
      '--json',
      `--outputFile=${file}`,
      ...args
    ],
    { env }
  );
  return countReport(file, code, text => {
    const report = JSON.parse(text);
    return {
      passed: report.numPassedTests,
      failed: report.numFailedTests + report.numRuntimeErrorTestSuites,
      skipped: report.numPendingTests + report.numTodoTests
    };
  });
}

/** What can be checked of CUDA without a device; says so where a part has to be left out. */
async function runCuda(args) {
  const { env, reasons } = await prepareCuda();
  const counts = env === null ? nothing : await runJest('cuda', ['--runInBand', ...args], env);
  if (reasons.length === 0) {
    return counts;
  }
  const isSkipped = counts.passed + counts.failed === 0;
  const why = `${isSkipped ? '' : 'in part '}skipped, ${reasons.join('; ')}`;
  return { ...add(counts, { ...nothing, reason: why }), isSkipped };
}

/** Runs the Python tests of a folder of test/; no counts where the folder has none. */
async function runPytest(folder, args = [], venvName = '.venv', variables = {}) {
  if (!hasPythonTests(folder)) {
    return nothing;
  }
  const venv =
    venvName === '.venv' ? await ensureVenv(venvName, ['test.txt']) : join(root, venvName);
  if (venvName === '.venv') {
    installExtension(venv);
  }
  const file = join(reports, `${folder}-pytest.xml`);
  const code = await run(
    venvProgram(venv, 'python'),
    [
      '-m',
      'pytest',
      '-q',
      '-o',
      'junit_family=xunit2',
      `--junitxml=${file}`,
      `test/${folder}`,
      ...args
    ],
    { env: { ...testEnvironment(venv), ...variables } }
  );
  return countReport(file, code, text => {
    // The root holds one testsuite element whose attributes are the totals.
    const total = name =>
      Number(new RegExp(`<testsuite [^>]*\\b${name}="(\\d+)"`).exec(text)?.[1] ?? 0);
    const failed = total('failures') + total('errors');
    const skipped = total('skipped');
    return { passed: total('tests') - failed - skipped, failed, skipped };
  });
}

function hasPythonTests(folder) {
  const path = join(root, 'test', folder);
  return (
    existsSync(path) &&
    readdirSync(path, { recursive: true, encoding: 'utf8' }).some(name =>
      /^test_.*\.py$/.test(basename(name))
    )
  );
}

/** The environment's Jupyter with a home of its own, empty at the start of every suite. */
function testEnvironment(venv) {
  const home = join(root, 'test-results', 'home');
  rmSync(home, { recursive: true, force: true });
  return jupyterVariables(venv, home);
}

async function runPlaywright(args) {
  const venv = await ensureVenv('.venv', ['test.txt']);
  installExtension(venv);
  const browser = await ensureBrowser();
  const file = join(reports, 'browser.json');
  const code = await run(
    process.execPath,
    ['node_modules/@playwright/test/cli.js', 'test', '-c', 'test/browser', ...args],
    {
      env: {
        ...testEnvironment(venv),
        ...(browser && { CHROMIUM_PATH: browser }),
        PLAYWRIGHT_JSON_OUTPUT_FILE: file
      }
    }
  );
  return countReport(file, code, text => {
    const { stats, errors } = JSON.parse(text);
    return {
      passed: stats.expected + stats.flaky,
      failed: stats.unexpected || errors.length,
      skipped: stats.skipped,
      reason: stats.flaky ? `${stats.flaky} passed only when repeated` : undefined
    };
  });
}

/** What a process of the suite takes, with castlens, PyTorch and a compiler. */
const torchWorkerBytes = 2 * 2 ** 30;
/** As many processes as there are processors and room for, each with one thread: PyTorch's own threads gain nothing on models this small. */
const torchWorkerCount = Math.min(
  availableParallelism(),
  Math.max(1, Math.floor(totalmem() / torchWorkerBytes)),
  16
);
const torchWorkers = ['-n', String(torchWorkerCount), '--dist', 'worksteal'];

/** All versions of PyTorch where the suite is named; else the newest that is installed. */
async function runTorch(args, isNamed) {
  if (!hasPythonTests('torch')) {
    return { ...nothing, reason: 'skipped, test/torch has no tests', isSkipped: true };
  }
  const installed = torchVersions.findLast(one => hasVenv(one.venv, [one.requirements]));
  if (!isNamed && installed === undefined) {
    const reason = 'skipped, PyTorch is not installed: npm run test:torch installs it';
    return { ...nothing, reason, isSkipped: true };
  }
  let total = nothing;
  for (const { version, venv, requirements } of isNamed ? torchVersions : [installed]) {
    try {
      await ensureVenv(venv, [requirements], { timeoutMs: torchTimeLimitMs });
    } catch (error) {
      const reason = `skipped, PyTorch ${version} could not be installed: ${error.message}`;
      total = add(total, { ...nothing, reason });
      continue;
    }
    const counts = await runPytest('torch', [...torchWorkers, ...args], venv, {
      OMP_NUM_THREADS: '1'
    });
    say(`torch ${version}: ${describe(counts)}`);
    total = add(total, counts);
  }
  return { ...total, isSkipped: total.reason !== undefined };
}

function describe({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`;
}

/** The suites to run and the arguments for their runners. */
function parseArguments(argv) {
  const split = argv.indexOf('--');
  const names = split < 0 ? argv : argv.slice(0, split);
  const unknown = names.filter(name => !Object.hasOwn(suites, name));
  if (unknown.length > 0) {
    throw new Failure(
      `there is no suite ${unknown.join(', ')}; the suites are ${Object.keys(suites).join(', ')}`
    );
  }
  const selected = Object.keys(suites).filter(name => names.length === 0 || names.includes(name));
  return { selected, named: new Set(names), args: split < 0 ? [] : argv.slice(split + 1) };
}

async function runSuites(selected, named, args) {
  let total = nothing;
  const lines = [];
  for (const name of selected) {
    say(`running ${name}`);
    const start = performance.now();
    let counts;
    try {
      counts = await suites[name](args, named.has(name));
    } catch (error) {
      if (!(error instanceof Failure)) {
        throw error;
      }
      counts = { ...nothing, failed: 1, reason: error.message };
    }
    if (counts.passed + counts.failed === 0 && !counts.isSkipped) {
      counts = { ...counts, failed: 1, reason: 'the suite ran no tests' };
    }
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    const line = `${name}: ${describe(counts)} in ${seconds} s${counts.reason ? ` (${counts.reason})` : ''}`;
    say(line);
    lines.push(line);
    total = add(total, counts);
  }
  return { total, lines };
}

async function main() {
  const { selected, named, args } = parseArguments(process.argv.slice(2));
  rmSync(reports, { recursive: true, force: true });
  mkdirSync(reports, { recursive: true });

  let total;
  let lines = [];
  try {
    requireNode();
    await ensureNodeModules();
    await ensureBuilt();
    ({ total, lines } = await runSuites(selected, named, args));
  } catch (error) {
    if (!(error instanceof Failure)) {
      throw error;
    }
    say(error.message);
    total = { ...nothing, failed: 1 };
  }

  writeFileSync(join(reports, 'total.json'), JSON.stringify(total));
  console.log(['', ...lines, describe(total)].join('\n'));
  process.exitCode = total.failed > 0 ? 1 : 0;
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Failure ? `castlens: ${error.message}` : error);
  process.exitCode = 2;
}
