export * from './census';
export * from './fileversion';
export * from './parameters';
export * from './printable';
export * from './regions';
export * from './requests';
export * from './stats';
export * from './figures';
