'use strict';

const transform = { '^.+\\.ts$': ['ts-jest', { tsconfig: 'tsconfig.json' }] };

const patience = ['<rootDir>/test/support/patience.ts'];

/** One project a tier: `jest --selectProjects unit`. */
const tier = (name, extra = {}) => ({
  displayName: name,
  testEnvironment: 'node',
  roots: [`<rootDir>/test/${name}`],
  testMatch: ['**/*.test.ts'],
  transform,
  modulePathIgnorePatterns: ['<rootDir>/dist'],
  ...extra,
});

module.exports = {
  verbose: true,
  // Tests wait for processes of kh more than they compute: jest's own choice leaves one processor of two idle.
  maxWorkers: '100%',
  projects: [
    tier('unit', { setupFilesAfterEnv: patience }),
    tier('integration', { setupFilesAfterEnv: patience }),
    tier('e2e', { setupFilesAfterEnv: patience }),
    tier('fuzz'),
  ],
};
