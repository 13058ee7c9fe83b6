// A Node environment for tests that run onnxruntime or threads: native libraries and messages of threads make typed arrays of the
// outer realm, which `instanceof` checks of code inside the sandbox, onnxruntime-common's for one, would refuse (jest issue 7780).
const { TestEnvironment } = require('jest-environment-node');

// What the sandbox sets in its environment does not reach native libraries.
process.env.ORT_DISABLE_TELEMETRY = '1';

const SHARED = [
  'ArrayBuffer',
  'SharedArrayBuffer',
  'Float32Array',
  'Float64Array',
  'Int8Array',
  'Int16Array',
  'Int32Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Uint16Array',
  'Uint32Array',
  'BigInt64Array',
  'BigUint64Array'
];

module.exports = class OrtEnvironment extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    for (const name of SHARED) {
      this.global[name] = globalThis[name];
    }
  }
};
