export type { ICodeFacts, ICodeWeight } from './facts';
export { strategiesFor, writeTorchCode } from './write';
