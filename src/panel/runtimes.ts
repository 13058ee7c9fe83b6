/**
 * Which runtimes the panel compares, and in which modes.
 *
 * @packageDocumentation
 */
import type {
  IModelInfo,
  IPythonInfo,
  IVariant,
  RuntimeMode,
  RuntimeName,
  TorchRuntime
} from '../protocol';
import { modeOf, RUNTIME_MODES, runtimeOf, RUNTIMES } from '../protocol';
import type { VariantCache } from './variants';
import { isVariantCache, rowVariant, VARIANT_CACHES } from './variants';

/** A row of the comparison: the mode alone for onnxruntime, else the runtime and its mode. */
export type RowId = VariantCache | `${TorchRuntime} ${RuntimeMode}`;

/** The runtimes of PyTorch, which come first where they can be used, then onnxruntime. */
export const RUNTIME_ORDER: readonly RuntimeName[] = [
  ...RUNTIMES.filter(name => name !== 'onnxruntime'),
  'onnxruntime'
];

/** The rows of a runtime. */
export function rowsOf(runtime: RuntimeName): readonly RowId[] {
  return runtime === 'onnxruntime'
    ? VARIANT_CACHES
    : RUNTIME_MODES[runtime].map((mode): RowId => `${runtime} ${mode}`);
}

/** Every row there can be. */
export const ALL_ROWS: readonly RowId[] = RUNTIME_ORDER.flatMap(rowsOf);

/** Whether `value` names a row. */
export function isRowId(value: unknown): value is RowId {
  return ALL_ROWS.some(row => row === value);
}

/** Whether `value` names a runtime. */
export function isRuntime(value: unknown): value is RuntimeName {
  return RUNTIMES.some(runtime => runtime === value);
}

/** What runs a row. */
export function runtimeOfRow(row: RowId): RuntimeName {
  return isVariantCache(row) ? 'onnxruntime' : (row.split(' ')[0] as TorchRuntime);
}

/** The mode of a row. */
export function modeOfRow(row: RowId): RuntimeMode {
  return isVariantCache(row) ? row : (row.split(' ')[1] as RuntimeMode);
}

/** The row of a variant or result. */
export function rowOf(variant: Pick<IVariant, 'cache' | 'runtimeName' | 'repaired'>): RowId {
  const runtime = runtimeOf(variant);
  return runtime === 'onnxruntime' ? variant.cache : `${runtime} ${modeOf(variant)}`;
}

/**
 * The variant of one row: for onnxruntime with the passes, device and overridden regions of `variant`. PyTorch runs the program as
 * recorded.
 */
export function variantOfRow(row: RowId, variant: IVariant): IVariant {
  if (isVariantCache(row)) {
    return rowVariant(row, variant);
  }
  const mode = modeOfRow(row);
  return {
    cache: mode === 'repaired' ? 'off' : mode,
    passes: [],
    device: variant.device,
    runtimeName: runtimeOfRow(row),
    ...(mode === 'repaired' ? { repaired: true } : {})
  };
}

/** What decides which rows there are. */
export interface IRuntimeState {
  readonly info: IModelInfo | null;
  /** Runtimes whose rows are shown. */
  readonly runtimes: readonly RuntimeName[];
  /** Rows that are ticked. */
  readonly selected: readonly RowId[];
  /** The Pythons of the machine; null until they are known. */
  readonly pythons: readonly IPythonInfo[] | null;
  /** The one that was chosen; null for the first with PyTorch. */
  readonly python: string | null;
  /** What the user deploys with; null where it was not said. */
  readonly deployment: RuntimeName | null;
}

/** Whether a runtime can run the model here: PyTorch where there is a Python for it. */
export function isOffered(runtime: RuntimeName, { info, pythons, python }: IRuntimeState): boolean {
  if (runtime === 'onnxruntime') {
    return true;
  }
  return (
    info?.census.format === 'pt2' &&
    (python !== null || pythons?.some(({ torch }) => torch !== null) === true)
  );
}

/** The rows that are shown, those of PyTorch first. */
export function shownRows(state: IRuntimeState): readonly RowId[] {
  const shown = RUNTIME_ORDER.filter(
    runtime => state.runtimes.includes(runtime) && isOffered(runtime, state)
  );
  return shown.flatMap(rowsOf);
}

/** The rows that a comparison runs. */
export function comparedRows(state: IRuntimeState): readonly RowId[] {
  return shownRows(state).filter(row => state.selected.includes(row));
}

/** The state with a runtime's rows shown, all of them ticked where none was, or no longer shown. */
export function toggleRuntime(
  { runtimes, selected }: IRuntimeState,
  runtime: RuntimeName
): Pick<IRuntimeState, 'runtimes' | 'selected'> {
  if (runtimes.includes(runtime)) {
    return { runtimes: runtimes.filter(name => name !== runtime), selected };
  }
  const rows = rowsOf(runtime);
  const isTicked = rows.some(row => selected.includes(row));
  return {
    runtimes: RUNTIME_ORDER.filter(name => name === runtime || runtimes.includes(name)),
    selected: isTicked
      ? selected
      : ALL_ROWS.filter(row => rows.includes(row) || selected.includes(row))
  };
}

/** What the user deploys with: as chosen, else AOTInductor where it is on offer. */
export function deploymentOf(state: IRuntimeState): RuntimeName {
  const { deployment } = state;
  if (
    deployment !== null &&
    (deployment === 'onnxruntime' || state.info?.census.format === 'pt2')
  ) {
    return deployment;
  }
  return isOffered('aotinductor', state) ? 'aotinductor' : 'onnxruntime';
}
