/** What is tried with a damaged file, in process, and what counts as a fault. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Engine } from '../../src/engine/service';
import { bindInputs } from '../../src/engine/inputs';
import { ModelStore } from '../../src/engine/modelstore';
import { VariantSessions } from '../../src/engine/sessions';
import { prepareVariant } from '../../src/engine/variant';
import { writeOnnx } from '../../src/formats';
import { CastlensError } from '../../src/model';
import type { IVariant } from '../../src/protocol';
import { WeightWorkers } from '../../src/runtime';

export interface IFault {
  readonly stage: string;
  /** Where faults of one kind agree. */
  readonly kind: string;
  readonly detail: string;
}

/** Of processor time: the machine may be busy with other things. */
const MOST_MS = 5000;
export const MOST_BYTES = 1024 ** 3;

const MODES: readonly IVariant['cache'][] = [
  'off',
  'autocast',
  'folded',
  'frozen',
  'float32',
  'onnxruntime'
];

/** Tries files one after the other in a folder of its own. */
export class Target {
  constructor(private readonly _folder: string) {
    mkdirSync(_folder, { recursive: true });
  }

  /** Everything that can be asked of a file without running it. */
  async try(bytes: Uint8Array, extension: string, index: number): Promise<IFault[]> {
    const faults: IFault[] = [];
    const path = join(this._folder, `case${index}.${extension}`);
    const output = join(this._folder, `fixed${index}.${extension}`);
    writeFileSync(path, bytes);
    const cache = MODES[index % MODES.length];
    const variant: IVariant = { cache, passes: [], device: 'cpu' };
    const engine = new Engine();
    const stages: readonly (readonly [string, () => Promise<unknown>])[] = [
      ['open', () => engine.handle('open', { path }, {})],
      ['census', () => engine.handle('census', { path }, {})],
      ['plan', () => engine.handle('plan', { path, variant }, {})],
      ['lower', () => lower(path, variant)],
      [
        'fix',
        () => engine.handle('fix', { path, output, mixed: index % 2 ? 'keep-both' : 'leave' }, {})
      ],
      ['stats', () => engine.handle('weightStats', { path }, {})],
      ['code', () => engine.handle('code', { path }, {})]
    ];
    try {
      for (const [stage, work] of stages) {
        const begun = process.cpuUsage();
        const opened = await this._attempt(stage, path, work, faults);
        const { user, system } = process.cpuUsage(begun);
        const ms = (user + system) / 1000;
        if (ms > MOST_MS) {
          faults.push({ stage, kind: `slow ${stage}`, detail: `${Math.round(ms)} ms` });
        }
        if (stage === 'open' && !opened) {
          break;
        }
      }
    } finally {
      await engine.dispose();
    }
    const left = readdirSync(this._folder).filter(
      name => !name.startsWith('case') && name !== `fixed${index}.${extension}`
    );
    if (left.length > 0) {
      faults.push({ stage: 'files', kind: 'a file is left', detail: left.join(', ') });
    }
    for (const name of readdirSync(this._folder)) {
      rmSync(join(this._folder, name), { recursive: true });
    }
    const bytesHeld = process.memoryUsage().rss;
    if (bytesHeld > MOST_BYTES) {
      faults.push({
        stage: 'memory',
        kind: 'memory',
        detail: `${Math.round(bytesHeld / 2 ** 20)} MiB`
      });
    }
    return faults;
  }

  /** Whether the file could be read. */
  private async _attempt(
    stage: string,
    path: string,
    work: () => Promise<unknown>,
    faults: IFault[]
  ): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (!(error instanceof CastlensError)) {
        const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
        faults.push({ stage, kind: kindOf(detail), detail });
      } else if (!error.message.includes(this._folder)) {
        faults.push({
          stage,
          kind: `no file: ${error.summary.slice(0, 60)}`,
          detail: error.message
        });
      } else if (error.code === 'file-not-found' && error.details.file === path) {
        faults.push({ stage, kind: 'lost', detail: error.message });
      }
      return false;
    }
  }
}

const sessions = new VariantSessions(new WeightWorkers());

/** The graph as the runtime would be given it, and inputs for it. */
async function lower(path: string, variant: IVariant): Promise<void> {
  const loaded = await new ModelStore().load({ path });
  try {
    const converted = await sessions.materialize(prepareVariant(loaded, variant), {});
    try {
      writeOnnx(converted.graph);
    } finally {
      converted.dispose();
    }
    await bindInputs(loaded.model, {});
  } catch (error) {
    // The engine adds the file, here as in a request.
    if (!(error instanceof CastlensError)) {
      throw error;
    }
  }
}

/** The message without what differs from case to case, and the innermost places in castlens. */
function kindOf(stack: string): string {
  const lines = stack.split('\n');
  const places = lines
    .filter(line => /^\s+at /.test(line))
    .slice(0, 3)
    .map(line => /at (?:async )?(\S+)/.exec(line)?.[1] ?? line.trim());
  return `${lines[0].replace(/\d+/g, 'N').slice(0, 80)} < ${places.join(' < ')}`;
}
