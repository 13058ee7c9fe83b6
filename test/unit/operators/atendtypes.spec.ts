/**
 * The dtype rules of the records of operators, against the dtypes that PyTorch 2.13.0 and 2.15.0 compute, mostly on meta tensors.
 */
import { dtypeRule, knownOperators } from '../../../src/operators';
import type { IOperator } from '../../../src/operators';
import type { DType } from '../../../src/model';
import type { IDtypeCall } from './dtypecalls';
import { dtypesOf, nodeOfCall, readDtypeCalls } from './dtypecalls';

const nameOf = ({ text }: IOperator): string => text.slice(0, text.indexOf('('));

const records = knownOperators().filter(({ op }) => op.startsWith('aten.'));
/** Those that make tensors. */
const makers = records.filter(({ schema }) =>
  schema.results.some(({ type }) => type.startsWith('Tensor'))
);

/** One result of one try. */
interface IComparison {
  readonly place: string;
  readonly computed: DType | null;
  readonly expected: DType;
  readonly call: string;
}

/** What a rule computes of every call that PyTorch takes, beside what PyTorch computes. */
function compare(record: IOperator, calls: readonly IDtypeCall[]): IComparison[] {
  const rule = dtypeRule(record.op);
  const known = new Set(record.schema.args.map(({ name }) => name));
  const found: IComparison[] = [];
  for (const { args, tried, results } of rule ? calls : []) {
    tried.forEach((word, i) => {
      const expected = results[i] === '-' ? [] : dtypesOf(results[i]);
      const told = rule!(nodeOfCall(record.op, args, word, expected.length, known));
      expected.forEach((dtype, at) => {
        const computed = told === null || typeof told === 'string' ? told : (told[at] ?? null);
        const call = `${word} ${JSON.stringify(args)}`;
        if (dtype !== null) {
          found.push({ place: `${record.op} ${at}`, computed, expected: dtype, call });
        }
      });
    });
  }
  return found;
}

describe.each([...readDtypeCalls()])('PyTorch %s', (_, calls) => {
  const compared = makers.flatMap(record => compare(record, calls.get(nameOf(record)) ?? []));

  it('should have been asked for nearly every operator with a record', () => {
    expect(compared.length).toBeGreaterThan(30000);
    const unsampled = makers.map(nameOf).filter(name => !calls.has(name));
    expect(unsampled.filter(name => !NO_SAMPLE.some(([names]) => names.test(name)))).toEqual([]);
    expect(unsampled.length).toBeLessThan(50);
  });

  it('should compute the dtypes that records tell', () => {
    const wrong = compared.filter(
      ({ computed, expected }) => computed !== null && computed !== expected
    );
    expect(wrong).toEqual([]);
  });

  it('should not be left open but for what few results depend on', () => {
    const open = compared.filter(({ computed }) => computed === null).map(({ place }) => place);
    // A first result follows from the operands. Further ones, as saved statistics and random states, differ by device.
    const first = [...new Set(open)].filter(place => place.endsWith(' 0') && !OPEN.test(place));
    expect(first).toEqual([]);
  });
});

/** Operators without a sample, and why. */
const NO_SAMPLE: readonly (readonly [names: RegExp, reason: string])[] = [
  [/^(_mps_convolution|cudnn_convolution\w*|_thnn_fused_\w+)$/u, 'run on other devices alone'],
  [/^(gru|lstm|rnn_relu|rnn_tanh)\.data$/u, 'packed sequences: sizes that agree with each other'],
  [/^ctc_loss\.\w+$/u, 'lengths that agree with sequences'],
  [/^fake_quantize_\w+(\.\w+)?$/u, 'zero points in int32 beside ranges that agree'],
  [/^_fft_\w+$/u, 'what the functions of fft call, with numbers for norms'],
  [/^(where|_unique2|repeat_interleave\.Tensor)$/u, 'sizes depend on values'],
  [
    /^(normal\.(Tensor_float|float_Tensor)|\w+\.\w*generator)$/u,
    'samples give a tensor, or no generator'
  ],
  [
    /^(squeeze_copy\.dims|linalg_\w+\.(p_str|ord_str|rcond_tensor)|nuclear_norm\.dim)$/u,
    'arguments that no guess finds'
  ],
  [
    /^(scatter\.value_reduce|embedding_bag|conv_tbc|_weight_norm|fractional_max_pool2d)$/u,
    'arguments that no guess finds'
  ],
  [
    /^(multilabel_margin_loss_forward|_grid_sampler_2d_cpu_fallback|(badd)?bmm\.dtype)$/u,
    'arguments that no guess finds'
  ],
  [/^(cholesky|qr)$/u, '2.15.0 has them no more'],
  [/^(_conj|pin_memory)$/u, 'complex numbers or a device are needed']
];

/** First results that are left open for some operands, which the rules say. */
const OPEN = /^aten\.(randint|randperm|_trilinear|lstm_cell|gru_cell)\.\w+ 0$/u;

/** Where the bias alone differs: kernels of the CPU add it by promotion, those of other devices do not. */
const ADDED_LATER = /^aten\.(convolution|conv_transpose1d)\.default (.)\2.$/u;

describe('records of operators whose operands must have one dtype', () => {
  const FLOATING = /^[fhbdo-]*$/u;

  it.each([...readDtypeCalls()])('should be refused by PyTorch %s in mixed ones', (_, calls) => {
    const taken: string[] = [];
    let refused = 0;
    for (const record of records.filter(({ agree }) => agree !== undefined)) {
      for (const { args, tried, results } of calls.get(nameOf(record)) ?? []) {
        const isPlain = Object.entries(args).every(
          ([name, arg]) => !isTensor(arg) || (arg.t.length > 0 && isAgreeing(record, name))
        );
        tried.forEach((word, i) => {
          const isMixed = new Set(word).size > 1 && FLOATING.test(word) && !word.includes('o');
          if (isPlain && isMixed && !ADDED_LATER.test(`${record.op} ${word}`)) {
            refused += results[i] === '-' ? 1 : 0;
            if (results[i] !== '-') {
              taken.push(`${record.op} ${word}`);
            }
          }
        });
      }
    }
    expect(taken).toEqual([]);
    expect(refused).toBeGreaterThan(400);
  });
});

function isTensor(arg: unknown): arg is { t: number[] } {
  return typeof arg === 'object' && arg !== null && 't' in arg;
}

function isAgreeing({ agree }: IOperator, name: string): boolean {
  return agree === 'all' || agree!.includes(name);
}
