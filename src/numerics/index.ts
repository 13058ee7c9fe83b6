export * from './cast';
export * from './halffloat';
export * from './layout';
export * from './random';
export * from './tensor';
export * from './tensorstats';
export * from './timingstats';
