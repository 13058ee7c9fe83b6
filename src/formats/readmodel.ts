/**
 * Opens an exported model of any format.
 *
 * @packageDocumentation
 */
import type { IExportedModel } from '../model';
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
 * @throws CastlensError for everything that can be wrong with a file.
 */
export async function readModel(path: string): Promise<IExportedModel> {
  const file = FileReader.open(path);
  try {
    switch (sniff(file)) {
      case 'zip':
        return await readPt2(file);
      case 'onnx':
        return readOnnx(file);
    }
  } finally {
    file.close();
  }
}
