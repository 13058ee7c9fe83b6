/**
 * Joins small pieces of output into fewer messages.
 *
 * @packageDocumentation
 */
import type { Request } from './request';

/** Which stream. */
export type StreamName = 'stdout' | 'stderr';

/**
 * Output waiting to be published.
 *
 * #### Notes
 * Pieces of one request and stream are joined for a moment; {@link StreamBuffer.flush} must be called before anything else is
 * published that should come after them.
 */
export class StreamBuffer {
  /** Add output of a request. */
  write(request: Request, name: StreamName, text: string): void {
    if (request !== this._request || name !== this._name) {
      this.flush();
      this._request = request;
      this._name = name;
    }
    this._pieces.push(text);
    this._timer ??= setTimeout(() => this.flush(), Private.DELAY_MS);
  }

  /** Publish what is waiting. */
  flush(): void {
    clearTimeout(this._timer);
    this._timer = undefined;
    if (this._request && this._pieces.length > 0) {
      this._request.publish('stream', { name: this._name, text: this._pieces.join('') });
    }
    this._request = null;
    this._pieces = [];
  }

  private _request: Request | null = null;
  private _name: StreamName = 'stdout';
  private _pieces: string[] = [];
  private _timer: NodeJS.Timeout | undefined;
}

/**
 * The namespace for module statics.
 */
namespace Private {
  /** How long output may wait for more, milliseconds: too short to be noticed. */
  export const DELAY_MS = 20;
}
