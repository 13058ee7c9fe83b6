import type { IEvaluator, IEvaluatorEvents } from '../../../src/kernel/evaluatorclient';
import type { CellOutcome } from '../../../src/kernel/evaluatormessages';
import { Kernel } from '../../../src/kernel/kernel';
import type { Channel, IMessage, IOutgoing } from '../../../src/kernel/message';
import type { IEngine } from '../../../src/kernel/supervisor';
import type { IAnswer, ICancelSignal } from '../../../src/protocol';
import { CastlensError } from '../../../src/errors';

/** A kernel between a fake client, a fake engine and a fake evaluator: no sockets, no processes. */
class Bench {
  readonly sent: { channel: Channel; message: IOutgoing }[] = [];
  readonly asked: { params: unknown; signal?: ICancelSignal; settle: PromiseWithReject }[] = [];
  readonly cells: { code: string; end: (outcome: CellOutcome) => void }[] = [];
  readonly cancelled: string[] = [];
  events!: IEvaluatorEvents;
  shutDown = false;

  readonly kernel = new Kernel({
    outbox: { send: (channel, message) => this.sent.push({ channel, message }) },
    engine: this._engine(),
    evaluator: events => {
      this.events = events;
      return this._evaluator();
    },
    cwd: '/models',
    version: '1.2.3',
    onShutdown: () => (this.shutDown = true),
    onError: () => undefined
  });

  /** Let the kernel handle a message. @returns its id. */
  receive(msg_type: string, content: object, channel: 'shell' | 'control' = 'shell'): string {
    const msg_id = `m${this._received++}`;
    const header = { msg_id, msg_type, session: 's', username: 'u', date: '', version: '5.4' };
    const message = { identities: [Buffer.from('id')], header, parentHeader: {}, metadata: {} };
    this.kernel.handle(channel, { ...message, content, buffers: [] } as IMessage);
    return msg_id;
  }

  /** Types, and states of status, published for a message. */
  published(id: string): string[] {
    return this.sent
      .filter(({ channel, message }) => channel === 'iopub' && message.parent?.msg_id === id)
      .map(({ message }) => String(message.content.execution_state ?? message.type));
  }

  private _engine(): IEngine {
    return {
      ask: (_method, params, options) =>
        new Promise<IAnswer>((resolve, reject) => {
          this.asked.push({ params, signal: options?.signal, settle: { resolve, reject } });
        }),
      cancelAll: () => this.cancelled.push('engine')
    };
  }

  private _evaluator(): IEvaluator {
    return {
      execute: cell =>
        new Promise(end => {
          this.cells.push({ code: cell.code, end });
        }),
      complete: () => Promise.reject(new TypeError('out of order')),
      inspect: () => Promise.resolve(null),
      isComplete: () => Promise.resolve({ status: 'complete', indent: '' }),
      interrupt: () => this.cancelled.push('evaluator'),
      send: () => undefined
    };
  }

  private _received = 0;
}

interface PromiseWithReject {
  resolve: (answer: IAnswer) => void;
  reject: (error: unknown) => void;
}

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

const ok: CellOutcome = { status: 'ok', result: null, userExpressions: {} };

describe('Kernel', () => {
  const open = (bench: Bench, id = 'c'): void => {
    bench.receive('comm_open', { comm_id: id, target_name: 'castlens', data: {} });
  };

  const ask = (bench: Bench, id: number, params: object = {}, comm = 'c'): string =>
    bench.receive('comm_msg', {
      comm_id: comm,
      data: { type: 'request', id, method: 'open', params }
    });

  it('should be busy with a comm request until it is answered', async () => {
    const bench = new Bench();
    open(bench);
    const id = ask(bench, 1, { path: 'a.pt2' });
    expect(bench.published(id)).toEqual(['busy']);
    expect(bench.asked[0].params).toEqual({ path: '/models/a.pt2' });
    bench.asked[0].settle.resolve({ result: 1, buffers: [] });
    await turn();
    expect(bench.published(id)).toEqual(['busy', 'comm_msg', 'idle']);
  });

  it('should say busy again when a shorter request ends meanwhile', async () => {
    const bench = new Bench();
    open(bench);
    const long = ask(bench, 1);
    const short = bench.receive('kernel_info_request', {});
    await turn();
    expect(bench.published(short)).toEqual(['busy', 'idle']);
    expect(bench.published(long)).toEqual(['busy', 'busy']);
  });

  it('should not run a cell before the one before it has ended, and answer comms meanwhile', async () => {
    const bench = new Bench();
    bench.receive('execute_request', { code: 'a' });
    bench.receive('execute_request', { code: 'b' });
    open(bench);
    ask(bench, 1);
    expect(bench.cells.map(({ code }) => code)).toEqual(['a']);
    expect(bench.asked).toHaveLength(1);
    bench.cells[0].end(ok);
    await turn();
    expect(bench.cells.map(({ code }) => code)).toEqual(['a', 'b']);
  });

  it('should cancel what a closed comm waits for, and send nothing more on it', async () => {
    const bench = new Bench();
    open(bench);
    open(bench, 'other');
    const id = ask(bench, 1);
    ask(bench, 1, {}, 'other');
    bench.receive('comm_close', { comm_id: 'c', data: {} });
    expect(bench.asked.map(({ signal }) => signal!.aborted)).toEqual([true, false]);
    bench.asked[0].settle.reject(CastlensError.cancelled());
    await turn();
    expect(bench.published(id).filter(type => type === 'comm_msg')).toEqual([]);
    expect(bench.published(id).at(-1)).toBe('idle');
  });

  it('should publish output under the cell it belongs to, in order with the rest', async () => {
    const bench = new Bench();
    const first = bench.receive('execute_request', { code: 'a' });
    bench.cells[0].end(ok);
    await turn();
    const second = bench.receive('execute_request', { code: 'b' });
    bench.events.onStream(1, 'stdout', 'of ');
    bench.events.onStream(1, 'stdout', 'the first');
    bench.events.onStream(2, 'stdout', 'of the second');
    bench.events.onDisplay({
      type: 'display',
      execution: 2,
      update: false,
      bundle: {},
      displayId: null
    });
    expect(bench.published(first).at(-1)).toBe('stream');
    expect(bench.published(second)).toEqual(['busy', 'execute_input', 'stream', 'display_data']);
    const texts = bench.sent
      .filter(({ message }) => message.type === 'stream')
      .map(({ message }) => message.content.text);
    expect(texts).toEqual(['of the first', 'of the second']);
  });

  it('should interrupt both children and reply', async () => {
    const bench = new Bench();
    bench.receive('interrupt_request', {}, 'control');
    await turn();
    expect(bench.cancelled).toEqual(['evaluator', 'engine']);
    const replies = bench.sent.filter(({ message }) => message.type === 'interrupt_reply');
    expect(replies).toMatchObject([{ channel: 'control', message: { content: { status: 'ok' } } }]);
  });

  it('should reply with the error when a handler fails', async () => {
    const bench = new Bench();
    const id = bench.receive('complete_request', { code: 'a', cursor_pos: 1 });
    await turn();
    expect(bench.sent).toContainEqual({
      channel: 'shell',
      message: expect.objectContaining({
        type: 'complete_reply',
        content: {
          status: 'error',
          ename: 'TypeError',
          evalue: 'out of order',
          traceback: ['TypeError: out of order']
        }
      })
    });
    expect(bench.published(id)).toEqual(['busy', 'idle']);
  });

  it('should reply to shutdown before it shuts down', () => {
    const bench = new Bench();
    bench.receive('shutdown_request', { restart: true }, 'control');
    expect(bench.sent.map(({ channel, message }) => `${channel} ${message.type}`)).toEqual([
      'iopub status',
      'control shutdown_reply',
      'iopub shutdown_reply',
      'iopub status'
    ]);
    expect(bench.shutDown).toBe(true);
  });
});
