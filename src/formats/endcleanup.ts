/**
 * Work that has to be undone when the process is told to end in the middle of it.
 *
 * @packageDocumentation
 */

/** What ends a process that does not listen to it. */
const ENDINGS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const undoings = new Set<() => void>();
let notice: (() => void) | undefined;

/**
 * Call `undo` where the process ends, or is told to end by a signal, before the function that is returned is called.
 *
 * #### Notes
 * `undo` is synchronous. After it the signal ends the process as it would have: at once, and with the status that shells show as 130 for
 * Ctrl-C. Where others listen to the signal too, what it means is theirs to say. As long as there is nothing to undo, nothing
 * listens, so that a process ends at once also while its thread is busy.
 */
export function undoAtEnd(undo: () => void): () => void {
  if (undoings.size === 0) {
    process.on('exit', undoAll);
    ENDINGS.forEach(signal => process.on(signal, onSignal));
  }
  undoings.add(undo);
  return () => {
    undoings.delete(undo);
    if (undoings.size === 0) {
      stopListening();
    }
  };
}

/** Call `listener` when work was undone because of a signal, before the process ends. One listener per process. */
export function whenUndone(listener: () => void): void {
  notice = listener;
}

function onSignal(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) {
    return;
  }
  undoAll();
  stopListening();
  notice?.();
  process.kill(process.pid, signal);
}

function undoAll(): void {
  for (const undo of undoings) {
    undo();
  }
  undoings.clear();
}

function stopListening(): void {
  process.removeListener('exit', undoAll);
  ENDINGS.forEach(signal => process.removeListener(signal, onSignal));
}
