export { findInterpreters } from './interpreters';
export type { IInterpreter, ISearch } from './interpreters';
export { glanceAtPythons, installedTorch } from './glance';
export { inspectPython } from './inspect';
export type { IPythonEnvironment } from './inspect';
export { digestOf, notesOf, PackageCache } from './packagecache';
export type { IPackageKey } from './packagecache';
export { PythonWorker } from './worker';
