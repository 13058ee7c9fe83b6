import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { inspectPython, PythonWorker } from '../../../src/pytorch';

// A Python without PyTorch, and stand-ins for PyTorch that hang, die or print: the real one is used in test/torch.
const PYTHON = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'])
  .toString()
  .trim();

let folder: string;
const pythonPath = process.env.PYTHONPATH;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'worker-'));
});
const started: PythonWorker[] = [];

function startWorker(): PythonWorker {
  const worker = new PythonWorker(PYTHON);
  started.push(worker);
  return worker;
}

afterEach(async () => {
  // One that a failed test leaves would keep the process from ending.
  await Promise.all(started.splice(0).map(worker => worker.dispose()));
  process.env.PYTHONPATH = pythonPath ?? '';
  rmSync(folder, { recursive: true });
});

/** Make `import torch` run this in workers started from now on. */
function stubTorch(source: string): void {
  const stub = join(folder, 'stub');
  mkdirSync(stub);
  writeFileSync(join(stub, 'torch.py'), source);
  process.env.PYTHONPATH = stub;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise(resolve => setTimeout(resolve, 10));
  }
}

function isRunning(pid: number): boolean {
  try {
    // A zombie has ended: whoever adopted it has not asked yet.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

test('a Python without PyTorch says so', async () => {
  stubTorch('raise ImportError("No module named torch")');
  const found = await inspectPython({ path: PYTHON, origin: 'the path' });
  expect(found).toMatchObject({ path: PYTHON, torch: null, devices: [] });
  expect(found.python).toMatch(/^3\.\d+\.\d+$/);
  expect(found.problems[0]).toBe('PyTorch cannot be imported: No module named torch');
});

test('what cannot be started is described', async () => {
  const found = await inspectPython({ path: join(folder, 'none'), origin: '--python' });
  expect(found.problems[0]).toMatch(/^it cannot be started: /);
});

test('an exception is an error of its request, and the worker goes on', async () => {
  stubTorch('raise ImportError("No module named torch")');
  const worker = startWorker();
  await expect(worker.ask('configure', { threads: 1 })).rejects.toMatchObject({
    code: 'runtime',
    summary: 'PyTorch failed: ImportError: No module named torch'
  });
  expect(await worker.ask('describe', {})).toMatchObject({ torch: null });
  await worker.dispose();
  expect(worker.alive).toBe(false);
});

test('what libraries print does not disturb the replies', async () => {
  stubTorch(
    'print("{\\"id\\": 1, \\"result\\": 5}", flush=True)\n__version__ = "1"\nclass version: cuda = None'
  );
  const worker = startWorker();
  expect(await worker.ask('describe', {})).toMatchObject({ torch: '1' });
  await worker.dispose();
});

/** Starts compilers, one in a session of its own as Inductor does, tells of them and blocks. */
const HANGING = (notes: string): string => `
import subprocess, time
children = [subprocess.Popen(["sleep", "1000"]), subprocess.Popen(["sleep", "1000"], start_new_session=True)]
with open(${JSON.stringify(notes)}, "w") as file:
    file.write(" ".join(str(child.pid) for child in children) + ".")
time.sleep(1000)
`;

test('cancelling ends the process with all that it started', async () => {
  const notes = join(folder, 'notes');
  stubTorch(HANGING(notes));
  const worker = startWorker();
  const controller = new AbortController();
  const asked = worker.ask('configure', { threads: 1 }, { signal: controller.signal });
  const refused = expect(asked).rejects.toMatchObject({ code: 'cancelled' });
  await until(() => existsSync(notes) && readFileSync(notes, 'utf8').endsWith('.'));
  const children = readFileSync(notes, 'utf8').slice(0, -1).split(' ').map(Number);
  expect([worker.pid!, ...children].map(isRunning)).toEqual([true, true, true]);
  controller.abort();
  await refused;
  await until(() => ![worker.pid!, ...children].some(isRunning));
  expect(worker.alive).toBe(false);
});

test('a worker that loses its parent ends with all that it started', async () => {
  const notes = join(folder, 'notes');
  stubTorch(HANGING(notes));
  const script = join(folder, 'parent.py');
  const source = join(__dirname, '../../../src/pytorch/worker.py');
  // A parent that is killed: nothing of it can tidy up.
  writeFileSync(
    script,
    `import os, signal, subprocess, sys, time
worker = subprocess.Popen([sys.executable, ${JSON.stringify(source)}], stdin=subprocess.PIPE, start_new_session=True)
worker.stdin.write(b'{"id": 1, "method": "configure", "params": {"threads": 1}}\\n')
worker.stdin.flush()
while not os.path.exists(${JSON.stringify(notes)}) or not open(${JSON.stringify(notes)}).read().endswith("."):
    time.sleep(0.01)
print(worker.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
`
  );
  let output = '';
  try {
    execFileSync(PYTHON, [script], {
      env: process.env,
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 30_000
    });
  } catch (error) {
    output = (error as { stdout: Buffer }).stdout.toString();
  }
  const pids = [
    output
      .split('\n')
      .map(Number)
      .find(pid => pid > 0)!
  ];
  pids.push(...readFileSync(notes, 'utf8').slice(0, -1).split(' ').map(Number));
  await until(() => !pids.some(isRunning));
});

test('the death of a worker is told, with its last words', async () => {
  stubTorch(
    'import os, sys\nprint("no memory left for weights", file=sys.stderr, flush=True)\nos.kill(os.getpid(), 9)'
  );
  const worker = startWorker();
  await expect(worker.ask('configure', { threads: 1 })).rejects.toMatchObject({
    code: 'out-of-memory',
    details: { entry: PYTHON, found: 'no memory left for weights' }
  });
  await expect(worker.ask('configure', {})).rejects.toMatchObject({ code: 'out-of-memory' });
});
