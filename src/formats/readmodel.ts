/**
 * Opens an exported model of any format.
 *
 * @packageDocumentation
 */
import type { IExportedModel } from '../model';
import { CastlensError } from '../model';
import { FileReader } from './filereader';
import { readOnnx } from './onnx/reader';
import { readPt2 } from './pt2/reader';
import { sniff } from './sniff';

/**
 * Read a model: its graph, and where its weights lie.
 *
 * #### Notes
 * The format is told from the content, not from the name. No weight is read: time and memory are in proportion to the graph.
 *
 * @param path - a `.pt2` or `.onnx` file.
 * @param program - which one to read of a `.pt2` archive with several.
 * @throws CastlensError for everything that can be wrong with a file.
 */
export async function readModel(path: string, program?: string): Promise<IExportedModel> {
  const file = FileReader.open(path);
  try {
    switch (sniff(file)) {
      case 'zip':
        return await readPt2(file, program);
      case 'onnx':
        if (program !== undefined) {
          throw new CastlensError('bad-argument', 'an .onnx file holds one model, without a name', {
            file: path,
            expected: 'no name of a program',
            found: `'${program}'`
          });
        }
        return readOnnx(file);
    }
  } finally {
    file.close();
  }
}
