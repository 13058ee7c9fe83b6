import type {
  DeliveryEvent,
  DeliveryState,
  ProcessEvent,
  ProcessState
} from '../../../src/kernel/enginestates';
import {
  nextDeliveryState,
  nextProcessState,
  outcomeOfLoss,
  outcomeOfReplacement
} from '../../../src/kernel/enginestates';

/** State, event, and the next state; null where the event cannot happen. */
const PROCESS: readonly (readonly [ProcessState, ProcessEvent, ProcessState | null])[] = [
  ['idle', 'start', 'running'],
  ['idle', 'end', null],
  ['idle', 'dispose', 'closed'],
  ['running', 'start', null],
  ['running', 'end', 'lost'],
  ['running', 'dispose', 'closed'],
  ['lost', 'start', 'running'],
  ['lost', 'end', null],
  ['lost', 'dispose', 'closed'],
  ['closed', 'start', null],
  ['closed', 'end', 'closed'],
  ['closed', 'dispose', 'closed']
];

const DELIVERY: readonly (readonly [DeliveryState, DeliveryEvent, DeliveryState | null])[] = [
  ['sent', 'miss', 'unsent'],
  ['sent', 'cancel', 'cancelling'],
  ['sent', 'resend', 'sent'],
  ['unsent', 'miss', null],
  ['unsent', 'cancel', 'cancelling'],
  ['unsent', 'resend', 'sent-again'],
  ['sent-again', 'miss', 'sent-again'],
  ['sent-again', 'cancel', 'cancelling'],
  ['sent-again', 'resend', 'sent-again'],
  ['cancelling', 'miss', 'cancelling'],
  ['cancelling', 'cancel', 'cancelling'],
  ['cancelling', 'resend', null]
];

describe('nextProcessState()', () => {
  it.each(PROCESS)('should lead from %s by %s to %s', (state, event, next) => {
    if (next === null) {
      expect(() => nextProcessState(state, event)).toThrow(`${event} cannot happen`);
    } else {
      expect(nextProcessState(state, event)).toBe(next);
    }
  });
});

describe('nextDeliveryState()', () => {
  it.each(DELIVERY)('should lead from %s by %s to %s', (state, event, next) => {
    if (next === null) {
      expect(() => nextDeliveryState(state, event)).toThrow(`${event} cannot happen`);
    } else {
      expect(nextDeliveryState(state, event)).toBe(next);
    }
  });

  it('should ask a process that never starts twice at most', () => {
    const missed = nextDeliveryState('sent', 'miss');
    expect(outcomeOfLoss(missed)).toBe('resend');
    const again = nextDeliveryState(nextDeliveryState(missed, 'resend'), 'miss');
    expect(outcomeOfLoss(again)).toBe('lost');
  });
});

describe('the end of a process', () => {
  it.each<[DeliveryState, string, string]>([
    ['sent', 'lost', 'resend'],
    ['unsent', 'resend', 'resend'],
    ['sent-again', 'lost', 'resend'],
    ['cancelling', 'cancelled', 'cancelled']
  ])('should decide about a request that is %s', (state, byItself, replaced) => {
    expect(outcomeOfLoss(state)).toBe(byItself);
    expect(outcomeOfReplacement(state)).toBe(replaced);
  });
});
