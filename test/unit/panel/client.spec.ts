import type { EngineMessage } from '../../../src/panel/client';
import type { IErrorInfo } from '../../../src/errors';
import { CastlensError } from '../../../src/errors';
import { CommClient } from '../../../src/panel/client';
import { FakeComm } from './fakecomm';

function setup() {
  const comm = new FakeComm();
  const errors: unknown[] = [];
  const client = new CommClient({ comm, reportError: error => errors.push(error) });
  return { comm, client, errors };
}

const path = 'model.pt2';

describe('CommClient', () => {
  describe('#constructor()', () => {
    it('should open the comm', () => {
      expect(setup().comm.isOpen).toBe(true);
    });
  });

  describe('#request()', () => {
    it('should send method and parameters with an id of its own', () => {
      const { comm, client } = setup();
      void client.request('open', { path });
      void client.request('lastCompare', { path, version: 'v1' });
      const [first, second] = comm.requests();
      expect(first).toMatchObject({ type: 'request', method: 'open', params: { path } });
      expect(second.id).not.toBe(first.id);
    });

    it('should resolve with the result of its own id, in whatever order answers come', async () => {
      const { comm, client } = setup();
      const first = client.request('weightStats', { path });
      const second = client.request('weightStats', { path });
      const [a, b] = comm.requests();
      comm.receive({ type: 'result', id: b.id, result: { rows: 2 } });
      comm.receive({ type: 'result', id: a.id, result: { rows: 1 } });
      expect((await first).result.rows).toBe(1);
      expect((await second).result.rows).toBe(2);
    });

    it('should hand over buffers as the bytes of their views', async () => {
      const { comm, client } = setup();
      const reply = client.request('weightStats', { path });
      const backing = Uint8Array.from([0, 1, 2, 3, 4, 5]);
      comm.receive({ type: 'result', id: comm.requests()[0].id, result: { rows: 1 } }, [
        new DataView(backing.buffer, 2, 3)
      ]);
      expect([...(await reply).buffers[0]]).toEqual([2, 3, 4]);
    });

    it('should send buffers that own their bytes', () => {
      const { comm, client } = setup();
      const backing = Uint8Array.from([0, 1, 2, 3]);
      void client.request('open', { path }, { buffers: [backing.subarray(1, 3)] });
      const sent = comm.sentBuffers[0][0];
      expect(sent).toBeInstanceOf(ArrayBuffer);
      expect([...new Uint8Array(sent as ArrayBuffer)]).toEqual([1, 2]);
    });

    it('should reject with the error of the kernel', async () => {
      const { comm, client } = setup();
      const reply = client.request('open', { path });
      const error: IErrorInfo = { code: 'bad-file', summary: 'no', file: path, found: 'nothing' };
      comm.receive({ type: 'error', id: comm.requests()[0].id, error });
      const reason: unknown = await reply.catch((e: unknown) => e);
      expect(reason).toBeInstanceOf(CastlensError);
      expect((reason as CastlensError).info).toEqual(error);
    });

    it('should report progress until the answer, and not after it', async () => {
      const { comm, client } = setup();
      const texts: string[] = [];
      const reply = client.request('open', { path }, { onProgress: p => texts.push(p.text) });
      const { id } = comm.requests()[0];
      comm.receive({ type: 'progress', id, progress: { text: 'one' } });
      comm.receive({ type: 'progress', id, progress: { text: 'two', fraction: 0.5 } });
      comm.receive({ type: 'result', id, result: {} });
      comm.receive({ type: 'progress', id, progress: { text: 'late' } });
      await reply;
      expect(texts).toEqual(['one', 'two']);
    });

    it('should cancel at the kernel and reject at once when aborted', async () => {
      const { comm, client } = setup();
      const abort = new AbortController();
      const reply = client.request('open', { path }, { signal: abort.signal });
      abort.abort();
      await expect(reply).rejects.toMatchObject({ code: 'cancelled' });
      expect(comm.sent.at(-1)).toEqual({ type: 'cancel', id: comm.requests()[0].id });
    });

    it('should ignore the answer of a cancelled request', async () => {
      const { comm, client, errors } = setup();
      const abort = new AbortController();
      const reply = client.request('open', { path }, { signal: abort.signal });
      abort.abort();
      await expect(reply).rejects.toBeInstanceOf(CastlensError);
      comm.receive({ type: 'result', id: comm.requests()[0].id, result: {} });
      expect(errors).toEqual([]);
    });

    it('should send nothing for a signal that is aborted already', async () => {
      const { comm, client } = setup();
      await expect(
        client.request('open', { path }, { signal: AbortSignal.abort() })
      ).rejects.toMatchObject({ code: 'cancelled' });
      expect(comm.sent).toEqual([]);
    });

    it('should not cancel a request that was answered', async () => {
      const { comm, client } = setup();
      const abort = new AbortController();
      const reply = client.request('open', { path }, { signal: abort.signal });
      comm.receive({ type: 'result', id: comm.requests()[0].id, result: {} });
      await reply;
      abort.abort();
      expect(comm.sent).toHaveLength(1);
    });

    it('should reject where sending throws', async () => {
      const { comm, client } = setup();
      comm.send = () => {
        throw new Error('Cannot send');
      };
      await expect(client.request('open', { path })).rejects.toMatchObject({
        info: { code: 'internal', found: 'Cannot send' }
      });
    });

    it('should reject after disposal', async () => {
      const { client } = setup();
      client.dispose();
      await expect(client.request('open', { path })).rejects.toMatchObject({
        info: { code: 'engine-lost' }
      });
    });
  });

  describe('#dispose()', () => {
    it('should reject what is under way and close the comm', async () => {
      const { comm, client } = setup();
      const reply = client.request('open', { path });
      client.dispose();
      await expect(reply).rejects.toMatchObject({ info: { code: 'engine-lost' } });
      expect(comm.isDisposed).toBe(true);
    });

    it('should survive a kernel connection that is gone', () => {
      const { comm, client } = setup();
      comm.close = () => {
        throw new Error('Cannot close');
      };
      expect(() => client.dispose()).not.toThrow();
      expect(comm.isDisposed).toBe(true);
    });
  });

  describe('#closed', () => {
    it('should be emitted when the kernel closes, with requests rejected before', async () => {
      const { comm, client } = setup();
      const heard: boolean[] = [];
      client.closed.connect((_, value) => heard.push(value));
      const reply = client.request('open', { path });
      comm.closeFromKernel();
      await expect(reply).rejects.toMatchObject({ info: { code: 'engine-lost' } });
      expect(heard).toEqual([false]);
      expect(client.isAlive).toBe(false);
    });

    it('should tell a kernel that spoke from one that never did', () => {
      const { comm, client } = setup();
      const heard: boolean[] = [];
      client.closed.connect((_, value) => heard.push(value));
      comm.receive({ type: 'engine', state: 'started' });
      comm.closeFromKernel();
      expect(heard).toEqual([true]);
    });
  });

  describe('#engineChanged', () => {
    it('should pass on what the kernel says of its engine', () => {
      const { comm, client } = setup();
      const messages: EngineMessage[] = [];
      client.engineChanged.connect((_, message) => messages.push(message));
      const lost: EngineMessage = {
        type: 'engine',
        state: 'lost',
        error: { code: 'engine-lost', summary: 'killed' }
      };
      comm.receive(lost);
      expect(messages).toEqual([lost]);
    });
  });

  it('should report exceptions of handlers, which JupyterLab would drop', () => {
    const { comm, client, errors } = setup();
    void client.request(
      'open',
      { path },
      {
        onProgress: () => {
          throw new Error('in a handler');
        }
      }
    );
    comm.receive({ type: 'progress', id: comm.requests()[0].id, progress: { text: '' } });
    expect(errors).toEqual([new Error('in a handler')]);
  });

  it('should report messages it does not know', () => {
    const { comm, errors } = setup();
    comm.receive({ type: 'news' } as never);
    expect(errors).toHaveLength(1);
  });
});
