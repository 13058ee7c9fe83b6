// Writes the weight-bound model: `npm run example [-- FILE [BATCH]]`. Keeps a file that is there.
import { existsSync } from 'node:fs';

import { WEIGHT_BOUND, writeMlp } from './mlp';

async function main([path = 'examples/large-mlp.pt2', batch]: string[]): Promise<void> {
  if (!existsSync(path)) {
    await writeMlp(path, { ...WEIGHT_BOUND, batch: Number(batch ?? WEIGHT_BOUND.batch) });
  }
}

void main(process.argv.slice(2));
