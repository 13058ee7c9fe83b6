/**
 * The dialogs of Save.
 *
 * @packageDocumentation
 */
import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import { useId, useState } from 'react';
import { formatOverrides } from '../protocol';
import type { MixedWeights, RegionOverrides } from '../protocol';
import { codeName, repairedName, saveNamePattern } from './savename';
import type { ISaveChoice } from './service';

/**
 * Ask what to save, and under which name.
 *
 * @param sourceName - Name of the model's file.
 * @param overrides - Regions that will be written otherwise than recorded.
 * @returns null where the user thought better of it.
 */
export async function askHowToSave(
  sourceName: string,
  overrides: RegionOverrides | undefined,
  translator: ITranslator
): Promise<ISaveChoice | null> {
  const trans = translator.load('castlens');
  const { button, value } = await showDialog({
    title: trans.__('Save repaired model'),
    body: new SaveBody(sourceName, overrides, trans),
    buttons: [Dialog.cancelButton(), Dialog.okButton({ label: trans.__('Save') })],
    focusNodeSelector: '.castlens-SaveDialog-name'
  });
  return button.accept ? value : null;
}

/** Ask whether a file that is there may be replaced. */
export async function askToReplace(file: string, translator: ITranslator): Promise<boolean> {
  const trans = translator.load('castlens');
  const { button } = await showDialog({
    title: trans.__('Replace the file?'),
    body: trans.__('There is a file of this name: %1', file),
    buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: trans.__('Replace') })]
  });
  return button.accept;
}

/** The form. Its value is read when the dialog is accepted, which the name's pattern may forbid. */
class SaveBody extends ReactWidget implements Dialog.IBodyWidget<ISaveChoice> {
  constructor(
    private readonly _sourceName: string,
    private readonly _overrides: RegionOverrides | undefined,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('castlens-SaveDialog');
    this._choice = { name: repairedName(_sourceName), mixed: 'leave', writeCode: false };
  }

  getValue(): ISaveChoice {
    return this._choice;
  }

  protected override render() {
    return (
      <SaveForm
        sourceName={this._sourceName}
        initial={this._choice}
        overrides={this._overrides}
        trans={this._trans}
        onChange={choice => (this._choice = choice)}
      />
    );
  }

  private _choice: ISaveChoice;
}

interface ISaveFormProps {
  readonly sourceName: string;
  readonly initial: ISaveChoice;
  readonly overrides: RegionOverrides | undefined;
  readonly trans: TranslationBundle;
  readonly onChange: (choice: ISaveChoice) => void;
}

function SaveForm({ sourceName, initial, overrides, trans, onChange }: ISaveFormProps) {
  const [choice, setChoice] = useState(initial);
  const id = useId();
  const change = (patch: Partial<ISaveChoice>) => {
    const changed = { ...choice, ...patch };
    setChoice(changed);
    onChange(changed);
  };
  const mixed = (value: MixedWeights, label: string) => (
    <label>
      <input
        type="radio"
        name={`${id}-mixed`}
        checked={choice.mixed === value}
        onChange={() => change({ mixed: value })}
      />
      {label}
    </label>
  );
  return (
    <>
      <label htmlFor={`${id}-name`}>{trans.__('File name, beside the model')}</label>
      <input
        id={`${id}-name`}
        className="jp-mod-styled castlens-SaveDialog-name"
        type="text"
        required
        spellCheck={false}
        pattern={saveNamePattern(sourceName)}
        aria-describedby={`${id}-hint`}
        value={choice.name}
        onChange={event => change({ name: event.target.value })}
      />
      <p id={`${id}-hint`} className="castlens-SaveDialog-hint">
        {trans.__('A plain name with the extension of %1, and not its own name', sourceName)}
      </p>
      <fieldset>
        <legend>{trans.__('Weights used in both precisions')}</legend>
        {mixed('leave', trans.__('Leave them as they are, with their casts'))}
        {mixed('keep-both', trans.__('Keep both copies: no cast, a larger file'))}
      </fieldset>
      <label>
        <input
          type="checkbox"
          checked={choice.foldComputed ?? false}
          onChange={event => change({ foldComputed: event.target.checked })}
        />
        {trans.__('Store computed weights where no bit changes and the file does not grow')}
      </label>
      {overrides === undefined ? (
        <label>
          <input
            type="checkbox"
            disabled={choice.foldComputed ?? false}
            checked={choice.writeCode && !choice.foldComputed}
            onChange={event => change({ writeCode: event.target.checked })}
          />
          {trans.__('Also write the PyTorch code: %1', codeName(choice.name))}
        </label>
      ) : (
        <p className="castlens-SaveDialog-hint">
          {trans.__(
            'Regions are written as they are run: %1. Outputs change: they are no longer those of the model as recorded.',
            formatOverrides(overrides)
          )}
        </p>
      )}
    </>
  );
}
