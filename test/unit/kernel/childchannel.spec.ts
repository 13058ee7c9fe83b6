/**
 * Child processes that the system refuses to start, in each of the ways that Node tells of it.
 */
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { EventEmitter } from 'node:events';

import type { IExit } from '../../../src/kernel/childchannel';
import { ChildChannel, describeExit, startHint } from '../../../src/kernel/childchannel';
import { EvaluatorClient } from '../../../src/kernel/evaluatorclient';
import type { IEvaluatorEvents } from '../../../src/kernel/evaluatorclient';
import { EngineSupervisor } from '../../../src/kernel/supervisor';

jest.mock('node:child_process', () => ({ fork: jest.fn() }));

const failureOf = (code: string): Error => Object.assign(new Error(`spawn ${code}`), { code });

/** A process that never ran: no id, no channel. */
function unborn(streams: object | undefined, code: string): ChildProcess {
  const child = Object.assign(new EventEmitter(), {
    pid: undefined,
    connected: false,
    kill: () => false,
    ...streams
  });
  process.nextTick(() => child.emit('error', failureOf(code)));
  return child as unknown as ChildProcess;
}

const streams = () => ({
  stdio: [null, null, null, null, null],
  stdout: Object.assign(new EventEmitter(), { setEncoding: () => new EventEmitter() }),
  stderr: Object.assign(new EventEmitter(), { setEncoding: () => new EventEmitter() })
});

const WAYS: readonly [string, string, () => ChildProcess][] = [
  [
    'throws',
    'ENOMEM',
    () => {
      throw failureOf('ENOMEM');
    }
  ],
  ['gives a process without streams', 'EMFILE', () => unborn(undefined, 'EMFILE')],
  ['gives a process that never ran', 'EAGAIN', () => unborn(streams(), 'EAGAIN')],
  ['knows no such program', 'ENOENT', () => unborn(streams(), 'ENOENT')]
];

describe.each(WAYS)('where fork %s', (_way, code, make) => {
  beforeEach(() => jest.mocked(fork).mockImplementation(make));

  it('should tell of the end of a process, with the reason', async () => {
    const onExit = jest.fn<void, [IExit]>();
    const channel = new ChildChannel({
      script: 'none.js',
      guarded: false,
      onMessage: () => undefined,
      onOutput: () => undefined,
      onExit
    });
    const onUnsent = jest.fn();
    channel.send({}, onUnsent);
    channel.signal('x');
    expect(onUnsent).toHaveBeenCalledTimes(1);
    const exit = await channel.exited;
    expect(exit).toMatchObject({ code: null, signal: null, expected: false });
    expect(describeExit(exit)).toBe(`could not be started (spawn ${code})`);
    expect(startHint(exit) === undefined).toBe(code === 'ENOENT');
    expect(onExit.mock.calls).toEqual([[exit]]);
    expect(channel.alive).toBe(false);
    channel.kill();
  });

  it('should answer every request', async () => {
    const engine = new EngineSupervisor({
      script: 'none.js',
      onState: () => undefined,
      onOutput: () => undefined
    });
    const answers = await Promise.allSettled([engine.ask('devices', {}), engine.ask('open', {})]);
    for (const answer of answers) {
      expect(answer).toMatchObject({
        status: 'rejected',
        reason: { info: { code: 'engine-lost', found: `spawn ${code}` } }
      });
    }
    await engine.dispose();
  });

  it('should end every cell and answer every question', async () => {
    const events = { onStream: () => undefined, onLost: () => undefined };
    const evaluator = new EvaluatorClient({
      script: 'none.js',
      events: events as unknown as IEvaluatorEvents
    });
    const question = evaluator.isComplete('1');
    const cell = { code: '1', count: 1, userExpressions: {} };
    for (const id of [1, 2]) {
      expect(await evaluator.execute({ id, ...cell })).toMatchObject({
        status: 'error',
        error: { ename: 'EvaluatorLost', evalue: expect.stringContaining(code) as string }
      });
    }
    expect(await question).toEqual({ status: 'unknown', indent: '' });
    evaluator.interrupt();
    await evaluator.dispose();
  });
});
