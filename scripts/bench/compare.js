'use strict';
// Runs a comparison: baseline and kh take turns, so that whatever else the
// machine does meanwhile hits both.

/**
 * @returns for the baseline and each case, in that order: name, command, the
 *   times of all runs and their median, and what kh is to reach
 */
async function compare({ title, baseline, skipped, cases, rehearse }, runs, scratch) {
  const inFolder = async (work) => {
    const folder = scratch.folder();
    const made = await work(folder);
    scratch.release(folder);
    return made;
  };
  if (rehearse !== undefined) await inFolder(rehearse);
  const parties = [...(baseline === undefined ? [] : [[baseline]]), cases];
  const samples = new Map(parties.flat().map((party) => [party, []]));
  for (let run = 0; run < runs; run += 1) {
    for (const party of run % 2 === 0 ? parties : parties.toReversed()) {
      await inFolder(async (folder) => {
        for (const one of party) samples.get(one).push(await one.measure(folder));
      });
    }
  }
  const rows = [...samples].map(([party, taken]) => row(party, taken, samples.get(baseline)));
  return { title, ...(skipped === undefined ? {} : { skipped }), rows };
}

function row({ name, command, target, targetSeconds }, samples, baselineSamples) {
  const milliseconds = samples.map((sample) => sample.milliseconds);
  const peaks = samples.flatMap(({ peakBytes }) => (peakBytes === undefined ? [] : [peakBytes]));
  const isBaseline = samples === baselineSamples;
  const compared = baselineSamples !== undefined && !isBaseline;
  return {
    name,
    command,
    runs: samples.length,
    milliseconds,
    median: median(milliseconds),
    ...(compared ? { ratio: median(milliseconds) / median(baselineSamples.map((s) => s.milliseconds)) } : {}),
    ...(target === undefined ? {} : { target }),
    ...(targetSeconds === undefined ? {} : { targetSeconds }),
    ...(peaks.length === 0 ? {} : { peakBytes: Math.max(...peaks) }),
  };
}

function median(numbers) {
  const sorted = [...numbers].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

module.exports = { compare };
