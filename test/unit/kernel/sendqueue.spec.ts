import { SendQueue } from '../../../src/kernel/sendqueue';

/** A socket like zeromq's: throws when asked to send while it is sending. */
class FakeSocket {
  readonly sent: string[] = [];

  send(frames: Uint8Array[]): Promise<void> {
    if (this._busy) {
      throw new Error('EBUSY');
    }
    this._busy = true;
    return new Promise((resolve, reject) =>
      setImmediate(() => {
        this._busy = false;
        const text = Buffer.from(frames[0]).toString();
        if (text === 'bad') {
          reject(new Error('EFSM'));
        } else {
          this.sent.push(text);
          resolve();
        }
      })
    );
  }

  private _busy = false;
}

describe('SendQueue', () => {
  it('should send everything in order, one at a time', async () => {
    const socket = new FakeSocket();
    const errors: unknown[] = [];
    const queue = new SendQueue(socket, error => errors.push(error));
    const texts = Array.from({ length: 200 }, (_, i) => String(i));
    texts.forEach(text => queue.send([Buffer.from(text)]));
    await queue.drained();
    expect(socket.sent).toEqual(texts);
    expect(errors).toEqual([]);
  });

  it('should report a message it could not send and go on', async () => {
    const socket = new FakeSocket();
    const errors: unknown[] = [];
    const queue = new SendQueue(socket, error => errors.push(error));
    ['a', 'bad', 'b'].forEach(text => queue.send([Buffer.from(text)]));
    await queue.drained();
    expect(socket.sent).toEqual(['a', 'b']);
    expect(errors).toEqual([new Error('EFSM')]);
  });

  it('should send again after it was drained', async () => {
    const socket = new FakeSocket();
    const queue = new SendQueue(socket, () => undefined);
    queue.send([Buffer.from('a')]);
    await queue.drained();
    queue.send([Buffer.from('b')]);
    await queue.drained();
    expect(socket.sent).toEqual(['a', 'b']);
  });
});
