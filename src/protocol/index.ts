export * from './census';
export * from './requests';
export * from './stats';
export * from './figures';
