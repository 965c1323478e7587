import { readFileSync } from 'node:fs';
import { EventEmitter } from 'node:events';
import { Socket } from 'node:net';
import Connection from '@devicefarmer/adbkit/dist/src/adb/connection';
import Protocol from '@devicefarmer/adbkit/dist/src/adb/protocol';
import { freePort } from './support/fake-adb-server';

/** These modules are not part of adbkit's public face; its version is therefore pinned exactly. */
describe('the inner modules of adbkit that kh uses', () => {
  it('are those of the version that package.json pins', () => {
    const own = JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: Record<string, string> };
    const manifest = readFileSync(require.resolve('@devicefarmer/adbkit/package.json'), 'utf8');
    const { version } = JSON.parse(manifest) as { version: string };
    expect(own.dependencies['@devicefarmer/adbkit']).toBe(version);
  });

  it('have the connection, with the members that src/adb relies on', async () => {
    const connection = new Connection({ host: '127.0.0.1', port: await freePort() });
    expect(connection).toBeInstanceOf(EventEmitter);
    expect(typeof Connection.prototype.startServer).toBe('function');
    connection.startServer = () => {
      throw new Error('asked to start a server');
    };
    const connecting = connection.connect();
    expect(connection.socket).toBeInstanceOf(Socket);
    await expect(connecting).rejects.toThrow('asked to start a server');
    expect(connection.socket.destroyed).toBe(true);
  });

  it('have the framing of requests', () => {
    expect(Protocol.encodeData('host:version').toString()).toBe('000Chost:version');
    expect(Protocol.decodeLength('00ff')).toBe(255);
    expect([Protocol.OKAY, Protocol.FAIL]).toEqual(['OKAY', 'FAIL']);
  });
});
