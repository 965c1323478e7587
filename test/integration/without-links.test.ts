import { lstatSync, readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { kh } from '../support/kh';
import { NO_CONFIG, pixel, startLab } from '../support/lab';
import { pull, resultOf } from '../support/pull';

const env = { NODE_OPTIONS: `--require ${resolve(__dirname, '../support/no-links.js')}` };

describe('a store on a file system without symbolic links', () => {
  it('takes pulls, with the headers where the workspace says, and stays sound', async () => {
    const lab = await startLab({ devices: [pixel({ files: NO_CONFIG })] });
    const run = await pull(lab, [], { env });
    expect(run).toExitWith(0);
    const { headers, workspace, sha256 } = resultOf(run);
    expect(headers).toBe(join(run.home, 'v1', 'trees', sha256));
    expect(readFileSync(join(headers, 'include/generated/utsrelease.h'), 'utf8')).toContain('UTS_RELEASE');
    expect(readFileSync(join(workspace, 'headers'), 'utf8')).toBe(`../../../trees/${sha256}`);
    const links = readdirSync(run.home, { recursive: true, encoding: 'utf8' }).filter((name) =>
      lstatSync(join(run.home, name)).isSymbolicLink(),
    );
    expect(links).toEqual([]);
    expect(await kh(['store', 'verify'], { home: run.home, env })).toExitWith(0);
    const again = await pull(lab, [], { home: run.home, env });
    expect(resultOf(again)).toMatchObject({ transferred: false, headers });
    expect(await kh(['store', 'gc'], { home: run.home, env })).toExitWith(0);
    expect(await kh(['workspace', 'verify'], { home: run.home, env })).toExitWith(0);
  });
});
