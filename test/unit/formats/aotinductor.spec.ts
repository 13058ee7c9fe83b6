import * as path from 'node:path';

import { readModel } from '../../../src/formats';
import { changedCopy, failureOf, fixture, readRecords, temporaryFolder } from './samples';

// What torch 2.13 packages, less the machine code and most of the generated source.
const PACKAGE = path.join(__dirname, '../../data/pt2/aotinductor.pt2');
const folder = temporaryFolder();

describe('packages of AOTInductor', () => {
  it('should be refused with what they contain', async () => {
    const failure = await failureOf(readModel(PACKAGE));
    expect(failure.code).toBe('unsupported-format');
    expect(failure.details.found).toContain("compiled model 'model'");
    expect(failure.details.found).toContain('constants: 3 float32');
    expect(failure.details.found).toContain('use_runtime_constant_folding=False');
    expect(failure.details.found).toContain('AOTI_DEVICE_KEY=cpu');
    expect(failure.details.hint).toContain('torch.export.save');
  });

  it('should be opened where they hold the program too', async () => {
    const compiled = await readRecords(PACKAGE);
    const file = await changedCopy(fixture('seed-mlp/model.pt2'), `${folder}/both.pt2`, records => {
      for (const [name, bytes] of compiled) {
        if (name.startsWith('data/aotinductor/')) {
          records.set(name, bytes);
        }
      }
    });
    const model = await readModel(file);
    expect(model.graph.nodes.length).toBeGreaterThan(0);
    expect(model.warnings.join()).toContain("compiled model 'model'");
  });
});
