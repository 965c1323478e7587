import type { DeviceDescription } from '../../app/describe-devices';
import type { Palette } from '../../ui/colour';
import { renderTable, type Column } from '../../ui/table';

/** The table of `kh devices`. */
export function devicesTable(devices: DeviceDescription[], colours: Palette): string {
  const servers = devices.some(({ serial, name }) => name !== serial) ? [SERVER] : [];
  const notes = devices.some((device) => noteText(device) !== undefined) ? [noteColumn(colours)] : [];
  const columns = [...servers, ...COLUMNS(colours), ...notes];
  return renderTable(devices, columns, colours);
}

const SERVER: Column<DeviceDescription> = { title: 'SERVER', cell: ({ server }) => server };

const COLUMNS = ({ green, yellow, dim }: Palette): Column<DeviceDescription>[] => [
  { title: 'SERIAL', cell: ({ serial }) => serial },
  {
    title: 'STATE',
    cell: ({ state }) => state,
    paint: ({ state }) => (state === 'device' ? green : yellow),
  },
  { title: 'MODEL', cell: ({ model }) => model },
  { title: 'ANDROID', cell: ({ android }) => android },
  { title: 'KERNEL', cell: ({ release }) => release },
  {
    title: 'HEADERS',
    cell: ({ headers }) => headers && HEADERS[headers.status],
    paint: ({ headers }) => (READABLE.has(headers?.status) ? green : yellow),
  },
  {
    title: 'WORKSPACE',
    cell: ({ workspace }) => workspace?.state,
    paint: ({ workspace }) => (workspace?.state === 'current' ? green : dim),
  },
];

const noteColumn = ({ dim, red }: Palette): Column<DeviceDescription> => ({
  title: 'NOTE',
  cell: noteText,
  paint: ({ error }) => (error === undefined ? dim : red),
});

type Status = NonNullable<DeviceDescription['headers']>['status'];

const READABLE = new Set<Status | undefined>(['built-in', 'module', 'module-loaded']);

const HEADERS: Record<Status, string> = {
  'built-in': 'built in',
  module: 'module',
  'module-loaded': 'module (loaded)',
  absent: 'absent',
  denied: 'denied',
  unknown: 'unknown',
};

/** What adb says in brackets, or why the device could not be looked at. */
function noteText({ name, note, error }: DeviceDescription): string | undefined {
  return note ?? error?.message.replace(`${name}: `, '');
}
