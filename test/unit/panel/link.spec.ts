import { KernelLink } from '../../../src/panel/link';
import { FakeKernel, FakeSession } from './fakesession';

async function setup(kernel: FakeKernel | null = new FakeKernel('one')) {
  const session = new FakeSession();
  session.kernel = kernel;
  const errors: unknown[] = [];
  const link = new KernelLink({
    sessionContext: session.asContext(),
    reportError: error => errors.push(error)
  });
  await answered();
  return { session, link, errors };
}

/** Until an opening that is answered at once has been heard of. */
const answered = () => new Promise(resolve => setImmediate(resolve));

describe('KernelLink', () => {
  it('should connect to a kernel that is there', async () => {
    const { session, link } = await setup();
    expect(link.state).toBe('ready');
    expect(session.kernel!.comm.isOpen).toBe(true);
  });

  it('should connect to a kernel whose status is not known yet', async () => {
    expect((await setup(new FakeKernel('one', 'unknown'))).link.state).toBe('ready');
  });

  it('should wait for a kernel that is being started', async () => {
    const { session, link } = await setup(null);
    expect(link.state).toBe('starting');
    session.setKernel(new FakeKernel('one'));
    await answered();
    expect(link.state).toBe('ready');
  });

  it('should wait for the connection to a kernel', async () => {
    const { session, link } = await setup(new FakeKernel('one', 'unknown', 'connecting'));
    expect(link.state).toBe('starting');
    session.setConnection('connected');
    await answered();
    expect(link.state).toBe('ready');
  });

  it('should keep its comm while the connection is interrupted', async () => {
    const { session, link } = await setup();
    const client = link.client;
    session.setConnection('connecting');
    session.setConnection('connected');
    expect(link.client).toBe(client);
    expect(session.kernel!.comms).toHaveLength(1);
  });

  it('should say that there is no kernel', async () => {
    const { session, link } = await setup();
    session.kernelDisplayStatus = 'unknown';
    session.setKernel(null);
    expect(link.state).toBe('none');
    expect(link.client).toBeNull();
  });

  it.each(['restarting', 'autorestarting'])('should open a new comm after %s', async status => {
    const { session, link } = await setup();
    const reply = link.client!.request('open', { path: 'model.pt2' });
    session.setStatus(status);
    await expect(reply).rejects.toMatchObject({ info: { code: 'engine-lost' } });
    expect(link.state).toBe('starting');
    session.setStatus('idle');
    await answered();
    expect(link.state).toBe('ready');
    expect(session.kernel!.comms).toHaveLength(2);
  });

  it('should open a new comm where a restart disposed the old one silently', async () => {
    const { session, link } = await setup();
    session.kernel!.comm.dispose();
    session.setStatus('busy');
    await answered();
    expect(link.state).toBe('ready');
    expect(session.kernel!.comms).toHaveLength(2);
  });

  it('should say that the kernel died', async () => {
    const { session, link } = await setup();
    session.setStatus('dead');
    expect(link.state).toBe('dead');
  });

  it('should follow the document to another kernel', async () => {
    const { session, link } = await setup();
    const states: string[] = [];
    link.stateChanged.connect((_, state) => states.push(state));
    const other = new FakeKernel('two');
    session.setKernel(other);
    expect(other.comms).toHaveLength(1);
    expect(link.kernelId).toBe('two');
  });

  it('should not ask a kernel again that does not know castlens', async () => {
    const { session, link } = await setup();
    session.kernel!.comm.closeFromKernel();
    expect(link.state).toBe('foreign');
    session.setStatus('busy');
    session.setStatus('idle');
    expect(link.state).toBe('foreign');
    expect(session.kernel!.comms).toHaveLength(1);
  });

  it('should use a connection of its own where another one of the page has the comms', async () => {
    const kernel = new FakeKernel('one', 'idle', 'connected', false);
    const { link } = await setup(kernel);
    expect(link.state).toBe('ready');
    expect(kernel.comms).toHaveLength(0);
    expect(kernel.clones[0].comms).toHaveLength(1);
    link.dispose();
    expect(kernel.clones[0].isDisposed).toBe(true);
  });

  it('should take nothing said during a restart for the new kernel', async () => {
    const { session, link } = await setup();
    session.kernelDisplayStatus = 'restarting';
    session.setStatus('restarting');
    session.setStatus('busy');
    session.setStatus('idle');
    expect(link.state).toBe('starting');
    expect(session.kernel!.comms).toHaveLength(1);
    session.kernelDisplayStatus = 'idle';
    session.setKernel(session.kernel);
    await answered();
    expect(link.state).toBe('ready');
    expect(session.kernel!.comms).toHaveLength(2);
  });

  describe('an opening that is not answered', () => {
    beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate'] }));
    afterEach(() => jest.useRealTimers());

    async function setupDeaf() {
      const kernel = new FakeKernel('one');
      kernel.prepare = comm => (comm.answersOpening = false);
      return { kernel, ...(await setup(kernel)) };
    }

    it('should keep requests back', async () => {
      const { link } = await setupDeaf();
      expect(link.state).toBe('starting');
      expect(link.client).toBeNull();
    });

    it('should be repeated with another comm, less and less often', async () => {
      const { kernel, link } = await setupDeaf();
      jest.advanceTimersByTime(2000);
      expect(kernel.comms).toHaveLength(2);
      expect(kernel.comms[0].isDisposed).toBe(true);
      jest.advanceTimersByTime(2000);
      expect(kernel.comms).toHaveLength(2);
      jest.advanceTimersByTime(2000);
      expect(kernel.comms).toHaveLength(3);
      kernel.comm.opening.resolve();
      await answered();
      expect(link.state).toBe('ready');
      jest.advanceTimersByTime(60_000);
      expect(kernel.comms).toHaveLength(3);
    });

    it('should not be repeated after disposal', async () => {
      const { kernel, link } = await setupDeaf();
      link.dispose();
      jest.advanceTimersByTime(60_000);
      expect(kernel.comms).toHaveLength(1);
    });
  });

  describe('#dispose()', () => {
    it('should close the comm and stop listening', async () => {
      const { session, link } = await setup();
      link.dispose();
      expect(session.kernel!.comm.isDisposed).toBe(true);
      session.setStatus('idle');
      expect(session.kernel!.comms).toHaveLength(1);
    });
  });
});
