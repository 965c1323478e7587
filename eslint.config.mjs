import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/**
 * Which folders of src/ a folder may import, besides itself. Arrows point one
 * way: commands → cli → app → (device, archive, store) → core; device → adb.
 * `ui` sees core's events only.
 */
const MAY_IMPORT = {
  core: [],
  adb: ['core'],
  archive: ['core'],
  store: ['core'],
  ui: ['core'],
  device: ['adb', 'core'],
  simulator: ['archive', 'core'],
  kbuild: ['core'],
  app: ['adb', 'archive', 'core', 'device', 'kbuild', 'store'],
  cli: ['app', 'core', 'ui'],
  commands: ['app', 'cli', 'core', 'simulator', 'ui'],
};

/** Libraries that stay inside their folders. */
const AT_HOME = {
  '@devicefarmer/*': ['adb'],
  bluebird: ['adb'],
  '@oclif/*': ['cli', 'commands'],
  listr2: ['ui'],
  'tar-stream': ['archive', 'simulator'],
  picomatch: ['archive'],
  diff: ['archive'],
  'lzma-native': ['archive'],
  'xz-decompress': ['archive'],
};

const layerRules = Object.entries(MAY_IMPORT).map(([folder, allowed]) => {
  const strangers = Object.keys(MAY_IMPORT).filter((other) => other !== folder && !allowed.includes(other));
  const libraries = Object.entries(AT_HOME).filter(([, homes]) => !homes.includes(folder));
  const patterns = [
    ...strangers.map((other) => ({
      group: [`**/${other}`, `**/${other}/**`],
      message: `src/${folder} may import only: ${['itself', ...allowed].join(', ')} (docs/developing.md).`,
    })),
    ...libraries.map(([name, homes]) => ({
      group: [name, `${name}/**`],
      message: `Only src/${homes.join(' and src/')} may import ${name}.`,
    })),
  ];
  return {
    files: [`src/${folder}/**/*.ts`],
    rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns }] },
  };
});

export default tseslint.config(
  { ignores: ['dist', 'coverage', 'node_modules'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/only-throw-error': [
        'error',
        { allowThrowingAny: true, allowThrowingUnknown: true },
      ],
      '@typescript-eslint/prefer-promise-reject-errors': [
        'error',
        { allowThrowingAny: true, allowThrowingUnknown: true },
      ],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      'no-control-regex': 'off',
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      eqeqeq: 'error',
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/require-await': 'off',
      'max-lines-per-function': 'off',
    },
  },
  {
    files: ['**/*.js'],
    languageOptions: {
      sourceType: 'commonjs',
      globals: {
        require: 'readonly',
        module: 'writable',
        process: 'readonly',
        console: 'readonly',
        __dirname: 'readonly',
        Buffer: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        performance: 'readonly',
      },
    },
  },
  ...layerRules,
);
