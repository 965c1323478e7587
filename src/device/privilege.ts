import type { AdbDevice, RootReply } from '../adb/adb-device';
import { KhError } from '../core/errors';
import type { Work } from '../core/work';
import { bounds } from './bounds';
import { outputText, runWith, type Access, type SuDialect } from './access';

/** How far to climb: `auto` tries `adb root`, then su. */
export type PrivilegeChoice = 'auto' | 'none' | 'adb-root' | 'su';

/** Su on a rooted phone may ask its owner, who has this long to answer. */
const SU_ANSWER_TIMEOUT = 15_000;

/** A step of the ladder that did not hold, in words for an error's hint. */
export interface Refusal {
  step: 'adb-root' | 'su';
  why: string;
}

/** What restarting adbd needs from the adb server: the device again, under its new transport. */
export type Reopen = (device: AdbDevice, signal: AbortSignal) => Promise<AdbDevice>;

/** Where a climb ended: as root where `access.root`, else below, with every refusal met on the way. */
export interface Climb {
  /** Not the one that the climb began with where adbd was restarted, even in vain. */
  access: Access;
  refusals: Refusal[];
}

/**
 * Climbs to root by the steps that `choice` allows.
 *
 * `adb root` is tried first, as it changes nothing in how commands run; adbd
 * then stays root until `adb unroot` or a reboot.
 *
 * @throws KhError DEVICE_LOST, TIMEOUT when the device does not come back
 */
export async function climb(
  access: Access,
  choice: PrivilegeChoice,
  reopen: Reopen,
  work: Work,
): Promise<Climb> {
  const climbed: Climb = { access, refusals: [] };
  const steps: [PrivilegeChoice, (from: Access) => Promise<Step>][] = [
    ['adb-root', (from) => tryAdbRoot(from, reopen, work)],
    ['su', (from) => trySu(from, work)],
  ];
  for (const [step, attempt] of steps) {
    if (choice !== 'auto' && choice !== step) continue;
    const { access: reached, refusal } = await attempt(climbed.access);
    climbed.access = reached;
    if (refusal === undefined) break;
    climbed.refusals.push(refusal);
  }
  return climbed;
}

/** What one step came to: root, or a refusal and the access to go on with. */
interface Step {
  access: Access;
  refusal?: Refusal;
}

async function tryAdbRoot(access: Access, reopen: Reopen, work: Work): Promise<Step> {
  const refused = (why: string, from = access): Step => ({
    access: from,
    refusal: { step: 'adb-root', why },
  });
  const reply = await askAdbd(access.adb, work);
  if (reply === 'refused') return refused('adbd refuses to run as root, as on a user build');
  const adb = reply === 'restarting' ? await reopen(access.adb, work.signal) : access.adb;
  const id = await adb.run('id -u', bounds(work, 'asking for adb root'));
  if (outputText(id) !== '0') {
    return refused(`adbd restarted, but its shell is uid ${outputText(id)}`, { ...access, adb });
  }
  // Another kh may have had it restarted since it was asked who it is: then nothing is raised here.
  if (reply === 'restarting') {
    work.emit({ type: 'privilege.raised', serial: adb.serial, privilege: 'adb-root' });
  }
  return { access: { adb, privilege: 'adb-root', root: true } };
}

/** An adbd that does not know the service closes it: to us that is a refusal like the others. */
async function askAdbd(adb: AdbDevice, work: Work): Promise<RootReply> {
  try {
    return await adb.restartAsRoot(bounds(work, 'asking for adb root'));
  } catch (error) {
    if (error instanceof KhError && error.code === 'ADB_PROTOCOL') return 'refused';
    throw error;
  }
}

async function trySu(access: Access, work: Work): Promise<Step> {
  const answers: string[] = [];
  for (const dialect of ['aosp', 'minus-c'] as const satisfies SuDialect[]) {
    const candidate: Access = { adb: access.adb, privilege: 'su', dialect, root: true };
    const answer = await askSu(candidate, work);
    if (answer === '0') {
      work.emit({ type: 'privilege.raised', serial: access.adb.serial, privilege: 'su' });
      return { access: candidate };
    }
    answers.push(answer);
  }
  const missing = answers.every((answer) => /not found|inaccessible|no such file/i.test(answer));
  const why = missing
    ? 'there is no su on the device'
    : `su did not give root: ${answers.at(-1) || 'no answer'}`;
  return { access, refusal: { step: 'su', why } };
}

async function askSu(candidate: Access, { signal }: Work): Promise<string> {
  try {
    return outputText(
      await runWith(candidate, 'id -u', {
        signal,
        timeout: SU_ANSWER_TIMEOUT,
        purpose: 'asking su for root',
      }),
    );
  } catch (error) {
    if (error instanceof KhError && error.code === 'TIMEOUT' && !signal.aborted) {
      return 'no answer in 15 s (is a request waiting on its screen?)';
    }
    throw error;
  }
}
