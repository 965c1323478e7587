import { reject, shown, type Check } from '../../core/checks';
import { parseTime } from '../../core/expiry';

/** A date, or a time in UTC. */
export const isoTime: Check = (value, at) => {
  if (typeof value === 'string' && !Number.isNaN(parseTime(value))) return;
  reject(at, `must be a date, or a time in UTC, not ${shown(value)}`);
};
