/**
 * What a value looks like: MIME bundles, and the `display` function of cells.
 *
 * @packageDocumentation
 */
import { inspect } from 'node:util';
import type { ExecutionId, FromEvaluator } from '../evaluatormessages';
import type { MimeBundle } from '../message';

/** Method of values that know what they look like: a MIME bundle, or several to be shown one after the other. */
export const DISPLAY = Symbol.for('Jupyter.display');

/** A value that knows what it looks like. */
export interface IDisplayable {
  [DISPLAY](): MimeBundle | readonly MimeBundle[] | Promise<MimeBundle | readonly MimeBundle[]>;
}

/** The bundles of a value, never none; a promise of them where the value wants to be waited for. */
export function bundlesOf(value: unknown): readonly MimeBundle[] | Promise<readonly MimeBundle[]> {
  if (Private.isDisplayable(value)) {
    const made = value[DISPLAY]();
    return made instanceof Promise ? made.then(Private.listOf) : Private.listOf(made);
  }
  return [{ 'text/plain': inspect(value) }];
}

/** Something on the page that can be replaced. */
export interface IDisplayHandle {
  readonly id: string;
  update(value: unknown): void;
}

/** The `display` function of cells. What it shows is there before the cell has ended. */
export interface IDisplay {
  /** Show a value as it looks as a result. */
  (value: unknown): void;
  /** Show a value that can be replaced later. */
  (value: unknown, options: { id: string }): IDisplayHandle;
  /** Replace what is shown under `id`. */
  update(id: string, value: unknown): void;
  /** Remove the cell's output; with `wait` when the next output comes. */
  clear(options?: { wait?: boolean }): void;
  /** Show a MIME bundle. */
  mime(bundle: MimeBundle): void;
  html(source: string): void;
  markdown(source: string): void;
  svg(source: string): void;
  json(value: unknown): void;
}

/** What `display` needs of the evaluator. */
export interface IDisplaySeam {
  /** The execution that is running. */
  current(): ExecutionId;
  send(message: Extract<FromEvaluator, { type: 'display' | 'clear' }>): void;
  /** Do not end the cell before this has settled. */
  hold(showing: Promise<void>): void;
}

/** Makes the `display` function. */
export function makeDisplay(seam: IDisplaySeam): IDisplay {
  const show = (value: unknown, displayId: string | null, update: boolean): void => {
    const execution = seam.current();
    const send = (bundles: readonly MimeBundle[]): void => {
      for (const bundle of bundles) {
        seam.send({ type: 'display', execution, update, bundle, displayId });
      }
    };
    const bundles = bundlesOf(value);
    if (bundles instanceof Promise) {
      seam.hold(bundles.then(send));
    } else {
      send(bundles);
    }
  };
  function display(value: unknown): void;
  function display(value: unknown, options: { id: string }): IDisplayHandle;
  function display(value: unknown, options?: { id: string }): IDisplayHandle | void {
    show(value, options?.id ?? null, false);
    if (options) {
      const { id } = options;
      return { id, update: next => show(next, id, true) };
    }
  }
  const mime = (bundle: MimeBundle): void => show({ [DISPLAY]: () => bundle }, null, false);
  return Object.assign(display, {
    update: (id: string, value: unknown) => show(value, id, true),
    clear: (options: { wait?: boolean } = {}) =>
      seam.send({ type: 'clear', execution: seam.current(), wait: options.wait === true }),
    mime,
    html: (source: string) => mime({ 'text/html': source, 'text/plain': source }),
    markdown: (source: string) => mime({ 'text/markdown': source, 'text/plain': source }),
    svg: (source: string) => mime({ 'image/svg+xml': source, 'text/plain': source }),
    json: (value: unknown) => mime({ 'application/json': value, 'text/plain': inspect(value) })
  });
}

/**
 * The namespace for module statics.
 */
namespace Private {
  export function isDisplayable(value: unknown): value is IDisplayable {
    return (
      ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
      typeof (value as Partial<IDisplayable>)[DISPLAY] === 'function'
    );
  }

  export function listOf(bundles: MimeBundle | readonly MimeBundle[]): readonly MimeBundle[] {
    return Array.isArray(bundles) ? (bundles as readonly MimeBundle[]) : [bundles as MimeBundle];
  }
}
