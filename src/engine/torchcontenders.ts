/**
 * The variants of one comparison that PyTorch runs.
 *
 * @packageDocumentation
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { CastlensError } from '../model';
import type { IVariant, Params } from '../protocol';
import type { IJob } from '../runtime';
import { privateFolder } from '../runtime';
import type { IContender } from './contender';
import type { IBoundInputs } from './inputs';
import type { LoadedModel } from './modelstore';
import type { IStartedWorker, TorchHost } from './torchhost';
import { prepareTorchVariant, refuseTorch } from './torchvariant';

/** Makes PyTorch's variants ready, in one worker, which is started for the first of them. */
export class TorchContenders {
  constructor(
    private readonly _host: TorchHost,
    private readonly _loaded: LoadedModel,
    private readonly _params: Params<'compare'>,
    private readonly _inputs: IBoundInputs,
    private readonly _repair: (path: string, job: IJob) => Promise<void>
  ) {}

  /** @throws CastlensError where PyTorch cannot run the variant, or may not since nobody trusts the file. */
  async prepare(variant: IVariant, job: IJob): Promise<IContender> {
    const { model, update } = this._loaded;
    refuseTorch(model, variant);
    if (update !== null) {
      throw new CastlensError('bad-argument', 'PyTorch runs a program with its own weights', {
        file: model.path,
        hint: 'Export the program with the other weights.'
      });
    }
    if (this._params.trust !== true) {
      throw new CastlensError('untrusted', 'PyTorch may run this file only if you trust it', {
        file: model.path,
        hint:
          'torch.export.load unpickles objects in the file, which can run any code; castlens itself runs none of it. ' +
          'If you trust where the file comes from, ask again with --trust.'
      });
    }
    const path = variant.repaired === true ? await this._repairedPath(job) : model.path;
    this._started ??= await this._host.start(this._params.python, variant.threads, job);
    const source = { path, inputs: this._inputs };
    return prepareTorchVariant(this._started, this._host, this._loaded, variant, source, job);
  }

  /** Remove what was written for the comparison, once no variant is used any more. */
  dispose(): void {
    if (this._repaired !== null) {
      rmSync(this._repaired, { force: true });
    }
  }

  private async _repairedPath(job: IJob): Promise<string> {
    if (this._repaired === null) {
      const path = join(privateFolder(), `repaired-${nextFile++}.pt2`);
      job.progress?.({ text: 'Writing the repaired model' });
      await this._repair(path, job);
      this._repaired = path;
    }
    return this._repaired;
  }

  private _started: IStartedWorker | null = null;
  private _repaired: string | null = null;
}

let nextFile = 1;
