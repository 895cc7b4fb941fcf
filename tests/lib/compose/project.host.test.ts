// The runner itself, with small services: that what a compose file promises is so.

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';

import { tempDir, waitUntil } from '@skein/testkit';

import { readComposeFile } from './compose-file.ts';
import { type ComposeProject, openProject } from './project.ts';

const TIMEOUT_MS = 120_000;

/** Counts its starts in its volume, and tells them, its environment and its user over HTTP. */
const SERVER = `
  const { appendFileSync, readFileSync, existsSync } = require('node:fs');
  const { createServer } = require('node:http');
  appendFileSync('/data/starts', '.');
  const tell = (request, response) => response.end(JSON.stringify({
    starts: readFileSync('/data/starts', 'utf8').length,
    greeting: process.env.GREETING,
    uid: process.getuid(),
    hostname: require('node:os').hostname(),
    hasFuse: existsSync('/dev/fuse'),
    capabilities: /CapEff:\\s+(\\w+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1],
  }));
  createServer(tell).listen(8000, () => console.log('listening as', process.env.GREETING));
  process.on('SIGTERM', () => { console.log('asked to end'); process.exit(0); });
`;

const DOCKERFILE = `
FROM node:24-bookworm-slim AS sources
WORKDIR /build
COPY . .

FROM node:24-bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends util-linux \\
  && groupadd --system app && useradd --system --gid app app \\
  && install --directory --owner app --group app --mode 0750 /data
WORKDIR /app
COPY --from=sources /build/server.js ./
ENV GREETING=hello \\
    PORT=8000
USER app
HEALTHCHECK --interval=1s --start-interval=100ms --start-period=10s \\
  CMD ["curl", "--fail", "--silent", "http://localhost:8000/"]
CMD ["node", "server.js"]
`;

const COMPOSE = `
x-web: &web
  build: .
  init: true
  restart: unless-stopped

services:
  setup:
    image: debian:bookworm-slim
    command: ["sh", "-c", "echo set up > /shared/file"]
    volumes: ["shared:/shared"]
  one:
    <<: *web
    depends_on: { setup: { condition: service_completed_successfully } }
    environment: { GREETING: "\${WORD:-good day}" }
    ports: ["127.0.0.1:8001:8000"]
    volumes: ["one-data:/data", "shared:/shared:ro", "./server.js:/app/again.js:ro"]
  two:
    <<: *web
    depends_on: { one: { condition: service_healthy } }
    devices: [/dev/fuse]
    cap_add: [SYS_ADMIN]
    user: root
    ports: ["8002:8000"]
    volumes: [two-data:/data]

volumes:
  shared:
  one-data:
  two-data:
`;

/** Returns the path of the compose file. */
function writeProject(t: TestContext): string {
  const folder = join(tempDir(t), 'small');
  mkdirSync(folder);
  const file = join(folder, 'docker-compose.yml');
  writeFileSync(file, COMPOSE);
  writeFileSync(join(folder, 'Dockerfile'), DOCKERFILE);
  writeFileSync(join(folder, 'server.js'), SERVER);
  return file;
}

async function open(t: TestContext): Promise<ComposeProject | undefined> {
  return openProject(t, { file: writeProject(t) });
}

interface Told {
  readonly starts: number;
  readonly greeting: string;
  readonly uid: number;
  readonly hostname: string;
  readonly hasFuse: boolean;
  readonly capabilities: string;
}

async function ask(project: ComposeProject, port: number): Promise<Told> {
  return (await (await fetch(project.urlOf(port))).json()) as Told;
}

const CAP_SYS_ADMIN = 1n << 21n;

suite('A compose file', () => {
  test('has its services run as it says', async (t) => {
    const project = await open(t);
    if (project === undefined) return;
    await project.upAndHealthy();

    const one = await ask(project, 8001);
    assert.partialDeepStrictEqual(one, { starts: 1, greeting: 'good day', hasFuse: false });
    assert.notEqual(one.uid, 0);
    assert.equal(BigInt(`0x${one.capabilities}`), 0n);
    const two = await ask(project, 8002);
    assert.partialDeepStrictEqual(two, { starts: 1, greeting: 'hello', hasFuse: true, uid: 0 });
    assert.notEqual(BigInt(`0x${two.capabilities}`) & CAP_SYS_ADMIN, 0n);
    // Not all that root has on the machine.
    assert.equal(BigInt(`0x${two.capabilities}`) & (1n << 19n), 0n, 'CAP_SYS_PTRACE');

    const fromTwo = await project.exec('two', ['curl', '--silent', 'http://one:8000/']);
    assert.equal((JSON.parse(fromTwo.stdout) as Told).greeting, 'good day');
    const shared = await project.exec('one', ['cat', '/shared/file']);
    assert.equal(shared.stdout, 'set up\n');
    const written = await project.exec('one', ['sh', '-c', 'echo x > /shared/other']);
    assert.match(written.stderr, /Read-only file system/);
    const failed = await project.exec('one', ['sh', '-c', 'cat; exit 7'], { input: 'in' });
    assert.deepEqual({ ...failed }, { exitCode: 7, stdout: 'in', stderr: '' });
    assert.match(project.logs('one'), /^one-1 {2}\| listening as good day$/m);
    assert.deepEqual(
      project.ps().map(({ name, state, health }) => `${name} ${state} ${health}`),
      ['setup-1 exited none', 'one-1 running healthy', 'two-1 running healthy'],
    );
  });

  test('keeps what is in volumes, until they go as well', async (t) => {
    const project = await open(t);
    if (project === undefined) return;
    await project.upAndHealthy({ services: ['one'] });
    await project.down();
    assert.deepEqual(project.ps(), []);
    await project.upAndHealthy({ services: ['one'] });
    assert.equal((await ask(project, 8001)).starts, 2);
    await project.down({ volumes: true });
    await project.upAndHealthy({ services: ['one'] });
    assert.equal((await ask(project, 8001)).starts, 1);
  });

  test('makes anew only what is changed, and restarts what dies', async (t) => {
    const project = await open(t);
    if (project === undefined) return;
    await project.upAndHealthy();
    const pidOf = (service: string): number | undefined =>
      project.ps().find((each) => each.service === service)?.pid;
    const [one, two] = [pidOf('one'), pidOf('two')];
    project.edit((text) => text.replace('good day', 'good night'));
    await project.upAndHealthy();
    assert.equal((await ask(project, 8001)).greeting, 'good night');
    assert.notEqual(pidOf('one'), one);
    assert.equal(pidOf('two'), two);
    assert.doesNotMatch(project.logs('two'), /asked to end/);

    process.kill(pidOf('two')!, 'SIGKILL');
    const isBack = async (): Promise<boolean> => (await ask(project, 8002)).starts === 2;
    await waitUntil('The service is there again', isBack, TIMEOUT_MS);
  });

  test('is refused with all that is wrong in it', (t) => {
    const file = writeProject(t);
    const change = (text: string): string =>
      text
        .replace('user: root', 'usr: root')
        .replace('two-data:/data]', 'too-data:/data]')
        .replace('service_healthy', 'service_happy')
        .replace('"8002:8000"', '"eight"');
    assert.throws(() => readComposeFile(file, change(COMPOSE)), {
      name: 'ComposeFileError',
      problems: [
        'services.two.usr: there is no such key (known: image, build, entrypoint, command, ' +
          'environment, hostname, user, working_dir, ports, volumes, tmpfs, secrets, devices, ' +
          'cap_add, cap_drop, security_opt, read_only, init, restart, stop_grace_period, ' +
          'stop_signal, healthcheck, depends_on, profiles, scale, deploy)',
        'services.two.ports.0: expected [ADDRESS:][PORT:]CONTAINER_PORT',
        'services.two.volumes.0: there is no volume too-data',
        'services.two.depends_on.one.condition: expected one of service_started, ' +
          'service_healthy, service_completed_successfully',
      ],
    });
  });
});
