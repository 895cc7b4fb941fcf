// What a docker-compose.yml says: the part of the Compose Specification that the examples use, read
// strictly. https://github.com/compose-spec/compose-spec/blob/main/spec.md
//
// It refuses what the runner would leave out in silence: a key that is not known is an error, and
// so is a volume, secret or service that is not declared.

import { existsSync } from 'node:fs';
import { basename, dirname, isAbsolute, resolve } from 'node:path';

import { parseDocument } from 'yaml';

import { interpolateAll } from './interpolate.ts';
import { ComposeFileError, Reader } from './reader.ts';

export interface ComposeFile {
  readonly name: string;
  readonly services: ReadonlyMap<string, ComposeService>;
  /** Named volumes. */
  readonly volumes: readonly string[];
}

export interface ComposeService {
  readonly name: string;
  readonly image: string | undefined;
  readonly build: ComposeBuild | undefined;
  readonly entrypoint: readonly string[] | undefined;
  readonly command: readonly string[] | undefined;
  readonly environment: ReadonlyMap<string, string>;
  readonly hostname: string | undefined;
  readonly user: string | undefined;
  readonly workingDir: string | undefined;
  readonly ports: readonly PublishedPort[];
  readonly volumes: readonly ServiceVolume[];
  readonly tmpfs: readonly string[];
  readonly devices: readonly string[];
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  readonly noNewPrivileges: boolean;
  readonly isReadOnly: boolean;
  readonly hasInit: boolean;
  readonly restart: 'no' | 'always' | 'on-failure' | 'unless-stopped';
  readonly stopGraceMs: number;
  readonly stopSignal: string | undefined;
  readonly healthcheck: Healthcheck | 'none' | undefined;
  readonly dependsOn: readonly Dependency[];
  readonly profiles: readonly string[];
  readonly scale: number;
}

export interface ComposeBuild {
  readonly context: string;
  readonly dockerfile: string;
  readonly target: string | undefined;
  readonly args: ReadonlyMap<string, string>;
}

export interface PublishedPort {
  readonly hostAddress: string;
  /** Undefined: any that is free. */
  readonly hostPort: number | undefined;
  readonly containerPort: number;
}

export interface ServiceVolume {
  readonly kind: 'volume' | 'bind';
  /** Name of a volume, or absolute path. */
  readonly source: string;
  readonly target: string;
  readonly isReadOnly: boolean;
}

export interface Healthcheck {
  readonly test: readonly string[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly startPeriodMs: number;
  readonly startIntervalMs: number;
}

export interface Dependency {
  readonly service: string;
  readonly condition: 'service_started' | 'service_healthy' | 'service_completed_successfully';
}

const DEFAULT_STOP_GRACE_MS = 10_000;
/** Docker's own, of the flags of HEALTHCHECK. */
export const HEALTHCHECK_DEFAULTS = {
  intervalMs: 30_000,
  timeoutMs: 30_000,
  retries: 3,
  startPeriodMs: 0,
  startIntervalMs: 5000,
} as const;

export interface ReadComposeOptions {
  /** For `${NAME}` in the file. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** Reads the text of a file at `path`. Throws ComposeFileError with all that is wrong. */
export function readComposeFile(
  path: string,
  text: string,
  { environment = {} }: ReadComposeOptions = {},
): ComposeFile {
  const document = parseDocument(text, { merge: true });
  const errors = [...document.errors, ...document.warnings].map(({ message }) => message);
  if (errors.length > 0) throw new ComposeFileError(path, errors);
  const problems: string[] = [];
  const value = interpolateAll(document.toJS(), environment, problems);
  const top = new Reader(value, '', problems).keys('name', 'services', 'volumes', 'secrets');
  const folder = dirname(path);
  const volumes = top.volumes.entries().map(([name, reader]) => {
    reader.keys();
    return name;
  });
  const secrets = new Map(
    top.secrets.entries().map(([name, reader]) => {
      return [name, resolve(folder, reader.keys('file').file.text())] as const;
    }),
  );
  const context = { folder, volumes, secrets };
  const services = new Map(
    top.services.entries().map(([name, reader]) => [name, readService(name, reader, context)]),
  );
  for (const [name, { dependsOn }] of services) {
    for (const { service } of dependsOn) {
      if (services.has(service)) continue;
      problems.push(`services.${name}.depends_on: there is no service ${service}`);
    }
  }
  if (problems.length > 0) throw new ComposeFileError(path, problems);
  return { name: top.name.maybeText() ?? basename(folder), services, volumes };
}

interface FileContext {
  readonly folder: string;
  readonly volumes: readonly string[];
  /** Paths of their files. */
  readonly secrets: ReadonlyMap<string, string>;
}

const SERVICE_KEYS = [
  'image',
  'build',
  'entrypoint',
  'command',
  'environment',
  'hostname',
  'user',
  'working_dir',
  'ports',
  'volumes',
  'tmpfs',
  'secrets',
  'devices',
  'cap_add',
  'cap_drop',
  'security_opt',
  'read_only',
  'init',
  'restart',
  'stop_grace_period',
  'stop_signal',
  'healthcheck',
  'depends_on',
  'profiles',
  'scale',
  'deploy',
] as const;

function readService(name: string, reader: Reader, context: FileContext): ComposeService {
  const keys = reader.keys(...SERVICE_KEYS);
  if (keys.image.isAbsent && keys.build.isAbsent) reader.fail('expected image or build', undefined);
  const security = keys.security_opt.list().map((each) => [each, each.text()] as const);
  for (const [each, text] of security) {
    // The machine under test has no AppArmor to confine anything.
    if (text === 'apparmor:unconfined' || text === NO_NEW_PRIVILEGES) continue;
    each.fail('expected apparmor:unconfined or no-new-privileges:true', undefined);
  }
  const replicas = keys.deploy.keys('replicas').replicas;
  return {
    name,
    image: keys.image.maybeText(),
    build: keys.build.isAbsent ? undefined : readBuild(keys.build, context),
    entrypoint: readCommand(keys.entrypoint),
    command: readCommand(keys.command),
    environment: new Map([...keys.environment.pairs()].map(([key, value]) => [key, value ?? ''])),
    hostname: keys.hostname.maybeText(),
    user: keys.user.maybeText(),
    workingDir: keys.working_dir.maybeText(),
    ports: keys.ports.list().map(readPort),
    volumes: [
      ...keys.volumes.list().map((each) => readVolume(each, context)),
      ...keys.secrets.list().map((each) => readSecret(each, context)),
    ],
    tmpfs: keys.tmpfs.list().map((each) => each.text()),
    devices: keys.devices.list().map(readDevice),
    capAdd: keys.cap_add.list().map(readCapability),
    capDrop: keys.cap_drop.list().map(readCapability),
    noNewPrivileges: security.some(([, text]) => text === NO_NEW_PRIVILEGES),
    isReadOnly: keys.read_only.flag(),
    hasInit: keys.init.flag(),
    restart: keys.restart.choice(['no', 'always', 'on-failure', 'unless-stopped'], 'no'),
    stopGraceMs: keys.stop_grace_period.durationMs(DEFAULT_STOP_GRACE_MS),
    stopSignal: keys.stop_signal.maybeText(),
    healthcheck: keys.healthcheck.isAbsent ? undefined : readHealthcheck(keys.healthcheck),
    dependsOn: readDependencies(keys.depends_on),
    profiles: keys.profiles.list().map((each) => each.text()),
    scale: keys.scale.count(replicas.count(1)),
  };
}

const NO_NEW_PRIVILEGES = 'no-new-privileges:true';

function readBuild(reader: Reader, { folder }: FileContext): ComposeBuild {
  const isShort = typeof reader.value === 'string';
  const keys = (isShort ? reader.at('context', {}) : reader).keys(
    'context',
    'dockerfile',
    'target',
    'args',
  );
  const context = resolve(folder, isShort ? reader.text() : keys.context.text());
  const dockerfile = resolve(context, keys.dockerfile.maybeText() ?? 'Dockerfile');
  if (!existsSync(dockerfile)) reader.fail(`there is no ${dockerfile}`, undefined);
  return {
    context,
    dockerfile,
    target: keys.target.maybeText(),
    args: new Map([...keys.args.pairs()].map(([key, value]) => [key, value ?? ''])),
  };
}

/** A list is a command; a text is taken apart as a shell would, as Compose does it. */
function readCommand(reader: Reader): readonly string[] | undefined {
  if (reader.isAbsent) return undefined;
  if (Array.isArray(reader.value)) return reader.list().map((each) => each.text());
  const words = reader.text().matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|[^\s"']+/g);
  return [...words].map(([word, double, single]) => double ?? single ?? word);
}

function readPort(reader: Reader): PublishedPort {
  const match = /^(?:(?:(\d+(?:\.\d+){3}):)?(\d+)?:)?(\d+)(?:\/tcp)?$/.exec(reader.text());
  if (match === null) {
    return reader.fail('expected [ADDRESS:][PORT:]CONTAINER_PORT', {
      hostAddress: '',
      hostPort: undefined,
      containerPort: 0,
    });
  }
  const [, hostAddress = '0.0.0.0', hostPort, containerPort] = match;
  return {
    hostAddress,
    hostPort: hostPort === undefined ? undefined : Number(hostPort),
    containerPort: Number(containerPort),
  };
}

function readVolume(reader: Reader, { folder, volumes }: FileContext): ServiceVolume {
  const [source = '', target = '', mode = 'rw', ...rest] = reader.text().split(':');
  if (!isAbsolute(target) || rest.length > 0 || !['ro', 'rw'].includes(mode)) {
    reader.fail('expected SOURCE:/TARGET or SOURCE:/TARGET:ro', undefined);
  }
  const isReadOnly = mode === 'ro';
  if (!/^[./~]/.test(source)) {
    if (!volumes.includes(source)) reader.fail(`there is no volume ${source}`, undefined);
    return { kind: 'volume', source, target, isReadOnly };
  }
  const path = resolve(folder, source);
  // Docker would make a folder there, which is never what was meant.
  if (!existsSync(path)) reader.fail(`there is no ${path}`, undefined);
  return { kind: 'bind', source: path, target, isReadOnly };
}

function readSecret(reader: Reader, { secrets }: FileContext): ServiceVolume {
  const name = reader.text();
  const source = secrets.get(name) ?? reader.fail(`there is no secret ${name}`, '');
  return { kind: 'bind', source, target: `/run/secrets/${name}`, isReadOnly: true };
}

function readDevice(reader: Reader): string {
  const [source = '', target = source, ...rest] = reader.text().split(':');
  if (source === target && source.startsWith('/dev/') && rest.length === 0) return source;
  return reader.fail('expected a device that keeps its path', '/dev/null');
}

/** As setpriv(1) spells it. */
function readCapability(reader: Reader): string {
  const text = reader.text();
  if (/^(?:CAP_)?[A-Z_]+$/.test(text)) return text.replace(/^CAP_/, '').toLowerCase();
  return reader.fail('expected a capability: SYS_ADMIN', 'all');
}

function readHealthcheck(reader: Reader): Healthcheck | 'none' {
  const keys = reader.keys(
    'test',
    'interval',
    'timeout',
    'retries',
    'start_period',
    'start_interval',
    'disable',
  );
  const [kind, ...rest] = Array.isArray(keys.test.value)
    ? keys.test.list().map((each) => each.text())
    : ['CMD-SHELL', keys.test.text()];
  if (kind === 'NONE' || keys.disable.flag()) return 'none';
  const test = kind === 'CMD-SHELL' ? ['/bin/sh', '-c', rest.join(' ')] : rest;
  if (kind !== 'CMD' && kind !== 'CMD-SHELL') keys.test.fail('expected CMD or CMD-SHELL', rest);
  return {
    test,
    intervalMs: keys.interval.durationMs(HEALTHCHECK_DEFAULTS.intervalMs),
    timeoutMs: keys.timeout.durationMs(HEALTHCHECK_DEFAULTS.timeoutMs),
    retries: keys.retries.count(HEALTHCHECK_DEFAULTS.retries),
    startPeriodMs: keys.start_period.durationMs(HEALTHCHECK_DEFAULTS.startPeriodMs),
    startIntervalMs: keys.start_interval.durationMs(HEALTHCHECK_DEFAULTS.startIntervalMs),
  };
}

function readDependencies(reader: Reader): readonly Dependency[] {
  if (Array.isArray(reader.value)) {
    return reader.list().map((each) => ({ service: each.text(), condition: 'service_started' }));
  }
  return reader.entries().map(([service, each]) => ({
    service,
    condition: each
      .keys('condition')
      .condition.choice(
        ['service_started', 'service_healthy', 'service_completed_successfully'],
        'service_started',
      ),
  }));
}
