'use strict';
// Loaded into kh with NODE_OPTIONS: symlink(2) fails as on a file system without symbolic links.
const fs = require('node:fs');
const refusal = () =>
  Object.assign(new Error('EPERM: operation not permitted, symlink'), { code: 'EPERM', syscall: 'symlink' });
fs.symlinkSync = () => {
  throw refusal();
};
fs.promises.symlink = () => Promise.reject(refusal());
