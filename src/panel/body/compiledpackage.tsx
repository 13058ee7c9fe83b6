/**
 * A package compiled by AOTInductor: how it was built, the weight casts that its code executes, what is in it.
 *
 * @packageDocumentation
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import type {
  ICompiledCast,
  ICompiledConstantInfo,
  ICompiledKernel,
  ICompiledModelInfo,
  IComparedCast
} from '../../protocol';
import { formatBytes, formatSizes } from '../../protocol';
import { formatCount, NO_FIGURE } from '../format';
import { FindingList } from './findings';
import type { ISectionProps } from './sectionprops';
import { Section } from './section';
import { Table } from './table';

/** Every model of the package. */
export function CompiledPackage(props: ISectionProps) {
  return (
    <>
      {props.state.compiled?.models.map(model => (
        <CompiledModel key={model.name} model={model} {...props} />
      ))}
    </>
  );
}

function CompiledModel({ model, ...props }: ISectionProps & { model: ICompiledModelInfo }) {
  const { trans } = props;
  const { against, findings, notCounted } = model;
  return (
    <>
      <Head model={model} trans={trans} />
      {findings.length > 0 ? (
        <Section name="findings" title={trans.__('Findings')} about={formatCount(findings.length)}>
          <FindingList findings={findings} warnings={[]} {...props} />
        </Section>
      ) : null}
      <Casts model={model} trans={trans} />
      {against === undefined ? null : (
        <Section
          name="against"
          title={trans.__('Exported against compiled')}
          about={
            against.isFoundByName ? trans.__('%1, found by its name', against.file) : against.file
          }
        >
          <Compared casts={against.casts} trans={trans} />
        </Section>
      )}
      {notCounted.length === 0 ? null : (
        <Section
          name="notcounted"
          title={trans.__('Not counted')}
          about={trans.__('what could not be followed')}
        >
          <Table
            label={trans.__('Not counted')}
            trans={trans}
            rows={notCounted}
            rowKey={row => `${row.what} ${row.why}`}
            columns={[
              {
                name: 'what',
                label: trans.__('What'),
                header: true,
                cell: row => <code>{row.what}</code>
              },
              { name: 'why', label: trans.__('Why'), cell: row => row.why },
              { name: 'weights', label: trans.__('Weights'), cell: row => row.weights.join(', ') }
            ]}
          />
        </Section>
      )}
      <Kernels kernels={model.kernels} trans={trans} />
      <Constants constants={model.constants} trans={trans} />
    </>
  );
}

function Head({ model, trans }: { model: ICompiledModelInfo; trans: TranslationBundle }) {
  const { castsPerCall, castsAtLoad, bytesMovedPerCall, constants, torch, options } = model;
  const facts = [
    trans.__('AOTInductor package'),
    trans.__('model “%1”', model.name),
    describeBuild(model.build, trans),
    model.device,
    torch === null ? trans.__('torch version not recorded') : `torch ${torch}`,
    trans._n(
      '%1 constant, %2',
      '%1 constants, %2',
      constants.length,
      formatBytes(model.constantBytes)
    ),
    ...Object.entries(options).map(([name, value]) => `${name}=${value}`)
  ];
  return (
    <header className="castlens-Summary">
      <h1 className={`castlens-Headline castlens-mod-${castsPerCall > 0 ? 'casts' : 'clean'}`}>
        {castsPerCall > 0
          ? trans._n(
              'The compiled code casts weights on every call: %1 cast',
              'The compiled code casts weights on every call: %1 casts',
              castsPerCall
            )
          : trans.__('The compiled code casts no weight on a call')}
      </h1>
      <p className="castlens-Headline-note">
        {bytesMovedPerCall === null || bytesMovedPerCall === 0
          ? null
          : `${trans.__('%1 moved per call', formatBytes(bytesMovedPerCall))} · `}
        {trans._n('%1 cast when it is loaded', '%1 casts when it is loaded', castsAtLoad)}
        {' · '}
        {trans.__('read from the code in the package; nothing of it was executed')}
      </p>
      <ul className="castlens-Facts">
        {facts.map(fact => (
          <li key={fact}>{fact}</li>
        ))}
      </ul>
    </header>
  );
}

function describeBuild(build: ICompiledModelInfo['build'], trans: TranslationBundle): string {
  switch (build) {
    case 'default':
      return trans.__('default build');
    case 'folded':
      return trans.__('built with runtime constant folding');
    case 'frozen':
      return trans.__('built with freezing');
  }
}

function Casts({ model, trans }: { model: ICompiledModelInfo; trans: TranslationBundle }) {
  const rows = [
    ...model.perCall.map(cast => ({ ...cast, isAtLoad: false })),
    ...model.atLoad.map(cast => ({ ...cast, isAtLoad: true }))
  ];
  if (rows.length === 0) {
    return null;
  }
  const nameOf = (cast: ICompiledCast): string => cast.weights.join(', ');
  return (
    <Section
      name="weightcasts"
      title={trans.__('Weight casts')}
      about={trans.__('compiled: what the generated code executes')}
    >
      <Table
        label={trans.__('Weight casts')}
        trans={trans}
        rows={rows}
        rowKey={row =>
          `${nameOf(row)} ${row.from} ${row.to} ${row.kind} ${row.isAtLoad} ${row.kernels.join()}`
        }
        columns={[
          {
            name: 'weight',
            label: trans.__('Weight'),
            header: true,
            cell: row => <code>{nameOf(row)}</code>
          },
          {
            name: 'kind',
            label: trans.__('Kind'),
            cell: row => (row.kind === 'computed' ? trans.__('computed') : trans.__('stored'))
          },
          { name: 'cast', label: trans.__('Cast'), cell: row => `${row.from} → ${row.to}` },
          {
            name: 'when',
            label: trans.__('When'),
            cell: row => (row.isAtLoad ? trans.__('at load') : trans.__('every call'))
          },
          {
            name: 'casts',
            label: trans.__('Casts'),
            numeric: true,
            cell: row => formatCount(row.count)
          },
          {
            name: 'fused',
            label: trans.__('Fused'),
            about: trans.__('Casts whose result arithmetic uses at once: nothing is written'),
            numeric: true,
            cell: row => formatCount(row.fused)
          },
          {
            name: 'moved',
            label: trans.__('Moved'),
            about: trans.__('Bytes read and written'),
            numeric: true,
            cell: row => (row.bytesMoved === null ? NO_FIGURE : formatBytes(row.bytesMoved))
          },
          { name: 'kernels', label: trans.__('Kernels'), cell: row => row.kernels.join(', ') }
        ]}
      />
    </Section>
  );
}

function Compared({ casts, trans }: { casts: readonly IComparedCast[]; trans: TranslationBundle }) {
  return (
    <Table
      label={trans.__('Exported against compiled')}
      trans={trans}
      rows={casts}
      rowKey={row => `${row.weights.join(', ')} ${row.to}`}
      columns={[
        {
          name: 'weight',
          label: trans.__('Weight'),
          header: true,
          cell: row => <code>{row.weights.join(', ')}</code>
        },
        { name: 'to', label: trans.__('To'), cell: row => row.to },
        {
          name: 'exported',
          label: trans.__('Exported'),
          about: trans.__('Casts of one forward of the program, in mode off'),
          numeric: true,
          cell: row => formatCount(row.exported)
        },
        {
          name: 'call',
          label: trans.__('One call'),
          about: trans.__('Casts that one call of the compiled model executes'),
          numeric: true,
          cell: row => formatCount(row.perCall)
        },
        {
          name: 'load',
          label: trans.__('At load'),
          numeric: true,
          cell: row => formatCount(row.atLoad)
        },
        { name: 'why', label: trans.__('Why they differ'), cell: row => row.why ?? '' }
      ]}
    />
  );
}

function Kernels({
  kernels,
  trans
}: {
  kernels: readonly ICompiledKernel[];
  trans: TranslationBundle;
}) {
  return (
    <Section name="kernels" title={trans.__('Kernels')} about={formatCount(kernels.length)}>
      <Table
        label={trans.__('Kernels')}
        trans={trans}
        rows={kernels}
        rowKey={row => `${row.name} ${row.kind} ${row.isConditional}`}
        columns={[
          {
            name: 'kernel',
            label: trans.__('Kernel'),
            header: true,
            cell: row => <code>{row.name}</code>
          },
          {
            name: 'kind',
            label: trans.__('Kind'),
            about: trans.__('Code of the package, or a function of PyTorch'),
            cell: row => (row.kind === 'generated' ? trans.__('generated') : trans.__('library'))
          },
          {
            name: 'calls',
            label: trans.__('Calls'),
            about: trans.__('In one call of the model'),
            numeric: true,
            cell: row =>
              row.isConditional
                ? trans.__('%1, in a branch or loop', formatCount(row.calls))
                : formatCount(row.calls)
          },
          {
            name: 'load',
            label: trans.__('At load'),
            numeric: true,
            cell: row => formatCount(row.callsAtLoad)
          }
        ]}
      />
    </Section>
  );
}

function Constants({
  constants,
  trans
}: {
  constants: readonly ICompiledConstantInfo[];
  trans: TranslationBundle;
}) {
  return (
    <Section name="constants" title={trans.__('Constants')} about={formatCount(constants.length)}>
      <Table
        label={trans.__('Constants')}
        trans={trans}
        rows={constants}
        rowKey={row => row.name}
        columns={[
          {
            name: 'constant',
            label: trans.__('Constant'),
            header: true,
            cell: row => <code>{row.name}</code>
          },
          {
            name: 'weight',
            label: trans.__('Weight'),
            cell: row =>
              row.weight !== null ? (
                <code>{row.weight}</code>
              ) : row.computedFrom.length > 0 ? (
                trans.__('from: %1', row.computedFrom.join(', '))
              ) : (
                trans.__('not recorded')
              )
          },
          { name: 'kind', label: trans.__('Kind'), cell: row => row.kind ?? NO_FIGURE },
          { name: 'dtype', label: trans.__('Dtype'), cell: row => row.dtype },
          {
            name: 'shape',
            label: trans.__('Shape'),
            numeric: true,
            cell: row => formatSizes(row.shape)
          },
          {
            name: 'size',
            label: trans.__('Size'),
            numeric: true,
            cell: row => formatBytes(row.sizeBytes)
          }
        ]}
      />
    </Section>
  );
}
