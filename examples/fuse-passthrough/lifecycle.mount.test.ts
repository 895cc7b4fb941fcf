// Mounts come and go: with clients, without, by several daemons, by dead ones, and by a user who is
// not root.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';

import {
  AS_NOBODY,
  canRunAsNobody,
  NOBODY,
  requirePart,
  tempDir,
  watchMounts,
} from '@skein/testkit';

import { daemonCommand, MirrorProcess, runPython, startPython } from './test-mirror.ts';

function mountTest(title: string, body: (t: TestContext) => Promise<void>): void {
  test(title, async (t) => {
    if (requirePart(t, 'fuse', 'root', 'python3')) await body(t);
  });
}

describe('the daemon', () => {
  mountTest('ends when it is told to, and leaves no mount', async (t) => {
    const mirror = await MirrorProcess.start(t);
    await runPython(mirror.mountpoint, `open('f', 'w').write('x')`);
    assert.equal(await mirror.stop(), 0);
    assert.match(mirror.printed, /unmounted: clean\n$/);
    assert.equal(readFileSync('/proc/self/mountinfo', 'utf8').includes(mirror.mountpoint), false);
  });

  mountTest('ends when its mount is taken down by somebody else', async (t) => {
    const mirror = await MirrorProcess.start(t);
    assert.equal(spawnSync('umount', [mirror.mountpoint]).status, 0);
    assert.equal(await mirror.ended(), 0);
  });

  mountTest('ends within bounds while a client keeps a file open and a folder busy', async (t) => {
    const mirror = await MirrorProcess.start(t);
    const client = startPython(
      mirror.mountpoint,
      `
f = open('f', 'w+'); f.write('text'); f.flush(); m = mmap.mmap(f.fileno(), 4)
print('open', flush=True); sys.stdin.readline()
fd = f.fileno()
for call in (lambda: os.pread(fd, 4, 0), lambda: os.fsync(fd), lambda: os.stat('f')):
    try: call(); print('no error')
    except OSError as e: print(errno.errorcode[e.errno])`,
    );
    let printed = '';
    client.stdout!.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    await once(client.stdout!, 'data');
    const start = performance.now();
    assert.equal(await mirror.stop(), 0);
    assert.ok(performance.now() - start < 30_000);
    assert.match(mirror.printed, /unmounted: aborted\n$/);
    client.stdin!.end('\n');
    await once(client, 'close');
    assert.equal(printed, 'open\nENOTCONN\nENOTCONN\nENOTCONN\n');
  });

  mountTest('waits a moment for a client that is about to close its file', async (t) => {
    const mirror = await MirrorProcess.start(t);
    const client = startPython(
      mirror.mountpoint,
      `
f = open('f', 'w'); print('open', flush=True); time.sleep(0.5)
f.write('written late'); f.close(); os.chdir('/')`,
    );
    await once(client.stdout!, 'data');
    assert.equal(await mirror.stop(), 0);
    assert.match(mirror.printed, /unmounted: clean\n$/);
    assert.equal(readFileSync(join(mirror.source, 'f'), 'utf8'), 'written late');
  });

  mountTest('dies: clients get ENOTCONN, and the next daemon clears the mount away', async (t) => {
    const mirror = await MirrorProcess.start(t);
    writeFileSync(join(mirror.source, 'f'), 'kept');
    await mirror.kill();
    const program = `
try: os.stat(sys.argv[1])
except OSError as e: print(errno.errorcode[e.errno])`;
    const stat = program.replace('sys.argv[1]', JSON.stringify(mirror.mountpoint));
    assert.equal(await runPython('/', stat), 'ENOTCONN\n');

    const next = await MirrorProcess.startOn(t, mirror.source, mirror.mountpoint);
    assert.match(next.printed, /^detached 1 mounts whose daemon had died\n/);
    assert.equal(await runPython(next.mountpoint, `print(open('f').read())`), 'kept\n');
  });

  mountTest('refuses a mountpoint on which another one lives', async (t) => {
    const mirror = await MirrorProcess.start(t);
    const second = await MirrorProcess.startOn(t, mirror.source, mirror.mountpoint);
    assert.equal(await second.ended(), 1);
    assert.match(
      second.printed,
      /mirror \(fuse\.mirror\) is mounted there\nStop its daemon, or: umount/,
    );
    await runPython(mirror.mountpoint, `open('f', 'w').close()`);
  });

  mountTest('serves beside another one', async (t) => {
    const [first, second] = [await MirrorProcess.start(t), await MirrorProcess.start(t)];
    await Promise.all(
      [first, second].map((mirror) =>
        runPython(
          mirror.mountpoint,
          `
for i in range(200):
    open('f%d' % i, 'w').write(os.getcwd())
    assert open('f%d' % i).read() == os.getcwd()`,
        ),
      ),
    );
    const fifth = ({ source }: MirrorProcess): string => readFileSync(join(source, 'f5'), 'utf8');
    assert.equal(fifth(first), first.mountpoint);
    assert.equal(fifth(second), second.mountpoint);
    assert.equal(await first.stop(), 0);
    await runPython(second.mountpoint, `assert len(os.listdir('.')) == 200`);
  });
});

/** Runs a shell script as root in a mount namespace of its own. Its output and exit code. */
function runApart(script: string, ...args: readonly string[]): string {
  const result = spawnSync('unshare', ['--mount', 'sh', '-c', script, 'sh', ...args], {
    encoding: 'utf8',
    timeout: 180_000,
  });
  return `${result.stdout}${result.stderr}exit ${result.status}\n`;
}

describe('the daemon cannot mount', () => {
  const CASES = [
    {
      title: 'without /dev/fuse',
      script: 'mount -t tmpfs none /dev; exec "$@"',
      says: /There is no \/dev\/fuse\nLoad the module: modprobe fuse/,
    },
    {
      title: 'as root without CAP_SYS_ADMIN',
      script: 'exec setpriv --bounding-set=-sys_admin "$@"',
      says: /The kernel says EPERM\nRoot without CAP_SYS_ADMIN cannot mount/,
    },
    {
      title: 'with something else at /dev/fuse',
      script: 'mount --bind /dev/null /dev/fuse; exec "$@"',
      says: /The kernel says EINVAL\n/,
    },
  ];

  for (const { title, script, says } of CASES) {
    test(`${title}, and says why`, (t) => {
      if (!requirePart(t, 'fuse', 'root', 'setpriv')) return;
      const folder = tempDir(t);
      const printed = runApart(script, ...daemonCommand(folder, folder));
      assert.match(printed, says);
      assert.match(printed, /^Cannot mount on .*\n(.*\n)?exit 1\n$/);
    });
  }
});

describe('a user who is not root', () => {
  const asNobody = AS_NOBODY.join(' ');
  // Every user may open /dev/fuse: udev arranges that where it runs, but containers often lack it.
  const SERVE = `
device=$(dirname "$MIRROR")/fuse
mknod -m 666 "$device" c 10 229 && mount --bind "$device" /dev/fuse || exit 99
${asNobody} "$@" & daemon=$!
for i in $(seq 600); do grep -q " $MIRROR " /proc/self/mountinfo && break; sleep 0.1; done`;

  interface Folders {
    readonly source: string;
    readonly mirror: string;
  }

  function foldersOfNobody(t: TestContext): Folders {
    const folder = tempDir(t);
    watchMounts(t, folder, 300_000);
    chmodSync(folder, 0o755);
    const folders = { source: join(folder, 'source'), mirror: join(folder, 'mirror') };
    for (const path of Object.values(folders)) {
      mkdirSync(path);
      chownSync(path, NOBODY, NOBODY);
    }
    return folders;
  }

  function run(script: string, { source, mirror }: Folders): string {
    return runApart(
      `MIRROR=${mirror}\nSOURCE=${source}\n${script}`,
      ...daemonCommand(source, mirror),
    );
  }

  test('mounts and unmounts by fusermount3', (t) => {
    if (!canRunAsNobody(t, import.meta.filename) || !requirePart(t, 'fusermount3')) return;
    const folders = foldersOfNobody(t);
    const script = `${SERVE}
${asNobody} sh -c 'echo text > "$1"/f && cat "$1"/f' sh "$MIRROR"
kill -TERM $daemon; wait $daemon`;
    assert.equal(
      run(script, folders),
      `mirrors ${folders.source} on ${folders.mirror}\ntext\nunmounted: clean\nexit 0\n`,
    );
    assert.equal(readFileSync(join(folders.source, 'f'), 'utf8'), 'text\n');
  });

  test('ends within bounds although a client keeps a file open', (t) => {
    if (!canRunAsNobody(t, import.meta.filename) || !requirePart(t, 'fusermount3')) return;
    // Without the control files of FUSE only the end of the daemon ends the connection.
    const script = `umount /sys/fs/fuse/connections 2> /dev/null
${SERVE}
${asNobody} sh -c 'exec 3> "$1"/f; exec sleep 200' sh "$MIRROR" & client=$!
for i in $(seq 600); do [ -e "$SOURCE/f" ] && break; sleep 0.1; done
kill -TERM $daemon; wait $daemon; echo "daemon $?"; kill $client`;
    assert.match(run(script, foldersOfNobody(t)), /unmounted: detached\ndaemon 0\nexit 0\n$/);
  });

  test('is told what is missing without fusermount3', (t) => {
    if (!canRunAsNobody(t, import.meta.filename)) return;
    const folders = foldersOfNobody(t);
    assert.equal(
      run(`exec ${asNobody} env PATH=/nowhere "$@"`, folders),
      `Cannot mount on ${folders.mirror}: ` +
        'this user is not root, and fusermount3 is not installed\n' +
        'Install it: apt-get install fuse3\nexit 1\n',
    );
  });
});
