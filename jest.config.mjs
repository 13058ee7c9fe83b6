// `unit` runs in one process without sockets; `protocol` and `cuda` start real processes.
const transformed = [
  '@jupyterlab/',
  '@jupyter/',
  '@lumino/',
  '@microsoft/',
  '@rjsf/',
  '@bufbuild/',
  'apache-arrow',
  'flatbuffers',
  'lib0/',
  'y-protocols/',
  'yjs/',
  'y-websocket/',
  'lodash-es/',
  'exenv-es6',
  'nanoid/',
  'tinybench',
  'typebox',
  'fast-check',
  'pure-rand'
];

const shared = {
  testEnvironment: 'node',
  setupFiles: ['<rootDir>/test/support/jsdomshims.cjs'],
  transform: {
    '/docs/findings/README\\.md$': '<rootDir>/test/support/embedpages.cjs',
    '\\.(svg|py)$': '<rootDir>/test/support/texttransform.cjs',
    '/src/simd/index\\.ts$': '<rootDir>/test/support/embedwasm.cjs',
    '/src/runtime/weightworker/main\\.ts$': '<rootDir>/test/support/embedscript.cjs',
    '\\.(ts|tsx|js|mjs)$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', tsx: true },
          transform: { react: { runtime: 'automatic' } }
        },
        module: { type: 'commonjs' }
      }
    ]
  },
  transformIgnorePatterns: [`/node_modules/(?!(${transformed.join('|')}))`],
  moduleFileExtensions: ['ts', 'tsx', 'js', 'mjs', 'cjs', 'json', 'node'],
  moduleNameMapper: {
    '\\.css$': '<rootDir>/test/support/empty.cjs',
    '^(\\..*)\\?(script|wasm|pages)$': '$1'
  },
  modulePathIgnorePatterns: ['<rootDir>/(dist|build|lib|castlens)/', '<rootDir>/\\.venv']
};

export default {
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['<rootDir>/test/unit/**/*.spec.{ts,tsx}']
    },
    {
      ...shared,
      displayName: 'protocol',
      testMatch: ['<rootDir>/test/protocol/**/*.spec.ts'],
      setupFilesAfterEnv: ['<rootDir>/test/support/longtimeout.cjs']
    },
    {
      ...shared,
      displayName: 'cuda',
      testMatch: ['<rootDir>/test/cuda/**/*.spec.ts'],
      setupFilesAfterEnv: ['<rootDir>/test/support/longtimeout.cjs']
    }
  ]
};
