export * from './census';
export * from './fileversion';
export * from './printable';
export * from './regions';
export * from './requests';
export * from './stats';
export * from './figures';
