'use strict';

const transform = { '^.+\\.ts$': ['ts-jest', { tsconfig: 'tsconfig.json' }] };

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
  projects: [
    tier('unit'),
    tier('integration', { testTimeout: 60_000 }),
    tier('e2e', { testTimeout: 180_000 }),
  ],
};
