import { humanDuration } from '../../core/human';
import type { Palette } from '../../ui/colour';
import { renderTable } from '../../ui/table';
import type { ServerSetting, Setting, SettingOrigin } from '../list-settings';

/** The table of `kh config`. */
export function settingsTable(settings: Setting[], colours: Palette): string {
  const columns = [
    { title: 'SETTING', cell: ({ name }: Setting) => name },
    { title: 'VALUE', cell: valueText },
    {
      title: 'FROM',
      cell: ({ from }: Setting) => originText(from),
      paint: ({ from }: Setting) => (from.kind === 'default' ? colours.dim : undefined),
    },
  ];
  return renderTable(settings, columns, colours);
}

function valueText({ name, value }: Setting): string {
  if (Array.isArray(value)) {
    return value.length === 0
      ? 'none'
      : value.map((one) => (typeof one === 'string' ? one : serverText(one))).join(', ');
  }
  if (value === null) return name === 'devices' ? 'all' : 'none';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return name.startsWith('timeouts.') ? humanDuration(Number(value)) : String(value);
}

function serverText({ name, address, jobs }: ServerSetting): string {
  const named = name === address ? address : `${name} (${address})`;
  return jobs === undefined ? named : `${named} ${jobs} at a time`;
}

function originText(from: SettingOrigin): string {
  switch (from.kind) {
    case 'flag':
      return from.flag;
    case 'environment':
      return `$${from.variable}`;
    case 'lab file':
      return `${from.path}: ${from.key}`;
    case 'default':
      return 'default';
  }
}
