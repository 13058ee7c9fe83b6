/**
 * The states of an engine process and of what it is asked, and how one follows from another. Pure.
 *
 * @packageDocumentation
 */

/**
 * - `idle`: none was needed yet.
 * - `running`
 * - `lost`: it has ended, and the next request starts another.
 * - `closed`: no other is started.
 */
export type ProcessState = 'idle' | 'running' | 'lost' | 'closed';

/**
 * - `start`: a process is started.
 * - `end`: the process has ended, whatever ended it.
 * - `dispose`: no engine is needed any more.
 */
export type ProcessEvent = 'start' | 'end' | 'dispose';

const PROCESS: Transitions<ProcessState, ProcessEvent> = {
  idle: { start: 'running', dispose: 'closed' },
  running: { end: 'lost', dispose: 'closed' },
  lost: { start: 'running', dispose: 'closed' },
  closed: { end: 'closed', dispose: 'closed' }
};

/**
 * - `sent`: handed to the process.
 * - `unsent`: the process had ended before it could be asked.
 * - `sent-again`: handed to the next process for that reason, which happens once.
 * - `cancelling`: the process was told to give up, and has not answered.
 */
export type DeliveryState = 'sent' | 'unsent' | 'sent-again' | 'cancelling';

/**
 * - `miss`: the process had ended before it could be asked.
 * - `cancel`: whoever asked gave up.
 * - `resend`: the process is gone, and the next one is asked.
 */
export type DeliveryEvent = 'miss' | 'cancel' | 'resend';

const DELIVERY: Transitions<DeliveryState, DeliveryEvent> = {
  sent: { miss: 'unsent', cancel: 'cancelling', resend: 'sent' },
  unsent: { cancel: 'cancelling', resend: 'sent-again' },
  'sent-again': { miss: 'sent-again', cancel: 'cancelling', resend: 'sent-again' },
  cancelling: { miss: 'cancelling', cancel: 'cancelling' }
};

/** What becomes of a request when the process is gone: it fails with it, is asked again, or has been given up. */
export type Outcome = 'lost' | 'resend' | 'cancelled';

/**
 * What becomes of a request when the process has ended by itself. Any that it had may be the cause of that.
 */
export function outcomeOfLoss(state: DeliveryState): Outcome {
  switch (state) {
    case 'sent':
    case 'sent-again':
      return 'lost';
    case 'unsent':
      return 'resend';
    case 'cancelling':
      return 'cancelled';
  }
}

/** What becomes of a request when the process was replaced because of another one. */
export function outcomeOfReplacement(state: DeliveryState): Outcome {
  return state === 'cancelling' ? 'cancelled' : 'resend';
}

/** @throws Error where the event cannot happen in that state. */
export function nextProcessState(state: ProcessState, event: ProcessEvent): ProcessState {
  return follow(PROCESS, state, event);
}

/** @throws Error where the event cannot happen in that state. */
export function nextDeliveryState(state: DeliveryState, event: DeliveryEvent): DeliveryState {
  return follow(DELIVERY, state, event);
}

type Transitions<S extends string, E extends string> = Readonly<
  Record<S, Readonly<Partial<Record<E, S>>>>
>;

function follow<S extends string, E extends string>(
  transitions: Transitions<S, E>,
  state: S,
  event: E
): S {
  const next = transitions[state][event];
  if (next === undefined) {
    throw new Error(`${event} cannot happen in state ${state}`);
  }
  return next;
}
