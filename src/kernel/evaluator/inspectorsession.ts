/**
 * V8's REPL, through the inspector protocol.
 *
 * `Runtime.evaluate` with `replMode` gives what a notebook needs and a parser of our own would only imitate: top-level await,
 * bindings that stay and can be declared again, completion values.
 *
 * @packageDocumentation
 */
import { Session } from 'node:inspector';
import type { Runtime } from 'node:inspector';

/** How an evaluation ended. */
export type Evaluation =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'thrown'; readonly thrown: unknown; readonly position: ISourcePosition | null }
  /** The evaluation was ended by `Runtime.terminateExecution`. */
  | { readonly kind: 'terminated' };

/** A place in code, counted from 0. */
export interface ISourcePosition {
  readonly line: number;
  readonly column: number;
}

/** A property that `propertiesOf` found. */
export interface IProperty {
  readonly name: string;
  readonly type: string;
}

/** An inspector session with this very thread. */
export class InspectorSession {
  constructor() {
    this._session.connect();
    Object.defineProperty(globalThis, Private.SLOT, { value: this._slot, enumerable: false });
    this._session.post(
      'Runtime.evaluate',
      { expression: `globalThis[Symbol.for(${JSON.stringify(Private.SLOT.description)})]` },
      (_error, { result }) => {
        this._slotId = result.objectId!;
      }
    );
  }

  /**
   * Evaluate code as in a REPL.
   *
   * #### Notes
   * The synchronous part runs before this returns. `done` is called once, at the latest when a top-level await is settled;
   * never, where an interrupt has dropped the continuation.
   */
  evaluate(expression: string, done: (evaluation: Evaluation) => void): void {
    const group = `evaluation-${this._evaluations++}`;
    this._session.post('Runtime.evaluate', Private.repl(expression, group), (error, answer) => {
      if (error) {
        done({ kind: 'terminated' });
        return;
      }
      const details = answer.exceptionDetails;
      const evaluation: Evaluation = details
        ? {
            kind: 'thrown',
            thrown: this._materialize(details.exception ?? { type: 'undefined' }),
            // Errors of the compiler belong to a script; errors of running code reach us as rejections, which do not.
            position:
              details.scriptId === undefined
                ? null
                : { line: details.lineNumber, column: details.columnNumber }
          }
        : { kind: 'value', value: this._materialize(answer.result) };
      this._session.post('Runtime.releaseObjectGroup', { objectGroup: group });
      done(evaluation);
    });
  }

  /** Evaluate an expression that must not have side effects; undefined is also the answer where it would have. */
  peek(expression: string): { readonly value: unknown } | null {
    let found: { readonly value: unknown } | null = null;
    this._session.post('Runtime.evaluate', Private.peeking(expression), (error, answer) => {
      if (!error && !answer.exceptionDetails) {
        found = { value: this._materialize(answer.result) };
      }
    });
    this._session.post('Runtime.releaseObjectGroup', { objectGroup: Private.PEEK });
    return found;
  }

  /** Properties of the value of an expression, inherited ones too; empty where evaluating it would have side effects. */
  propertiesOf(expression: string): IProperty[] {
    const found: IProperty[] = [];
    // Object() makes an object of a primitive, whose prototype is what we are after.
    const wrapped = `Object(${expression})`;
    this._session.post('Runtime.evaluate', Private.peeking(wrapped), (error, answer) => {
      if (error || answer.exceptionDetails || answer.result.objectId === undefined) {
        return;
      }
      const { objectId } = answer.result;
      this._session.post(
        'Runtime.getProperties',
        {
          objectId,
          ownProperties: false,
          nonIndexedPropertiesOnly: true
        } as Runtime.GetPropertiesParameterType,
        (failed, { result }) => {
          for (const property of failed ? [] : result) {
            if (!property.symbol) {
              found.push({ name: property.name, type: property.value?.type ?? 'property' });
            }
          }
        }
      );
    });
    this._session.post('Runtime.releaseObjectGroup', { objectGroup: Private.PEEK });
    return found;
  }

  /** Names declared with let, const and class at top level. */
  lexicalNames(): string[] {
    let names: string[] = [];
    this._session.post('Runtime.globalLexicalScopeNames', {}, (error, answer) => {
      names = error ? [] : answer.names;
    });
    return [...new Set(names)];
  }

  /** The value behind a remote object: it lives in this very process. */
  private _materialize(remote: Runtime.RemoteObject): unknown {
    if (remote.objectId !== undefined) {
      this._session.post('Runtime.callFunctionOn', {
        objectId: this._slotId,
        functionDeclaration: 'function (value) { this.value = value; }',
        arguments: [{ objectId: remote.objectId }],
        silent: true
      });
      const { value } = this._slot;
      this._slot.value = undefined;
      return value;
    }
    switch (remote.unserializableValue) {
      case undefined:
        return remote.value;
      case '-0':
        return -0;
      case 'NaN':
        return NaN;
      case 'Infinity':
        return Infinity;
      case '-Infinity':
        return -Infinity;
      default:
        // A bigint: digits and an n.
        return BigInt(remote.unserializableValue.slice(0, -1));
    }
  }

  private readonly _session = new Session();
  private readonly _slot: { value?: unknown } = {};
  private _slotId = '';
  private _evaluations = 0;
}

/**
 * The namespace for module statics.
 */
namespace Private {
  /** Where values are handed from the protocol to JavaScript. */
  export const SLOT = Symbol.for('castlens.evaluator.slot');

  /** Group of the objects of side-effect free evaluations. */
  export const PEEK = 'peek';

  /** How long a side-effect free evaluation may take, milliseconds. */
  const PEEK_TIMEOUT = 500;

  export function repl(expression: string, objectGroup: string): Runtime.EvaluateParameterType {
    const parameters = { expression, replMode: true, awaitPromise: true, objectGroup };
    return parameters as Runtime.EvaluateParameterType;
  }

  export function peeking(expression: string): Runtime.EvaluateParameterType {
    return {
      expression,
      throwOnSideEffect: true,
      timeout: PEEK_TIMEOUT,
      objectGroup: PEEK
    } as Runtime.EvaluateParameterType;
  }
}
