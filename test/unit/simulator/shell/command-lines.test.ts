import { furnishDevice } from '../../../../src/simulator/lab/furnish-device';
import { LabArchives } from '../../../../src/simulator/lab/lab-archives';
import type { DeviceDescription } from '../../../../src/simulator/lab/lab-description';
import { runCommandLine } from '../../../../src/simulator/shell/run-command-line';
import { CollectedOutput, ShellInput } from '../../../../src/simulator/shell/streams';
import type { SimulatedDevice } from '../../../../src/simulator/simulated-device';

const ARCHIVE = Buffer.alloc(10_000, 'kheaders');
const RELEASE = '6.1.99-test';

function phone(more: Partial<DeviceDescription> = {}): Promise<SimulatedDevice> {
  const description: DeviceDescription = {
    serial: 'PHONE',
    kernel: { release: RELEASE, version: '#1 SMP PREEMPT Mon Jan 1', machine: 'aarch64' },
    headers: { kind: 'built-in', archive: ARCHIVE },
    ...more,
  };
  return furnishDevice(description, 0, new LabArchives('/'));
}

async function run(device: SimulatedDevice, commandLine: string, { uid = device.uid, stdin = '' } = {}) {
  const stdout = new CollectedOutput();
  const stderr = new CollectedOutput();
  const exitCode = await runCommandLine(commandLine, {
    device,
    uid,
    stdin: ShellInput.of(Buffer.from(stdin)),
    stdout,
    stderr,
    signal: new AbortController().signal,
  });
  return { exitCode, stdout: stdout.bytes.toString(), stderr: stderr.bytes.toString() };
}

describe('the language of the simulated shell', () => {
  it.each([
    ['echo a; echo b', 'a\nb\n'],
    ['echo a  "b  c" \'d $x\' e\\ f', 'a b  c d $x e f\n'],
    ['x=1 y=$x; echo "$x$y" ${x}z', '11 1z\n'],
    ['echo ${a:-none} ${a-none} ${a:+some}', 'none none\n'],
    ['a=v; echo ${a:-none} ${a:+some} ${#a}', 'v some 1\n'],
    [': ${a:=set}; echo $a', 'set\n'],
    ['p=/a/b/c.ko.gz; echo ${p##*/} ${p#*/} ${p%.*} ${p%%.*}', 'c.ko.gz a/b/c.ko.gz /a/b/c.ko /a/b/c\n'],
    ['true && echo yes || echo no', 'yes\n'],
    ['false && echo yes || echo no', 'no\n'],
    ['! false; echo $?', '0\n'],
    ['false; echo $?', '1\n'],
    ['if false; then echo a; elif true; then echo b; else echo c; fi', 'b\n'],
    ['for x in a "b c" d; do echo "<$x>"; done', '<a>\n<b c>\n<d>\n'],
    ['for x in 1 2 3 4; do [ $x = 2 ] && continue; [ $x = 4 ] && break; echo $x; done', '1\n3\n'],
    ['for x in 1 2; do for y in 1 2; do break 2; done; done; echo $x$y', '11\n'],
    ['i=0; while [ $i -lt 3 ]; do i=$((i + 1)); echo $i; done', '1\n2\n3\n'],
    ['i=0; until [ $i -ge 2 ]; do i=$((i+1)); done; echo $i', '2\n'],
    ['printf "a b\\nc d\\n" | while read x y; do echo "$y$x"; done', 'ba\ndc\n'],
    ['case abc in x) echo x;; a*|b*) echo ab;; *) echo other;; esac', 'ab\n'],
    ['case "a*" in "a*") echo literal;; esac', 'literal\n'],
    ['f() { echo "$# $1"; return 3; }; f one two; echo $?', '2 one\n3\n'],
    ['set -- a "b c"; for x in "$@"; do echo "<$x>"; done; shift; echo $# "$1"', '<a>\n<b c>\n1 b c\n'],
    ['x=$(echo a; echo b); echo "$x"; echo $x', 'a\nb\na b\n'],
    ['echo `echo a $(echo b)`', 'a b\n'],
    ['x="a   b"; echo $x; echo "$x"; echo [$x]', 'a b\na   b\n[a b]\n'],
    ['x=; echo $x "" end', ' end\n'],
    ['echo $((2 + 3 * 4)) $(( (2+3) * 4 )) $((7 / 2)) $((-7 % 3)) $((3 > 2 && 1 == 1))', '14 20 3 -1 1\n'],
    ['(x=1; exit 3); echo $? $x', '3\n'],
    ['{ echo a; echo b; } | tail -n 1', 'b\n'],
    ['echo a | (read x; echo $x; exit 3); echo $?', 'a\n3\n'],
    ['x=1; { x=2; }; echo $x', '2\n'],
    ['echo a # comment\n# whole line\necho b', 'a\nb\n'],
    ['echo a \\\n b', 'a b\n'],
    ['if true\nthen\n  echo a\nfi', 'a\n'],
    ['{ if true; then echo a; fi }', 'a\n'],
    ['eval "x=5; echo \\$x"', '5\n'],
    ['echo "a\\tb" "c\\\\nd"; echo -n x; echo -E "a\\tb"', 'a\tb c\nd\nxa\\tb\n'],
    ['printf "%s-%03d|%5s|%-3s|%x\\n" a 7 b c 255', 'a-007|    b|c  |ff\n'],
    ['printf "%s\\n" a b', 'a\nb\n'],
    ['echo out; echo err 1>&2; echo both 2>&1', 'out\nboth\n'],
    ['{ echo err >&2; } 2>&1', 'err\n'],
    ['echo a >/data/local/tmp/f; echo b >>/data/local/tmp/f; cat </data/local/tmp/f', 'a\nb\n'],
    ['cd /data/local/tmp; pwd; echo x >here; cat /data/local/tmp/here', '/data/local/tmp\nx\n'],
    ['echo /sys/kernel/kh*', '/sys/kernel/kheaders.tar.xz\n'],
    ['echo /sys/kernel/none*', '/sys/kernel/none*\n'],
    ['echo "/sys/kernel/kh*"', '/sys/kernel/kh*\n'],
    ['cd /data/local/tmp && touch a b && echo /data/local/tmp/[ab]', '/data/local/tmp/a /data/local/tmp/b\n'],
    ['command -v cat nosuch if', '/system/bin/cat\n'],
    ['sh -c \'echo "$0 $1"\' name arg', '/system/bin/sh arg\n'],
    ['[ -e /proc/version ] && [ ! -d /proc/version ] && [ -d /proc ] && echo ok', 'ok\n'],
    ['[ 1 -lt 2 -a a = a ] && [ a = b -o ! a = b ] && test -n x && echo ok', 'ok\n'],
    ['toybox uname; toybox echo a', 'Linux\na\n'],
    ['trap "" INT; wait; umask 077; true', ''],
  ])('%s', async (script, expected) => {
    expect((await run(await phone(), script)).stdout).toBe(expected);
  });

  it.each([
    'if true; then echo',
    'echo "open',
    'for in a; do b; done',
    'a && ',
    '(',
    'cat <<X',
    'a & b',
    '${x!}',
    'fi',
  ])('refuses %j as the syntax error that it is', async (script) => {
    const { exitCode, stderr } = await run(await phone(), script);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^\/system\/bin\/sh: syntax error: /);
  });

  it('says in mksh’s words that a command does not exist, or a file can’t be opened', async () => {
    const device = await phone();
    expect(await run(device, 'nosuch -x')).toEqual({
      exitCode: 127,
      stdout: '',
      stderr: '/system/bin/sh: nosuch: inaccessible or not found\n',
    });
    expect(await run(device, 'cat </nope; echo $?')).toMatchObject({
      stdout: '1\n',
      stderr: "/system/bin/sh: can't open /nope: No such file or directory\n",
    });
    expect(await run(device, 'echo x >/proc/new; echo $?')).toMatchObject({
      stdout: '1\n',
      stderr: "/system/bin/sh: can't create /proc/new: Permission denied\n",
    });
  });

  it('ends the shell where a special builtin’s redirection fails, and not the one around it', async () => {
    const device = await phone();
    expect((await run(device, ': </nope; echo after')).stdout).toBe('');
    expect((await run(device, '( : </nope ) 2>/dev/null; echo after')).stdout).toBe('after\n');
  });

  it('exits with what exit says, kept to a byte', async () => {
    const device = await phone();
    expect((await run(device, 'exit 7')).exitCode).toBe(7);
    expect((await run(device, 'exit 300')).exitCode).toBe(44);
    expect((await run(device, 'false')).exitCode).toBe(1);
  });

  it('ends an endless script when its client leaves', async () => {
    const controller = new AbortController();
    const streams = {
      stdin: ShellInput.of(Buffer.alloc(0)),
      stdout: new CollectedOutput(),
      stderr: new CollectedOutput(),
    };
    const device = await phone();
    const running = runCommandLine('while :; do :; done', {
      device,
      uid: 2000,
      ...streams,
      signal: controller.signal,
    });
    setTimeout(() => controller.abort(new Error('left')), 20);
    await expect(running).rejects.toThrow('left');
  });
});

describe('the commands of a simulated device', () => {
  it.each([
    ['uname -r -v -m', `${RELEASE} #1 SMP PREEMPT Mon Jan 1 aarch64\n`],
    ['id -u', '2000\n'],
    ['getprop ro.serialno', 'PHONE\n'],
    ['getprop no.such; getprop no.such other', '\nother\n'],
    [
      'stat -c "%s %a %F %u %n" /sys/kernel/kheaders.tar.xz',
      '10000 444 regular file 0 /sys/kernel/kheaders.tar.xz\n',
    ],
    ['cat /sys/kernel/kheaders.tar.xz | wc -c', '10000\n'],
    ['dd if=/sys/kernel/kheaders.tar.xz bs=1m count=1 2>/dev/null | wc -c', '4096\n'],
    ['head -c 8 /sys/kernel/kheaders.tar.xz', 'kheaders'],
    ['find /sys /nope -maxdepth 2 -name "kheaders*" -type f 2>/dev/null', '/sys/kernel/kheaders.tar.xz\n'],
    ['ls /sys/kernel', 'kheaders.tar.xz\n'],
    ['ls -l /sys/kernel | tail -n 1 | cut -d " " -f 1,3,5', '-r--r--r-- root 10000\n'],
    ['printf "b\\na\\nb\\n" | sort -u | tr a-z A-Z', 'A\nB\n'],
    ['printf "a.c\\nabc\\n" | grep "a\\.c"', 'a.c\n'],
    [
      'printf "a+b\\naab\\n" | grep "a+b"; echo aab | grep -E "a+b"; echo a+b | grep -cF a+b',
      'a+b\naab\n1\n',
    ],
    ['echo abc | grep -q b && echo found; echo abc | grep -v b || echo none', 'found\nnone\n'],
    ['echo one two | sed "s/\\(one\\) \\(two\\)/\\2 \\1/"; printf "a\\nb\\n" | sed -n 2p', 'two one\nb\n'],
    ['basename /a/b.ko .ko; dirname /a/b', 'b\n/a\n'],
    ['d=$(mktemp -d) && echo x >$d/f && cat $d/f && rm -r $d && ls $d 2>/dev/null || echo gone', 'x\ngone\n'],
    ['cd /data/local/tmp; echo x >a; chmod 600 a; stat -c %a a; cp a b; cat b; mv b c; ls', '600\nx\na\nc\n'],
    ['mkdir -p /data/local/tmp/x/y; [ -d /data/local/tmp/x/y ] && echo ok', 'ok\n'],
    ['md5sum /dev/null', 'd41d8cd98f00b204e9800998ecf8427e  /dev/null\n'],
    ['printf abc | sha256sum', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  -\n'],
    ['cat /proc/modules; wc -l </proc/modules', '0\n'],
    ['gunzip 2>/dev/null; cat /proc/sys/kernel/random/boot_id | wc -c', '37\n'],
  ])('%s', async (script, expected) => {
    expect((await run(await phone(), script)).stdout).toBe(expected);
  });

  it('hands stdin to whoever reads first, and the rest to the next', async () => {
    const { stdout } = await run(await phone(), 'read x; echo "<$x>"; cat', { stdin: 'one\ntwo\nthree\n' });
    expect(stdout).toBe('<one>\ntwo\nthree\n');
  });

  it('has no md5sum, no su, and no sha256sum where the device is made so', async () => {
    const device = await phone({ md5sum: false, su: 'none', sdk: 23 });
    for (const command of ['md5sum', 'su', 'sha256sum', 'modprobe']) {
      expect((await run(device, `${command} x`)).exitCode).toBe(127);
    }
  });
});

describe('reading what is denied', () => {
  it('denies open and stat to the shell where SELinux does, but still names the file in a listing', async () => {
    const device = await phone({ headers: { kind: 'denied', archive: ARCHIVE } });
    const path = '/sys/kernel/kheaders.tar.xz';
    expect((await run(device, `cat ${path}`)).stderr).toBe(`cat: ${path}: Permission denied\n`);
    expect((await run(device, `stat -c %s ${path}`)).stderr).toBe(`stat: '${path}': Permission denied\n`);
    expect((await run(device, `[ -e ${path} ] || echo unseen`)).stdout).toBe('unseen\n');
    expect((await run(device, 'ls /sys/kernel')).stdout).toBe('kheaders.tar.xz\n');
    expect((await run(device, 'ls -l /sys/kernel')).stderr).toBe(`ls: ${path}: Permission denied\n`);
    expect((await run(device, `stat -c %s ${path}`, { uid: 0 })).stdout).toBe('10000\n');
  });

  it('lets the shell stat, but not open, where the mode is 0400', async () => {
    const device = await phone({ headers: { kind: 'denied', by: 'mode', archive: ARCHIVE } });
    const { stdout } = await run(
      device,
      'f=/sys/kernel/kheaders.tar.xz; stat -c %s $f; ( : <$f ) 2>/dev/null || echo closed',
    );
    expect(stdout).toBe('10000\nclosed\n');
  });
});

describe('su', () => {
  it('takes a command as words in AOSP’s form, and refuses -c', async () => {
    const device = await phone({ su: 'aosp' });
    expect((await run(device, "su 0 sh -c 'id -u; echo $$' | head -n 1")).stdout).toBe('0\n');
    expect((await run(device, 'su root id -u')).stdout).toBe('0\n');
    expect(await run(device, "su -c 'id -u'")).toMatchObject({
      exitCode: 1,
      stderr: "su: invalid uid/gid '-c'\n",
    });
  });

  it('takes a command by -c in Magisk’s form, and has words after WHO read as a script’s name', async () => {
    const device = await phone({ su: 'magisk' });
    expect((await run(device, "su -c 'id -u; exit 4'")).exitCode).toBe(4);
    expect((await run(device, 'su 0 -c "id -u"')).stdout).toBe('0\n');
    expect((await run(device, "su 0 sh -c 'id -u'")).exitCode).toBe(127);
  });

  it('exits with 13 where its owner refuses', async () => {
    const device = await phone({ su: 'magisk-refused' });
    expect(await run(device, 'su -c id')).toMatchObject({ exitCode: 13, stderr: 'Permission denied\n' });
  });
});

describe('kernel modules', () => {
  const KO = '/system_dlkm/lib/modules/kheaders.ko';
  const modular = (more: Partial<DeviceDescription> = {}) =>
    phone({ user: 'root', headers: { kind: 'module', archive: ARCHIVE }, ...more });

  it('shows the archive while the module is loaded', async () => {
    const device = await modular();
    const script = `f=/sys/kernel/kheaders.tar.xz; ls $f 2>/dev/null; insmod ${KO}; stat -c %s $f; cut -d " " -f 1 /proc/modules; rmmod kheaders; ls $f 2>/dev/null`;
    expect((await run(device, script)).stdout).toBe('10000\nkheaders\n');
  });

  it('says that it can’t unload what is not loaded, and can’t load what is', async () => {
    const device = await modular();
    expect((await run(device, 'rmmod kheaders')).stderr).toBe(
      'rmmod: failed to unload kheaders: No such file or directory\n',
    );
    expect((await run(device, `insmod ${KO}; insmod ${KO}`)).stderr).toBe(
      `insmod: failed to load ${KO}: File exists\n`,
    );
  });

  it('finds a module through modules.dep where modprobe is given the folder', async () => {
    const device = await modular({
      headers: {
        kind: 'module',
        archive: ARCHIVE,
        file: `/vendor_dlkm/lib/modules/${RELEASE}/kernel/kheaders.ko`,
      },
    });
    expect((await run(device, 'modprobe kheaders')).stderr).toBe(
      'modprobe: No module configuration directories given.\n',
    );
    expect((await run(device, 'modprobe -d /vendor_dlkm/lib/modules kheaders')).stderr).toBe(
      'modprobe: Failed to load module kheaders: No such file or directory\n',
    );
    await run(device, `modprobe -d /vendor_dlkm/lib/modules/${RELEASE} kheaders`);
    expect(device.modules.names()).toEqual(['kheaders']);
  });

  it('refuses a module of another kernel, and says so in the kernel’s log', async () => {
    const device = await modular();
    device.reboot({ ...device.parts.image, kernel: { ...device.kernel, release: '6.6.1-other' } });
    const { stdout, stderr } = await run(device, `insmod ${KO}; dmesg | tail -n 1`, { uid: 0 });
    expect(stderr).toBe(`insmod: failed to load ${KO}: Exec format error\n`);
    expect(stdout).toContain(`kheaders: version magic '${RELEASE} SMP`);
    expect(stdout).toContain("should be '6.6.1-other SMP");
    device.dispose();
  });

  it.each([
    ['ENOEXEC', 'Exec format error'],
    ['ENOKEY', 'Required key not available'],
    ['EKEYREJECTED', 'Key was rejected by service'],
    ['EPERM', 'Operation not permitted'],
  ] as const)('refuses a broken module with %s', async (error, text) => {
    const device = await modular({ headers: { kind: 'module-broken', archive: ARCHIVE, error } });
    expect((await run(device, `insmod ${KO}`)).stderr).toBe(`insmod: failed to load ${KO}: ${text}\n`);
    expect((await run(device, 'modprobe -d /system_dlkm/lib/modules kheaders')).stderr).toContain(text);
  });

  it('lets only root load and unload', async () => {
    const device = await modular({ user: 'shell' });
    expect(await run(device, `insmod ${KO}`)).toMatchObject({ exitCode: 1, stderr: 'insmod: Not root\n' });
    expect(await run(device, 'rmmod kheaders')).toMatchObject({ exitCode: 1, stderr: 'rmmod: Not root\n' });
    expect((await run(device, 'modprobe -d /system_dlkm/lib/modules kheaders')).stderr).toContain(
      'Operation not permitted',
    );
  });

  it('shows readers of the archive in /proc, and cuts them off when the module goes', async () => {
    const device = await modular();
    device.modules.insert('kheaders');
    const file = device.files.open('/sys/kernel/kheaders.tar.xz', 2000);
    const close = device.noteOpen(77, 2000, '/sys/kernel/kheaders.tar.xz');
    const script = "ls -l /proc/[0-9]*/fd 2>/dev/null | grep -q 'kheaders\\.tar\\.xz$' && echo busy";
    expect((await run(device, script)).stdout).toBe('busy\n');
    close();
    expect((await run(device, script)).stdout).toBe('');
    expect(file.read(0)).toHaveLength(4096);
    device.modules.unload('kheaders', 0);
    expect(() => file.read(4096)).toThrow('No such device');
  });
});
