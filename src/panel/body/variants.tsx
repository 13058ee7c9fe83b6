/**
 * The variants: what is planned for each, and what was measured.
 *
 * @packageDocumentation
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { RUNTIME_LABELS, runtimeOf } from '../../protocol';
import type { ICompareResult, IVariant } from '../../protocol';
import { formatCount } from '../format';
import { rowOf, runtimeOfRow, shownRows, variantOfRow } from '../runtimes';
import { isCacheMode, plannedCasts, rowVariant, variantKey } from '../variants';
import { listVariant } from '../words';
import type { ISectionProps } from './sectionprops';
import { Chart } from './chart';
import { Recommendation } from './recommendation';
import { RuntimeChoice } from './runtimechoice';
import { Section } from './section';
import { Table } from './table';
import type { IVariantRow } from './variantcolumns';
import { variantColumns } from './variantcolumns';

/** Which runtimes to compare; recommendation, chart and table of the last comparison; before it, the table of what is planned. */
export function Variants({ state, trans, execute }: ISectionProps) {
  const { info, compare, variant, selected, plans } = state;
  if (info === null) {
    return null;
  }
  const rows = shownRows(state).map((id): IVariantRow => {
    const row = variantOfRow(id, variant);
    const failed = compare?.failed.find(one => rowOf(one.variant) === id);
    return {
      id,
      selected: selected.includes(id),
      planned: runtimeOfRow(id) === 'onnxruntime' ? plannedCasts(info, plans, row) : null,
      result: compare?.variants.find(result => rowOf(result) === id) ?? null,
      failure: failed?.message ?? null
    };
  });
  return (
    <Section
      name="variants"
      title={trans.__('Variants')}
      about={
        compare
          ? trans.__('executed: %1', executedBy(compare))
          : trans.__('planned; Compare runs the ticked ones')
      }
    >
      <RuntimeChoice state={state} trans={trans} execute={execute} />
      <Recommendation state={state} trans={trans} execute={execute} />
      {compare && compare.variants.length > 0 ? <Chart compare={compare} trans={trans} /> : null}
      <Table
        label={trans.__('Variants')}
        trans={trans}
        rows={rows}
        rowKey={row => row.id}
        isCurrent={row => row.id === variant.cache}
        columns={variantColumns(trans, execute, rows, compare)}
      />
      {compare ? <Caption compare={compare} variant={variant} trans={trans} /> : null}
    </Section>
  );
}

/** What ran: in words of the one runtime, else the names of them. */
function executedBy({ variants, runtime }: ICompareResult): string {
  const names = [...new Set(variants.map(runtimeOf))];
  return names.length <= 1 && names[0] === 'onnxruntime'
    ? runtime
    : names.map(name => RUNTIME_LABELS[name]).join(', ');
}

function Caption({
  compare,
  variant,
  trans
}: {
  compare: ICompareResult;
  variant: IVariant;
  trans: TranslationBundle;
}) {
  const measured = compare.variants.find(
    result => isCacheMode(result.cache) && runtimeOf(result) === 'onnxruntime'
  );
  const ofTorch = compare.variants.filter(result => runtimeOf(result) !== 'onnxruntime');
  const same =
    measured === undefined ||
    variantKey(measured) === variantKey(rowVariant(measured.cache, variant));
  return (
    <>
      {compare.failed.map(failed => (
        <p key={variantKey(failed.variant)} className="castlens-Variants-failure">
          {trans.__('%1 could not be run: %2', rowOf(failed.variant), failed.message)}
        </p>
      ))}
      {ofTorch.length > 0 ? (
        <ul className="castlens-Variants-runtimes">
          {[...new Set(ofTorch.map(({ runtime }) => runtime))].map(text => (
            <li key={text}>{text}</li>
          ))}
        </ul>
      ) : null}
      {same ? null : (
        <p className="castlens-Variants-stale" role="note">
          {trans.__(
            'Measured with %1. Compare again to measure with %2.',
            listVariant(measured, trans),
            listVariant(variant, trans)
          )}
        </p>
      )}
      <p className="castlens-Caption">
        {trans.__(
          '%1 forwards each, interleaved, after %2 to warm up; inputs: %3; %4.',
          formatCount(compare.runs),
          formatCount(compare.warmup),
          compare.inputs,
          compare.machine
        )}{' '}
        {trans.__('Dot: median. Bar: first to third quartile. Ratio: to off, below 1 is faster.')}
      </p>
    </>
  );
}
