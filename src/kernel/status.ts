/**
 * Busy and idle around every request.
 *
 * @packageDocumentation
 */
import type { Request } from './request';

/**
 * Publishes the kernel's state.
 *
 * #### Notes
 * Requests overlap: a completion is answered while a cell runs. Each still gets its own busy and idle, but clients show the
 * last state they saw, whomever it was for; so when a request ends while another is still going on, busy is published once
 * more for that one.
 */
export class Status {
  /** The request is being handled from now on. */
  begin(request: Request): void {
    this._active.add(request);
    request.publish('status', { execution_state: 'busy' });
  }

  /** The request has been answered: everything it caused has been published. */
  end(request: Request): void {
    if (!this._active.delete(request)) {
      return;
    }
    request.publish('status', { execution_state: 'idle' });
    for (const other of this._active) {
      other.publish('status', { execution_state: 'busy' });
      break;
    }
  }

  private readonly _active = new Set<Request>();
}
