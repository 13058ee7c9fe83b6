import type { IErrorInfo } from '../../../src/errors';
import { CastlensError } from '../../../src/errors';
import type {
  ClientMessage,
  IAnswer,
  IIncoming,
  IProgress,
  ServerMessage
} from '../../../src/protocol';
import { Requester, Responder } from '../../../src/protocol';

const GONE: IErrorInfo = { code: 'engine-lost', summary: 'gone' };
const none: readonly Uint8Array[] = [];
const resultOf = (id: number, result: unknown): ServerMessage => ({ type: 'result', id, result });

async function turn(): Promise<void> {
  await new Promise(resolve => setImmediate(resolve));
}

function asking(options: Partial<Requester.IOptions<'a' | 'b', Uint8Array>> = {}) {
  const sent: ClientMessage<'a' | 'b'>[] = [];
  const requester = new Requester<'a' | 'b'>({ send: message => sent.push(message), ...options });
  return { sent, requester };
}

describe('Requester', () => {
  it('should give every request an id of its own, and each its answer, in whatever order they come', async () => {
    const { sent, requester } = asking();
    const [first, second] = [requester.ask('a', { x: 1 }), requester.ask('b', {})];
    expect(sent).toEqual([
      { type: 'request', id: 1, method: 'a', params: { x: 1 } },
      { type: 'request', id: 2, method: 'b', params: {} }
    ]);
    const bytes = [new Uint8Array([7])];
    expect(requester.handle(resultOf(2, 'two'), bytes)).toBe(true);
    requester.handle(resultOf(1, 'one'));
    expect(await first).toEqual({ result: 'one', buffers: [] });
    expect(await second).toEqual({ result: 'two', buffers: bytes });
    expect(requester.ids).toEqual([]);
  });

  it('should reject with the fields of the error', async () => {
    const { requester } = asking();
    const asked = requester.ask('a', {});
    const error: IErrorInfo = { code: 'bad-file', summary: 'short', file: 'm.pt2' };
    requester.handle({ type: 'error', id: 1, error });
    const reason: unknown = await asked.catch((thrown: unknown) => thrown);
    expect((reason as CastlensError).info).toEqual(error);
  });

  it('should pass over answers to ids that are unknown or answered already', async () => {
    const { requester } = asking();
    const asked = requester.ask('a', {});
    requester.handle(resultOf(9, 'of nobody'));
    requester.handle({ type: 'error', id: 0, error: GONE });
    requester.handle(resultOf(1, 'first'));
    requester.handle(resultOf(1, 'second'));
    requester.handle({ type: 'error', id: 1, error: GONE });
    expect((await asked).result).toBe('first');
  });

  it('should leave messages alone that are about no request', () => {
    const { requester } = asking();
    expect(requester.handle({ type: 'engine', state: 'started' })).toBe(false);
    expect(requester.handle({ type: 'files', state: 'gone', file: 'm' })).toBe(false);
  });

  it('should report progress in order, and none after the answer', () => {
    const { requester } = asking();
    const seen: IProgress[] = [];
    void requester.ask('a', {}, { onProgress: progress => seen.push(progress) });
    const tell = (text: string) =>
      requester.handle({ type: 'progress', id: 1, progress: { text } });
    ['one', 'two'].forEach(tell);
    requester.handle(resultOf(1, null));
    tell('late');
    expect(seen.map(({ text }) => text)).toEqual(['one', 'two']);
  });

  it('should reject a cancelled request at once, tell the other end, and drop its answer', async () => {
    const { sent, requester } = asking();
    const abort = new AbortController();
    const seen: string[] = [];
    const asked = requester.ask(
      'a',
      {},
      { signal: abort.signal, onProgress: ({ text }) => seen.push(text) }
    );
    abort.abort();
    await expect(asked).rejects.toMatchObject({ code: 'cancelled' });
    expect(sent.at(-1)).toEqual({ type: 'cancel', id: 1 });
    requester.handle({ type: 'progress', id: 1, progress: { text: 'late' } });
    requester.handle(resultOf(1, 'late'));
    requester.cancel(1);
    expect(sent).toHaveLength(2);
    expect(seen).toEqual([]);
  });

  it('should wait for the answer to a cancelled request where it is told to', async () => {
    const { sent, requester } = asking({ awaitsCancelled: true });
    const abort = new AbortController();
    const asked = requester.ask('a', {}, { signal: abort.signal });
    abort.abort();
    expect(sent.at(-1)).toEqual({ type: 'cancel', id: 1 });
    expect(requester.ids).toEqual([1]);
    requester.handle(resultOf(1, 'finished anyway'));
    expect((await asked).result).toBe('finished anyway');
  });

  it('should cancel nothing after the answer, and send nothing for a signal that is aborted already', async () => {
    const { sent, requester } = asking();
    const abort = new AbortController();
    const asked = requester.ask('a', {}, { signal: abort.signal });
    requester.handle(resultOf(1, null));
    await asked;
    abort.abort();
    await expect(requester.ask('a', {}, { signal: abort.signal })).rejects.toMatchObject({
      code: 'cancelled'
    });
    expect(sent).toHaveLength(1);
  });

  it('should end all that is in flight when it is closed, once, and ask nothing more', async () => {
    const { sent, requester } = asking();
    const asked = [requester.ask('a', {}), requester.ask('b', {})];
    requester.close(GONE);
    requester.close({ code: 'internal', summary: 'again' });
    asked.push(requester.ask('a', {}));
    for (const each of await Promise.allSettled(asked)) {
      expect(each).toMatchObject({ status: 'rejected', reason: { info: GONE } });
    }
    requester.handle(resultOf(1, 'late'));
    expect(sent).toHaveLength(2);
  });

  it('should go on after all requests were rejected', async () => {
    const { requester } = asking();
    const first = requester.ask('a', {});
    requester.rejectAll(GONE);
    const second = requester.ask('a', {});
    requester.handle(resultOf(2, 2));
    await expect(first).rejects.toMatchObject({ code: 'engine-lost' });
    expect((await second).result).toBe(2);
  });

  it('should reject what cannot be sent', async () => {
    const fail = (error: unknown) =>
      asking({
        send: () => {
          throw error;
        }
      }).requester.ask('a', {});
    await expect(fail(new Error('no socket'))).rejects.toMatchObject({
      code: 'internal',
      details: { found: 'no socket' }
    });
    const own = new CastlensError('bad-argument', 'too deep');
    await expect(fail(own)).rejects.toMatchObject({ code: 'bad-argument', summary: 'too deep' });
  });

  it('should send a request again under the same id, and tell of each end once', () => {
    const ended: number[] = [];
    const { sent, requester } = asking({ onEnd: id => ended.push(id) });
    requester.ask('b', 5).catch(() => undefined);
    requester.send(1);
    expect(sent[1]).toEqual(sent[0]);
    expect(requester.methodOf(1)).toBe('b');
    requester.reject(1, GONE);
    requester.reject(1, GONE);
    requester.send(1);
    expect(sent).toHaveLength(2);
    expect(ended).toEqual([1]);
  });
});

function answering() {
  const sent: { message: ServerMessage; buffers: readonly Uint8Array[] }[] = [];
  const works: {
    request: IIncoming<'a'>;
    resolve: (answer: IAnswer) => void;
    reject: (error: unknown) => void;
    cancelled: number;
  }[] = [];
  const responder = new Responder<'a'>({
    send: (message, buffers) => sent.push({ message, buffers }),
    start: request => {
      let work!: (typeof works)[number];
      const answer = new Promise<IAnswer>((resolve, reject) => {
        work = { request, resolve, reject, cancelled: 0 };
      });
      works.push(work);
      return { answer, cancel: () => work.cancelled++ };
    }
  });
  const ask = (id: number, params: unknown = {}) =>
    responder.handle({ type: 'request', id, method: 'a', params });
  return { sent, works, responder, ask, messages: () => sent.map(({ message }) => message) };
}

describe('Responder', () => {
  it('should answer each request under its id, in the order in which work ends', async () => {
    const { works, ask, messages, sent } = answering();
    const [first, second] = [ask(4), ask(5)];
    const bytes = [new Uint8Array([1])];
    works[1].resolve({ result: 'b', buffers: bytes });
    await second;
    works[0].reject(new CastlensError('runtime', 'failed'));
    await first;
    expect(messages()).toEqual([
      resultOf(5, 'b'),
      { type: 'error', id: 4, error: { code: 'runtime', summary: 'failed' } }
    ]);
    expect(sent[0].buffers).toBe(bytes);
  });

  it('should call what is no error of the reader a defect, also where work cannot begin', async () => {
    const sent: ServerMessage[] = [];
    const responder = new Responder<'a'>({
      send: message => sent.push(message),
      start: () => {
        throw new TypeError('odd');
      }
    });
    await responder.handle({ type: 'request', id: 1, method: 'a', params: null });
    expect(sent).toMatchObject([{ type: 'error', id: 1, error: { code: 'internal' } }]);
  });

  it('should tell of progress, and of none after the answer', async () => {
    const { works, ask, messages } = answering();
    const done = ask(1);
    works[0].request.progress({ text: 'half' });
    works[0].resolve({ result: 1, buffers: none });
    await done;
    works[0].request.progress({ text: 'late' });
    expect(messages()).toEqual([
      { type: 'progress', id: 1, progress: { text: 'half' } },
      resultOf(1, 1)
    ]);
  });

  it('should cancel what is under way, and pass over ids that are unknown or answered', async () => {
    const { works, ask, responder } = answering();
    void responder.handle({ type: 'cancel', id: 1 });
    const done = ask(1);
    void responder.handle({ type: 'cancel', id: 2 });
    expect(works[0].cancelled).toBe(0);
    void responder.handle({ type: 'cancel', id: 1 });
    expect(works[0].cancelled).toBe(1);
    works[0].reject(CastlensError.cancelled());
    await done;
    void responder.handle({ type: 'cancel', id: 1 });
    expect(works[0].cancelled).toBe(1);
  });

  it('should refuse an id that is being answered, and take it again afterwards', async () => {
    const { works, ask, messages } = answering();
    const done = ask(1);
    expect(ask(1)).toBeNull();
    expect(messages()).toMatchObject([{ type: 'error', id: 1, error: { code: 'bad-argument' } }]);
    works[0].resolve({ result: 1, buffers: none });
    await done;
    expect(ask(1)).not.toBeNull();
    expect(works).toHaveLength(2);
  });

  it('should give up all work when it is closed, twice too, and send nothing more', async () => {
    const { works, ask, responder, messages } = answering();
    const done = [ask(1), ask(2)];
    responder.close();
    responder.close();
    expect(works.map(({ cancelled }) => cancelled)).toEqual([1, 1]);
    works[0].request.progress({ text: 'late' });
    works[0].resolve({ result: 1, buffers: none });
    works[1].reject(new Error('late'));
    for (const each of done) {
      await each;
    }
    expect(ask(3)).toBeNull();
    expect(messages()).toEqual([]);
  });

  it('should not answer in place of a later request with the same id', async () => {
    const { works, ask, responder, messages } = answering();
    const first = ask(1);
    responder.cancelAll();
    const second = ask(1);
    works[0].resolve({ result: 'of the first', buffers: none });
    await first;
    works[1].resolve({ result: 'of the second', buffers: none });
    await second;
    expect(messages()).toEqual([resultOf(1, 'of the second')]);
  });
});

describe('both ends', () => {
  it('should understand each other, whatever the order of the answers', async () => {
    const waiting: (() => void)[] = [];
    const responder: Responder<'a' | 'b'> = new Responder<'a' | 'b'>({
      send: (message, buffers) => requester.handle(message, buffers),
      start: ({ params }) => ({
        answer: new Promise(resolve =>
          waiting.push(() => resolve({ result: params, buffers: none }))
        ),
        cancel: () => undefined
      })
    });
    const { requester } = asking({ send: message => void responder.handle(message) });
    const asked = [...Array(20).keys()].map(n => requester.ask('a', n));
    waiting.reverse().forEach(end => end());
    await turn();
    expect((await Promise.all(asked)).map(({ result }) => result)).toEqual([...Array(20).keys()]);
  });
});
