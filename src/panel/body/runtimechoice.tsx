/**
 * Which runtimes are compared, with which Python, and which one the user deploys with.
 *
 * @packageDocumentation
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { HTMLSelect } from '@jupyterlab/ui-components';
import { RUNTIME_LABELS } from '../../protocol';
import type { RuntimeName } from '../../protocol';
import { CommandIDs } from '../commandids';
import type { IPanelState } from '../model';
import { deploymentOf, isOffered, RUNTIME_ORDER } from '../runtimes';
import type { ISectionProps } from './sectionprops';

/** Value of the entry that asks for a path. */
const OTHER = '\0other';

/** Shown for exported programs: other models run in onnxruntime alone. */
export function RuntimeChoice({ state, trans, execute }: ISectionProps) {
  const { info, runtimes } = state;
  if (info?.census.format !== 'pt2') {
    return null;
  }
  const hasTorch = isOffered('aotinductor', state);
  return (
    <div className="castlens-Runtimes">
      <fieldset className="castlens-Runtimes-list">
        <legend>{trans.__('Runtimes')}</legend>
        {RUNTIME_ORDER.map(runtime => (
          <label key={runtime} title={describeRuntime(runtime, trans)}>
            <input
              type="checkbox"
              disabled={!isOffered(runtime, state)}
              checked={runtimes.includes(runtime) && isOffered(runtime, state)}
              onChange={() => execute(CommandIDs.toggleRuntime, { runtime })}
            />
            {RUNTIME_LABELS[runtime]}
          </label>
        ))}
      </fieldset>
      <label className="castlens-Runtimes-select">
        {trans.__('Python')}
        <PythonSelect state={state} trans={trans} execute={execute} />
      </label>
      <label
        className="castlens-Runtimes-select"
        title={trans.__('The recommendation is drawn from what this runtime measures')}
      >
        {trans.__('Deployed with')}
        <HTMLSelect
          value={deploymentOf(state)}
          onChange={event =>
            execute(CommandIDs.setDeployment, { runtime: event.currentTarget.value })
          }
        >
          {RUNTIME_ORDER.map(runtime => (
            <option key={runtime} value={runtime}>
              {RUNTIME_LABELS[runtime]}
            </option>
          ))}
        </HTMLSelect>
      </label>
      {hasTorch || state.pythons === null ? null : (
        <p className="castlens-Runtimes-missing" role="note">
          {missingText(state, trans)}
        </p>
      )}
    </div>
  );
}

function PythonSelect({ state, trans, execute }: ISectionProps) {
  const { pythons, python } = state;
  const withTorch = (pythons ?? []).filter(({ torch }) => torch !== null);
  const isListed = withTorch.some(({ path }) => path === python);
  return (
    <HTMLSelect
      value={python ?? ''}
      title={python ?? withTorch[0]?.path ?? trans.__('No Python with PyTorch was found')}
      onChange={event => {
        const { value } = event.currentTarget;
        execute(CommandIDs.setPython, value === OTHER ? {} : { python: value });
      }}
    >
      <option value="">
        {withTorch.length === 0
          ? pythons === null
            ? trans.__('looking…')
            : trans.__('none found')
          : trans.__('first found: torch %1', withTorch[0].torch ?? '')}
      </option>
      {withTorch.map(({ path, torch, origin }) => (
        <option key={path} value={path}>
          {trans.__('torch %1, %2 (%3)', torch ?? '', path, origin)}
        </option>
      ))}
      {python === null || isListed ? null : <option value={python}>{python}</option>}
      <option value={OTHER}>{trans.__('another one…')}</option>
    </HTMLSelect>
  );
}

function missingText({ pythons }: IPanelState, trans: TranslationBundle): string {
  const looked = (pythons ?? []).map(({ path }) => path).join(', ');
  return trans.__(
    'The runtimes of PyTorch need a Python with PyTorch, and none was found (%1). Install it in an environment (pip install torch), and make that a Jupyter kernel, or choose its Python here.',
    looked === '' ? trans.__('no Python at all') : looked
  );
}

function describeRuntime(runtime: RuntimeName, trans: TranslationBundle): string {
  switch (runtime) {
    case 'onnxruntime':
      return trans.__('castlens’ own: the program lowered to ONNX');
    case 'eager':
      return trans.__('PyTorch runs the exported program operator by operator');
    case 'aotinductor':
      return trans.__('PyTorch compiles the program to a package; takes a C++ compiler, and time');
    case 'compile':
      return trans.__('torch.compile of the exported program; takes a C++ compiler, and time');
  }
}
