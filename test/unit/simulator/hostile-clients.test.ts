import fc from 'fast-check';
import { pixel, startLab } from '../../support/lab';
import { adbClient, ask, openService } from './support/adb-client';

/** The lab helper fails a test after which the simulator has an error of its own. */
describe('hostile clients', () => {
  it('are hung up on or ignored, and the next client is served', async () => {
    const { port } = await startLab({ devices: [pixel()] });
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 4, maxLength: 200 }), async (bytes) => {
        const client = await adbClient(port);
        client.write(Buffer.from(bytes));
        client.socket.end();
        await client.readAll();
      }),
      { numRuns: 100 },
    );
    expect(await ask(port, 'host:version')).toBe('OKAY00040029');
  });

  it.each(['sync:', 'shell,v2,raw:cat', 'exec:cat', 'shell,v2:read x; echo $x'])(
    'can send anything to %s',
    async (service) => {
      const { port } = await startLab({ devices: [pixel()] });
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
          const client = await openService(port, 'PIXEL', service);
          client.write(Buffer.from(bytes));
          client.socket.end();
          await client.readAll();
        }),
        { numRuns: 50 },
      );
      expect(await ask(port, 'host:version')).toBe('OKAY00040029');
    },
  );

  it('can name any host service', async () => {
    const { port } = await startLab({ devices: [pixel()] });
    const request = fc.tuple(
      fc.constantFrom('host:', 'host-serial:', 'host-transport-id:', 'host:tport:', 'host:transport'),
      fc.string({ unit: 'binary', maxLength: 40 }),
    );
    await fc.assert(
      fc.asyncProperty(request, async ([prefix, rest]) => {
        expect(await ask(port, prefix + rest)).toMatch(/^(FAIL|OKAY)/);
      }),
      { numRuns: 100 },
    );
  });

  it('can send any script to the shell', async () => {
    const { port } = await startLab({ devices: [pixel()] });
    const words = fc.constantFrom(
      ...[
        'if',
        'then',
        'fi',
        'for x in',
        'do',
        'done',
        'case',
        'esac',
        '{',
        '}',
        '(',
        ')',
        ';',
        ';;',
        '&&',
        '||',
      ],
      ...[
        '|',
        '>',
        '<',
        '2>&1',
        '$(',
        '`',
        '"',
        "'",
        '${',
        '}',
        '$((',
        '))',
        '*',
        '[',
        ']',
        '\\',
        '\n',
        '#',
        '!',
      ],
      ...[
        'echo',
        'x=1',
        '$x',
        '/proc',
        '[z-a]',
        'grep (',
        'read y',
        'cat',
        'exit 2',
        'break',
        'return',
        'f()',
      ],
    );
    await fc.assert(
      fc.asyncProperty(fc.array(words, { maxLength: 12 }), async (script) => {
        const client = await openService(port, 'PIXEL', `shell,v2,raw:${script.join(' ')}`);
        client.write(Buffer.from([4, 0, 0, 0, 0]));
        expect((await client.readAll()).at(-6)).toBe(3);
      }),
      { numRuns: 400 },
    );
  });
});
