/**
 * What is asked before PyTorch runs a model.
 *
 * @packageDocumentation
 */
import { Dialog, InputDialog, showDialog } from '@jupyterlab/apputils';
import type { ITranslator } from '@jupyterlab/translation';

/** Ask whether PyTorch may load a file, and say what that means. */
export async function askToTrust(file: string, translator: ITranslator): Promise<boolean> {
  const trans = translator.load('castlens');
  const { button } = await showDialog({
    title: trans.__('Trust this file?'),
    body: (
      <div className="castlens-TrustDialog">
        <p>{trans.__('PyTorch loads this file to run it:')}</p>
        <p>
          <code>{file}</code>
        </p>
        <p>
          {trans.__(
            'torch.export.load unpickles objects in it, and a pickle can run any code. castlens itself runs none of it.'
          )}
        </p>
        <p>
          {trans.__(
            'Go on only if you know where the file comes from. The answer holds for the file as it is now: when it changes, you are asked again.'
          )}
        </p>
      </div>
    ),
    buttons: [
      Dialog.cancelButton(),
      Dialog.warnButton({ label: trans.__('Trust and compare'), caption: file })
    ],
    defaultButton: 0
  });
  return button.accept;
}

/** Ask for the path of a Python; null where the user thought better of it, empty for the first one with PyTorch. */
export async function askForPython(
  python: string | null,
  translator: ITranslator
): Promise<string | null> {
  const trans = translator.load('castlens');
  const { button, value } = await InputDialog.getText({
    title: trans.__('Python with PyTorch'),
    label: trans.__(
      'Absolute path on the machine of the kernel; empty for the first Python that has PyTorch'
    ),
    placeholder: trans.__('/path/to/environment/bin/python'),
    text: python ?? ''
  });
  return button.accept ? (value ?? '').trim() : null;
}
