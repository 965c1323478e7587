'use strict';
// Writes the exported symbols of the kernel in IMAGE to FILE and prints the
// milliseconds that took, without the start of the process and the loading of the code.
const { writeSymvers } = require('../kbuild/kernel-build');

async function main([image, file]) {
  const start = performance.now();
  await writeSymvers({ image }, file);
  console.log(performance.now() - start);
}

void main(process.argv.slice(2));
