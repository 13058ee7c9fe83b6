export { CastlensError, errorInfoOf } from './error';
export type { IErrorDetails } from './error';
export { CANCELLED, ERROR_CODES, partsOf, readErrorInfo } from './info';
export type { ErrorCode, IErrorInfo, IErrorParts } from './info';
export { errorMessage } from './message';
