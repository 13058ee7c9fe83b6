// What the JupyterLab packages use while they are loaded or render and jsdom does not have.
if (typeof window !== 'undefined') {
  const { TextDecoder, TextEncoder } = require('node:util');
  const { ReadableStream } = require('node:stream/web');

  class ResizeObserver {
    observe() {}
    unobserve() {}
    disconnect() {}
  }

  const missing = {
    DragEvent: class DragEvent extends MouseEvent {},
    IntersectionObserver: ResizeObserver,
    ReadableStream,
    ResizeObserver,
    TextDecoder,
    TextEncoder,
    fetch: () => Promise.reject(new Error('no network in unit tests')),
    Headers: class Headers {},
    Request: class Request {},
    Response: class Response {},
    requestIdleCallback: callback => setTimeout(callback, 0),
    cancelIdleCallback: clearTimeout,
    matchMedia: () => ({ matches: false, addEventListener() {}, removeEventListener() {} })
  };
  for (const [name, value] of Object.entries(missing)) {
    if (!(name in globalThis)) {
      Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
    }
  }

  // jsdom has no canvas and prints an error for every attempt.
  HTMLCanvasElement.prototype.getContext = () => null;
}
