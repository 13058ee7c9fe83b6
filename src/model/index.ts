export * from './dim';
export * from './dtype';
export * from './errors';
export * from './exportedmodel';
export * from './graph';
export * from './guard';
export * from './operators';
export * from './weight';
