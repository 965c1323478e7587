'use strict';
// Comparisons as a person reads them.
const { humanBytes } = require('../../dist/core/human');

/** The most memory that kh is to take, in bytes. */
const PEAK_TARGET = 160 * 2 ** 20;

function heading({ machine, archive, scratch, runs }) {
  const { kh, node, platform, cpu, memory, tools } = machine;
  const { bytes, entries, treeBytes, made, md5 } = archive;
  return [
    `kh ${kh} on node ${node}, ${platform}, ${cpu}, ${memory}`,
    tools.join(', '),
    `${runs} runs each, taking turns; folders ${scratch.inMemory ? 'in memory' : 'on disk: expect noise'}`,
    `archive: ${humanBytes(bytes)}, ${entries} entries, ${humanBytes(treeBytes)} unpacked, ${made ? 'made' : 'given'}, md5 ${md5}`,
    '',
  ].join('\n');
}

function comparisonText({ title, skipped, rows }) {
  const width = Math.max(24, ...rows.map(({ name }) => name.length));
  return [
    title,
    `  ${''.padEnd(width)}  ${COLUMNS}`,
    ...(skipped === undefined ? [] : [`  no baseline: ${skipped}`]),
    ...rows.map((row) => `  ${row.name.padEnd(width)}  ${figures(row)}`.trimEnd()),
    ...rows.flatMap(({ name, command }) => [
      `  ${name}:`,
      ...command.split('\n').map((line) => `    ${line}`),
    ]),
    '',
  ].join('\n');
}

const COLUMNS = '  median      best   ratio  to reach        peak memory';

function figures({ median, milliseconds, ratio, target, targetSeconds, peakBytes }) {
  return [
    seconds(median).padStart(8),
    seconds(Math.min(...milliseconds)).padStart(8),
    (ratio === undefined ? '' : ratio.toFixed(2)).padStart(6),
    (targetSeconds === undefined
      ? verdict(ratio, target, `≤ ${target}`)
      : verdict(median / 1000, targetSeconds, `≤ ${targetSeconds} s`)
    ).padEnd(14),
    peakBytes === undefined ? '' : `${humanBytes(peakBytes)}, ${verdict(peakBytes, PEAK_TARGET, '≤ 160 MB')}`,
  ].join('  ');
}

function verdict(value, target, text) {
  if (value === undefined || target === undefined) return '';
  return `${text} ${value <= target ? 'ok' : 'missed'}`;
}

function seconds(milliseconds) {
  return `${(milliseconds / 1000).toFixed(3)} s`;
}

module.exports = { comparisonText, heading };
