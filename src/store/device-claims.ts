import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { diskError } from '../core/disk-error';
import { KhError, isErrno } from '../core/errors';
import { diskName, shortHash } from './disk-name';
import { parseFields } from './json-fields';
import type { Store } from './layout';
import { withLock } from './lock';
import { readIfThere, writeWhole } from './whole-file';

/** A device as it is met: what it says of itself, and where it is attached. */
export interface DeviceSighting {
  /** `ro.serialno` */
  serialno: string;
  /** What adb calls it. */
  serial: string;
  /** The port that its cable is in. */
  devpath?: string | undefined;
  /** The adb server that it is attached to, as a socket specification; claims of older versions have none. */
  server?: string | undefined;
  /** Tells two devices apart for certain, but changes at every boot. */
  bootId?: string | undefined;
}

/** Which device goes by a name in the store: the one that was last seen so. */
export interface DeviceClaim extends DeviceSighting {
  name: string;
  /** ISO time of when the claim was made or changed. */
  seenAt: string;
}

/**
 * Where the device of a claim is now, besides the one being named: not
 * attached; attached, and the same phone through another connection (same
 * boot id); or attached, and another phone.
 */
export type AttachedElsewhere = (claim: DeviceClaim) => Promise<'absent' | 'same' | 'different'>;

/**
 * The name of a device in the store, fit for the disk: its own serial number,
 * so that its workspaces are found again whichever way it is connected. The
 * adb serial stands in where it has none, or one that says nothing.
 *
 * Cheap devices share one serial number by the thousand. Of two that are
 * attached at once the second gets `<serial number>~<hash of where it is
 * attached>`. A device keeps its name while it does not reboot, and while it
 * stays at its port of the same adb server; a name whose device is no longer
 * attached goes to the next one with that serial number, since a phone that
 * moved to another port or host and was rebooted cannot be told from another
 * phone. One phone that two servers show keeps one name: its boot id is one.
 *
 * @throws KhError STORE_*, TIMEOUT; and whatever `attachedElsewhere` throws
 */
export async function claimDeviceName(
  store: Store,
  me: DeviceSighting,
  attachedElsewhere: AttachedElsewhere,
): Promise<string> {
  for (const name of usualNames(me)) {
    const claim = await readClaim(store, name);
    if (claim !== undefined && isUnchanged(claim, me)) return name;
  }
  return withLock(store, `device-${baseName(me)}`, async () => {
    const name = (await findDeviceName(store, me, attachedElsewhere)) ?? (await freeName(store, me));
    await writeClaim(store, name, me);
    return name;
  });
}

/**
 * The name under which a device is known, as `claimDeviceName` would give it;
 * undefined where it would be a new one. Claims nothing.
 *
 * @throws KhError STORE_*; and whatever `attachedElsewhere` throws
 */
export async function findDeviceName(
  store: Store,
  me: DeviceSighting,
  attachedElsewhere: AttachedElsewhere,
): Promise<string | undefined> {
  const claims = await claimsLike(store, me);
  const own = claims.find((claim) => isSameBoot(claim, me)) ?? claims.find((claim) => isSamePlace(claim, me));
  if (own !== undefined) return own.name;
  for (const claim of claims) {
    if ((await attachedElsewhere(claim)) !== 'different') return claim.name;
  }
  return undefined;
}

function isUnchanged(claim: DeviceClaim, me: DeviceSighting): boolean {
  const sameNumber = claim.serialno === me.serialno;
  return isSameBoot(claim, me) && isSamePlace(claim, me) && claim.server === me.server && sameNumber;
}

function isSameBoot(claim: DeviceClaim, me: DeviceSighting): boolean {
  return me.bootId !== undefined && claim.bootId === me.bootId;
}

function isSamePlace(claim: DeviceClaim, me: DeviceSighting): boolean {
  const sameServer = claim.server === undefined || claim.server === me.server;
  return sameServer && claim.serial === me.serial && claim.devpath === me.devpath;
}

/** Serial numbers that vendors leave in place, or that stand for having none. */
const GENERIC = /^(?:|unknown|none|null|n\/a|default|(?:0123456789|1234567890)[a-f]*|(.)\1*)$/i;

/** What tells the device from others, as far as it says so itself. */
function identity({ serialno, serial }: DeviceSighting): string {
  return GENERIC.test(serialno.trim()) ? serial : serialno;
}

function baseName(me: DeviceSighting): string {
  return diskName(identity(me));
}

/** The name that a device gets where it is the only one with its serial number, then the one for a second. */
function usualNames(me: DeviceSighting): [string, string] {
  return [baseName(me), nameByPlace(me, 0)];
}

function nameByPlace(me: DeviceSighting, attempt: number): string {
  const base = baseName(me).replace(/~[0-9a-f]{10}$/, '');
  const place = [identity(me), me.serial, me.devpath ?? '', me.server ?? '', attempt];
  return `${base}~${shortHash(JSON.stringify(place))}`;
}

/** A name may be taken by a device that has moved since, or, where the disk folds case, by another serial number. */
async function freeName(store: Store, me: DeviceSighting): Promise<string> {
  const [base] = usualNames(me);
  if ((await readClaim(store, base)) === undefined) return base;
  for (let attempt = 0; ; attempt += 1) {
    const name = nameByPlace(me, attempt);
    if ((await readClaim(store, name)) === undefined) return name;
  }
}

/** The claims of devices with the same identity, the oldest name first. */
async function claimsLike(store: Store, me: DeviceSighting): Promise<DeviceClaim[]> {
  const files = await readdir(store.devices).catch((error: unknown) => {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return [];
    throw diskError(error, store.devices);
  });
  const stem = baseName(me).replace(/~[0-9a-f]{10}$/, '');
  const names = files
    .filter((file) => file.startsWith(stem) && file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length));
  const claims = await Promise.all(
    names.map((name) => readClaim(store, name).catch((error: unknown) => unlessOurs(error, name, me))),
  );
  const base = baseName(me);
  return claims
    .filter((claim) => claim !== undefined)
    .filter((claim) => identity(claim) === identity(me))
    .sort((a, b) => Number(b.name === base) - Number(a.name === base) || (a.name < b.name ? -1 : 1));
}

/** A claim of a newer kh may be of another device whose name begins like ours. */
function unlessOurs(error: unknown, name: string, me: DeviceSighting): undefined {
  const newer = error instanceof KhError && error.code === 'STORE_NEWER';
  if (!newer || usualNames(me).includes(name)) throw error;
}

/** A claim that cannot be read counts for nothing: the next device writes it anew. */
async function readClaim(store: Store, name: string): Promise<DeviceClaim | undefined> {
  const path = claimPath(store, name);
  const text = await readIfThere(path);
  if (text === undefined) return undefined;
  try {
    return { ...parseClaim(text, path), name };
  } catch (error) {
    if (error instanceof KhError && error.code === 'STORE_DAMAGED') return undefined;
    throw error;
  }
}

function parseClaim(text: string, path: string): Omit<DeviceClaim, 'name'> {
  const fields = parseFields(text, { path, kind: 'claim', version: 1, hint: 'Pull again.' });
  return {
    serialno: fields.text('serialno'),
    serial: fields.text('serial'),
    devpath: fields.optionalText('devpath'),
    server: fields.optionalText('server'),
    bootId: fields.optionalText('bootId'),
    seenAt: fields.time('seenAt'),
  };
}

async function writeClaim(store: Store, name: string, me: DeviceSighting): Promise<void> {
  const { serialno, serial, devpath, server, bootId } = me;
  const seenAt = new Date().toISOString();
  const claim = { claim: 1, name, serialno, serial, devpath, server, bootId, seenAt };
  await writeWhole(store, claimPath(store, name), `${JSON.stringify(claim, null, 2)}\n`);
}

function claimPath(store: Store, name: string): string {
  return join(store.devices, `${name}.json`);
}
