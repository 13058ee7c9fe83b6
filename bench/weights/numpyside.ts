/**
 * The Python process that runs NumPy beside castlens.
 *
 * @packageDocumentation
 */
import type { ChildProcessByStdio } from 'node:child_process';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/** How long something took, in milliseconds. */
export interface ITimes {
  /** As time passed. */
  readonly ms: number;
  /** Of all processors together. */
  readonly cpuMs: number;
}

/** What the process can be asked to do; `bfloat16` takes PyTorch. */
export type NumpyWork = 'stats' | 'read' | 'float16' | 'bfloat16';

/** NumPy in a process of its own, which holds the elements of a file. */
export class NumpySide {
  /** Start it, or null where no Python has NumPy. */
  static async start(file: string): Promise<NumpySide | null> {
    // Next to this file when run from sources by scripts/run-ts.mjs, which starts in the root.
    const script = join(process.cwd(), 'bench/weights/numpy_side.py');
    for (const python of [process.env.PYTHON, '.venv-torch/bin/python', 'python3', 'python']) {
      if (python === undefined || (python.includes('/') && !existsSync(python))) {
        continue;
      }
      const child = spawn(python, [script, file], { stdio: ['pipe', 'pipe', 'ignore'] });
      const side = new NumpySide(child);
      const answer = await side._next();
      if (answer !== null) {
        side.versions = JSON.parse(answer) as NumpySide['versions'];
        return side;
      }
    }
    return null;
  }

  private constructor(private readonly _child: ChildProcessByStdio<Writable, Readable, null>) {
    this._lines = createInterface({ input: _child.stdout })[Symbol.asyncIterator]();
    _child.on('error', () => undefined);
    _child.stdin.on('error', () => undefined);
  }

  versions: { readonly numpy: string; readonly torch: string | null } = { numpy: '', torch: null };

  /** Do something once. */
  async time(work: NumpyWork): Promise<ITimes> {
    this._child.stdin.write(`${work}\n`);
    const answer = await this._next();
    if (answer === null) {
      throw new Error('the Python process has ended');
    }
    return JSON.parse(answer) as ITimes;
  }

  dispose(): void {
    this._child.stdin.end();
  }

  private async _next(): Promise<string | null> {
    const { done, value } = await this._lines.next();
    return done ? null : value;
  }

  private readonly _lines: AsyncIterator<string, undefined>;
}
