/**
 * A model's file as it is, under another name.
 *
 * @packageDocumentation
 */
import type { IByteTransfer } from '../formats';
import { writeFileAtomically } from '../formats';
import type { IExportedModel } from '../model';

/** Copy the one file of a model. */
export async function copyFile(
  { path, files }: IExportedModel,
  target: string,
  transfer: IByteTransfer
): Promise<void> {
  const range = { file: path, offset: 0, length: files[0].sizeBytes };
  await writeFileAtomically(target, async sink => {
    for await (const piece of transfer.copy(range)) {
      await sink.write(piece);
    }
  });
}
