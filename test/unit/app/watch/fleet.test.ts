import fc from 'fast-check';
import type { ListedDevice } from '../../../../src/adb/device-list';
import type { Saying, WatchPolicy } from '../../../../src/app/watch/device-course';
import { createFleet, type Fleet } from '../../../../src/app/watch/fleet';
import { watchPolicy } from '../../../../src/app/watch/watch-policy';
import { errorReport, KhError, type ErrorCode, type ErrorReport } from '../../../../src/core/errors';
import { TIME_LIMITS } from '../../../../src/core/limits';

const ENDLESS = watchPolicy(TIME_LIMITS, false);
const ONCE = watchPolicy(TIME_LIMITS, true);
const HOUR = 3_600_000;

function failure(code: ErrorCode): ErrorReport {
  return errorReport(new KhError(code, { message: 'it failed' }));
}

function listed(serial: string, transportId: string, state = 'device'): ListedDevice {
  return { serial, state, transportId };
}

/** A fleet with a clock, in which pulls are counted. */
function rig(policy: WatchPolicy = ENDLESS) {
  let now = 0;
  const said: (Saying & { serial: string })[] = [];
  const fleet = createFleet(policy, (member, saying) =>
    said.push({ ...saying, serial: member.listed.serial }),
  );
  const begun: string[] = [];
  const begin = () => {
    fleet.elapse(now);
    for (let member = fleet.begin(now); member !== undefined; member = fleet.begin(now))
      begun.push(member.key);
  };
  return {
    fleet,
    said,
    begun,
    list: (...devices: ListedDevice[]) => fleet.list('server', devices, now),
    lose: () => fleet.serverLost('server', now),
    end: (error?: ErrorReport) => {
      const key = begun.at(-1);
      if (key === undefined) throw new Error('no pull has begun');
      fleet.ended(key, error, now);
    },
    /** Lets time pass as a watch does: from one due moment to the next. */
    wait: (milliseconds: number) => {
      const end = now + milliseconds;
      for (let due = fleet.nextDue(); due <= end; due = fleet.nextDue()) {
        now = Math.max(now, due);
        begin();
      }
      now = end;
      begin();
    },
    texts: () => said.splice(0).map(({ type }) => type),
  };
}

describe('a device of a watch', () => {
  it('is pulled for once it has been there for a moment, and not again while it stays', () => {
    const { list, wait, end, begun, texts } = rig();
    list(listed('A', '1'));
    expect(begun).toEqual([]);
    wait(ENDLESS.calm);
    expect(begun).toHaveLength(1);
    end();
    list(listed('A', '1'), listed('B', '2', 'offline'));
    wait(HOUR);
    expect(begun).toHaveLength(1);
    expect(texts()).toEqual(['appeared', 'appeared', 'unusable']);
  });

  it('is looked at again under another transport, without a word where it was back at once', () => {
    const { list, wait, end, begun, texts } = rig();
    list(listed('A', '1'));
    wait(1_000);
    end();
    list();
    wait(500);
    list(listed('A', '2'));
    wait(1_000);
    expect(begun).toHaveLength(2);
    expect(texts()).toEqual(['appeared']);
  });

  it('is told to be gone when it stays away, and to appear when it is back', () => {
    const { list, wait, end, begun, texts } = rig();
    list(listed('A', '1'));
    wait(1_000);
    end();
    list();
    wait(30_000);
    list(listed('A', '2', 'offline'));
    wait(1_000);
    list(listed('A', '2'));
    wait(5_000);
    expect(begun).toHaveLength(2);
    expect(texts()).toEqual(['appeared', 'vanished', 'appeared']);
  });

  it('is forgotten when it was gone for an hour', () => {
    const { fleet, list, wait, end, texts } = rig();
    list(listed('A', '1'));
    wait(1_000);
    end();
    list();
    wait(2 * HOUR);
    expect(fleet.size).toBe(0);
    expect(fleet.nextDue()).toBe(Infinity);
    expect(texts()).toEqual(['appeared', 'vanished', 'forgotten']);
  });

  it('is pulled for again at growing intervals when that fails, and told of once for each kind of failure', () => {
    const { list, wait, end, begun, said } = rig();
    list(listed('A', '1'));
    wait(300);
    const pauses: (number | undefined)[] = [];
    for (let attempt = 1; attempt <= 12; attempt += 1) {
      end(failure('TIMEOUT'));
      const last = said.at(-1);
      if (last?.type === 'failed') pauses.push(last.retryInMilliseconds);
      wait(pauses.at(-1) ?? 0);
      expect(begun).toHaveLength(attempt + 1);
    }
    expect(pauses.map((pause) => (pause ?? 0) / 1000)).toEqual([
      2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900,
    ]);
    const news = said.flatMap((saying) => (saying.type === 'failed' && saying.news ? [saying.attempt] : []));
    expect(news).toEqual([1, 10]);
    end(failure('VERIFY_MD5'));
    expect(said.at(-1)).toMatchObject({ type: 'failed', news: true });
  });

  it('begins with short pauses again after a success', () => {
    const { list, wait, end, said } = rig();
    list(listed('A', '1'));
    wait(300);
    for (const error of [failure('TIMEOUT'), failure('TIMEOUT'), undefined]) {
      end(error);
      wait(10_000);
    }
    list(listed('A', '2'));
    wait(10_000);
    end(failure('TIMEOUT'));
    expect(said.at(-1)).toMatchObject({ attempt: 1, retryInMilliseconds: 2_000, news: true });
  });

  it('that has no headers to give is asked rarely: root may be asked for on its screen', () => {
    const { list, wait, end, said } = rig();
    list(listed('A', '1'));
    wait(300);
    end(failure('HEADERS_DENIED'));
    expect(said.at(-1)).toMatchObject({ retryInMilliseconds: 900_000, news: true });
    wait(900_000);
    end(failure('HEADERS_DENIED'));
    expect(said.at(-1)).toMatchObject({ retryInMilliseconds: 900_000, news: false });
  });

  it('that is listed anew while its pull runs is pulled for again when that is over', () => {
    const { list, wait, end, begun } = rig();
    list(listed('A', '1'));
    wait(300);
    list();
    list(listed('A', '2'));
    wait(HOUR);
    expect(begun).toHaveLength(1);
    end(failure('DEVICE_LOST'));
    wait(1_000);
    expect(begun).toHaveLength(2);
  });

  it('that goes while its pull runs is not waited for, and pulled for when it is back', () => {
    const { list, wait, end, begun, texts } = rig();
    list(listed('A', '1'));
    wait(300);
    list();
    end(failure('DEVICE_LOST'));
    wait(60_000);
    expect(texts()).toEqual(['appeared', 'failed', 'vanished']);
    list(listed('A', '2'));
    wait(1_000);
    expect(begun).toHaveLength(2);
  });

  it('that comes and goes is left alone for longer and longer', () => {
    const { list, wait, end, begun } = rig();
    for (let time = 0; time < 600; time += 1) {
      list(listed('A', String(time)));
      wait(900);
      if (begun.length > 0) end();
      list();
      wait(100);
    }
    expect(begun.length).toBeLessThan(5);
    list(listed('A', 'at last'));
    wait(ENDLESS.longestCalm);
    expect(begun.length).toBeGreaterThan(1);
  });

  it('that waits for its owner is told of once, and pulled for once it is authorized', () => {
    const { list, wait, begun, said } = rig();
    list(listed('A', '1', 'unauthorized'));
    wait(1_900);
    expect(said).toHaveLength(1);
    wait(60_000);
    expect(said.at(-1)).toMatchObject({ type: 'unusable', error: { code: 'DEVICE_UNAUTHORIZED' } });
    list(listed('A', '1', 'offline'));
    list(listed('A', '1', 'unauthorized'));
    wait(60_000);
    expect(said.at(-1)).toMatchObject({ type: 'unusable', news: false });
    list(listed('A', '1'));
    wait(1_000);
    expect(begun).toHaveLength(1);
  });

  it('is not gone because its server is; only a server that is back without it says so', () => {
    const { list, lose, wait, end, begun, texts } = rig();
    list(listed('A', '1'), listed('B', '2'));
    wait(300);
    for (const key of [...begun]) {
      begun.push(key);
      end();
    }
    begun.length = 0;
    lose();
    wait(HOUR);
    expect(texts()).toEqual(['appeared', 'appeared']);
    list(listed('A', '1'));
    wait(10_000);
    expect(texts()).toEqual(['vanished']);
    expect(begun).toEqual([expect.stringContaining('"A"')]);
  });

  it('with the serial of another is told apart by its port, or else by its transport', () => {
    const { fleet, list, wait, begun } = rig();
    const twin = { serial: '0123456789ABCDEF', state: 'device' };
    list(
      { ...twin, devpath: 'usb:1-1', transportId: '1' },
      { ...twin, devpath: 'usb:1-2', transportId: '2' },
    );
    wait(300);
    expect(new Set(begun).size).toBe(2);
    list(listed('X', '3'), listed('X', '4'));
    wait(1_000);
    expect(fleet.size).toBe(4);
    expect(new Set(begun).size).toBe(4);
  });
});

describe('with --once a device', () => {
  it('is given up after three attempts', () => {
    const { fleet, list, wait, end, begun, said } = rig(ONCE);
    list(listed('A', '1'));
    wait(300);
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      expect(fleet.settled()).toBe(false);
      end(failure('TIMEOUT'));
      wait(10_000);
    }
    expect(begun).toHaveLength(3);
    expect(said.at(-1)).toEqual({ ...said.at(-1), type: 'failed', attempt: 3, news: false });
    expect(said.at(-1)).not.toHaveProperty('retryInMilliseconds');
    expect(fleet.settled()).toBe(true);
  });

  it('is given up at once where trying again is of no use', () => {
    const { fleet, list, wait, end } = rig(ONCE);
    list(listed('A', '1'));
    wait(300);
    end(failure('HEADERS_ABSENT'));
    expect(fleet.settled()).toBe(true);
  });

  it('that settles, or went for a moment, is waited for', () => {
    const { fleet, list, wait } = rig(ONCE);
    list(listed('A', '1', 'offline'));
    expect(fleet.settled()).toBe(false);
    wait(TIME_LIMITS.settle);
    expect(fleet.settled()).toBe(true);
    list();
    expect(fleet.settled()).toBe(false);
    wait(TIME_LIMITS.settle);
    expect(fleet.settled()).toBe(true);
  });
});

type Move =
  | { do: 'list'; devices: { serial: string; transportId: string; state: string }[] }
  | { do: 'lose' }
  | { do: 'wait'; milliseconds: number }
  | { do: 'end'; which: number; fails: boolean };

const device = fc.record({
  serial: fc.constantFrom('A', 'B', 'C'),
  transportId: fc.constantFrom('1', '2', '3', '4', '5'),
  state: fc.constantFrom('device', 'device', 'offline', 'unauthorized', 'recovery'),
});
const move: fc.Arbitrary<Move> = fc.oneof(
  fc.record({ do: fc.constant('list' as const), devices: fc.array(device, { maxLength: 4 }) }),
  fc.record({ do: fc.constant('lose' as const) }),
  fc.record({ do: fc.constant('wait' as const), milliseconds: fc.constantFrom(1, 200, 2_500, 20_000, HOUR) }),
  fc.record({ do: fc.constant('end' as const), which: fc.nat(3), fails: fc.boolean() }),
);

/** Plays moves, and keeps what must hold at every moment. */
function play(moves: Move[], jobs: number) {
  let now = 0;
  const running: string[] = [];
  const there = new Map<string, boolean>();
  const fleet: Fleet = createFleet(ENDLESS, ({ key }, { type }) => {
    if (type !== 'appeared' && type !== 'vanished') return;
    expect(there.get(key) ?? false).toBe(type === 'vanished');
    there.set(key, type === 'appeared');
  });
  const begin = () => {
    fleet.elapse(now);
    while (running.length < jobs) {
      const member = fleet.begin(now);
      if (member === undefined) break;
      expect(running).not.toContain(member.key);
      expect(member.listed.state).toBe('device');
      running.push(member.key);
    }
  };
  const wait = (milliseconds: number) => {
    const end = now + milliseconds;
    let turns = 0;
    for (let due = fleet.nextDue(); due <= end; due = fleet.nextDue()) {
      expect((turns += 1)).toBeLessThan(100);
      now = Math.max(now, due);
      begin();
    }
    now = end;
    begin();
  };
  const end = (which: number, fails: boolean) => {
    const [key] = running.splice(which % Math.max(running.length, 1), 1);
    if (key !== undefined) fleet.ended(key, fails ? failure('DEVICE_LOST') : undefined, now);
    begin();
    return key;
  };
  for (const next of moves) {
    if (next.do === 'list') fleet.list('server', next.devices, now);
    else if (next.do === 'lose') fleet.serverLost('server', now);
    else if (next.do === 'wait') wait(next.milliseconds);
    else end(next.which, next.fails);
    begin();
  }
  return { fleet, wait, end, list: (devices: ListedDevice[]) => fleet.list('server', devices, now) };
}

describe('whatever happens', () => {
  it('no device is forgotten, and none is pulled for twice at a time', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 60 }), fc.integer({ min: 1, max: 3 }), (moves, jobs) => {
        const { wait, end, list } = play(moves, jobs);
        const names = ['A', 'B', 'C', 'D'];
        list(names.map((serial) => listed(serial, `last ${serial}`)));
        const done = new Set<string>();
        for (let round = 0; round < 40; round += 1) {
          wait(ENDLESS.longestRetry);
          const key = end(0, false);
          const name = names.find((serial) => key === JSON.stringify(['server', serial, '']));
          if (name !== undefined) done.add(name);
        }
        expect([...done].sort()).toEqual(names);
      }),
      { numRuns: 300 },
    );
  });

  it('nothing is left of devices that are gone for good', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 60 }), (moves) => {
        const { fleet, wait, end, list } = play(moves, 3);
        for (let round = 0; round < 12; round += 1) {
          list([]);
          wait(HOUR);
          end(0, true);
        }
        wait(3 * HOUR);
        expect(fleet.size).toBe(0);
        expect(fleet.nextDue()).toBe(Infinity);
      }),
      { numRuns: 300 },
    );
  });
});
