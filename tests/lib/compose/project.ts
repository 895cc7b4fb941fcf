// `docker compose` without Docker, for tests: reads the real file and the real Dockerfile, and runs
// the services as processes in namespaces of their own, on a virtual network, with their
// hostnames, volumes, published ports, health checks and rights (container.ts).
//
// What is different from Docker: the image's files are this machine's and the checkout's
// (image.ts), published ports lead to free ports of 127.0.0.1 (`urlOf`), so that nothing collides,
// and names of services are in /etc/hosts rather than in a DNS.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import type { TestContext } from 'node:test';

import {
  createNetwork,
  onTestEnd,
  requireNetwork,
  requirePart,
  skipTest,
  tempDir,
  type VirtualNetwork,
} from '@skein/testkit';

import {
  type ComposeFile,
  type ComposeService,
  type Dependency,
  type Healthcheck,
  readComposeFile,
} from './compose-file.ts';
import type { ContainerVolume } from './container-entry.ts';
import { Container, type ExecResult, type Health, waitForContainer } from './container.ts';
import { builtImage, describeFiles, type Image, namedImage } from './image.ts';
import { type MachineImages, usualImages } from './machine-images.ts';
import { PortRelay } from './port-relay.ts';
import { capabilitiesOf } from './privileges.ts';

export interface ProjectOptions {
  /** The file; paths in it begin in its folder. */
  readonly file: string;
  /** Before the usual ones. */
  readonly images?: MachineImages;
  /** Those that the test is going to use: it is skipped where their programs are missing. */
  readonly profiles?: readonly string[];
  /** The file is the test's own, and may be edited where it lies. */
  readonly isOwn?: boolean;
  /** For `${NAME}` in the file. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface UpOptions {
  /** `--profile`: with the services of these. */
  readonly profiles?: readonly string[];
  /** Undefined: all of the profiles; those that they depend on come as well. */
  readonly services?: readonly string[];
  /** `--build`: files of the checkout that are another now make other images. */
  readonly build?: boolean;
  /** `--scale`: other counts than the file's. */
  readonly scale?: Readonly<Record<string, number>>;
}

export interface ContainerState {
  readonly name: string;
  readonly service: string;
  readonly state: 'running' | 'exited';
  readonly health: Health;
  readonly exitCode: number | undefined;
  /** Another one after a restart. */
  readonly pid: number | undefined;
  readonly ports: ComposeService['ports'];
}

const GATEWAY = 'gateway';
/** Containers of one project at a time. */
const SLOT_COUNT = 8;
/** As Docker's networks are, so that proxies believe what other containers forward. */
const SUBNET = '172.31.77';
const HEALTHY_TIMEOUT_MS = 600_000;
const PACKAGE_QUERY = ['dpkg-query', '--show'] as const;

interface Running {
  readonly container: Container;
  readonly service: ComposeService;
  readonly index: number;
  readonly slot: string;
  /** What it was made from: another text makes another container. */
  readonly fingerprint: string;
}

/**
 * A project whose containers go with the test. Undefined when the machine cannot have one: the test
 * is skipped then.
 */
export async function openProject(
  t: TestContext,
  options: ProjectOptions,
): Promise<ComposeProject | undefined> {
  if (!requireNetwork(t) || !requirePart(t, 'setpriv', 'overlay')) return undefined;
  const images = [...(options.images ?? []), ...usualImages()];
  const project = new ComposeProject(options, images, tempDir(t));
  const missing = project.missingPackages();
  if (missing.length > 0) {
    skipTest(t, `This test needs ${missing.join(', ')} (apt-get install ${missing.join(' ')})`);
    return undefined;
  }
  await project.open(t);
  return project;
}

export class ComposeProject {
  /** What the project is read from each time: a copy of the file, which may be edited. */
  readonly copy: string;
  readonly #options: ProjectOptions;
  readonly #images: MachineImages;
  readonly #folder: string;
  readonly #running = new Map<string, Running>();
  #file: ComposeFile;
  #network: VirtualNetwork | undefined;
  #relay: PortRelay | undefined;
  readonly #published = new Map<string, number>();
  /** Of images, what their files were when they were built last. */
  readonly #builds = new Map<string, string>();

  /** Use openProject(). */
  constructor(options: ProjectOptions, images: MachineImages, folder: string) {
    this.#options = options;
    this.#images = images;
    this.#folder = folder;
    const { file, isOwn = false } = options;
    this.copy = isOwn ? file : join(folder, basename(file));
    if (!isOwn) copyFileSync(file, this.copy);
    this.#file = this.#read();
    for (const name of ['volumes', 'containers']) mkdirSync(join(folder, name));
    this.#writeHosts();
  }

  async open(t: TestContext): Promise<void> {
    const slots = Array.from({ length: SLOT_COUNT }, (_, index) => `slot${index + 1}`);
    this.#network = await createNetwork(t, { hosts: [...slots, GATEWAY], subnet: SUBNET });
    this.#relay = PortRelay.start(t, this.#network.host(GATEWAY));
    onTestEnd(t, async () => {
      await Promise.all([...this.#running.values()].map(({ container }) => container.kill()));
    });
  }

  /** Debian packages that images of the project have and this machine lacks. */
  missingPackages(): readonly string[] {
    const selected = this.#selected(this.#options.profiles ?? []);
    const wanted = selected.flatMap((service) => this.#imageOf(service).debianPackages);
    const [program, ...args] = PACKAGE_QUERY;
    return [...new Set(wanted)].filter(
      (name) => spawnSync(program, [...args, name], { stdio: 'ignore' }).status !== 0,
    );
  }

  get name(): string {
    return this.#file.name;
  }

  /** The file says something else from now on. */
  edit(change: (text: string) => string): void {
    const text = readFileSync(this.copy, 'utf8');
    const changed = change(text);
    assert.notEqual(changed, text, 'The edit changes nothing: the file reads otherwise now');
    writeFileSync(this.copy, changed);
  }

  /**
   * Makes what is missing and makes anew what the file says otherwise now, in the order of the
   * dependencies; resolves when all are started, whether they are healthy yet or not.
   */
  async up(options: UpOptions = {}): Promise<void> {
    this.#file = this.#read();
    const wanted = this.#wanted(options);
    if (options.build === true) this.#builds.clear();
    for (const service of wanted) {
      for (const dependency of service.dependsOn) await this.#waitFor(dependency);
      const count = options.scale?.[service.name] ?? service.scale;
      for (let index = 1; index <= count; index += 1) await this.#startOne(service, index);
      for (const running of this.#instances(service.name)) {
        if (running.index > count) await this.#remove(running);
      }
    }
  }

  /** As `docker compose up --wait`. */
  async upAndHealthy(options: UpOptions = {}): Promise<void> {
    await this.up(options);
    await this.healthy(...this.#wanted(options).map(({ name }) => name));
  }

  /** Resolves when each of these services runs, and is healthy where it has a check. */
  async healthy(...services: readonly string[]): Promise<void> {
    for (const name of services) {
      for (const { container, service } of this.#instances(name)) {
        // A service that others wait for until it has ended is well when it has.
        const isDone = (): boolean => service.restart === 'no' && container.exitCode === 0;
        const isWell = (): boolean =>
          isDone() || (container.isRunning && ['none', 'healthy'].includes(container.health));
        await waitForContainer(container, 'healthy', isWell, HEALTHY_TIMEOUT_MS);
      }
    }
  }

  /** Ends all containers; volumes stay unless `volumes`. */
  async down({ volumes = false }: { readonly volumes?: boolean } = {}): Promise<void> {
    const all = [...this.#running.values()];
    await Promise.all(all.map((running) => this.#remove(running)));
    if (volumes) {
      for (const name of readdirSync(join(this.#folder, 'volumes'))) {
        rmSync(join(this.#folder, 'volumes', name), { recursive: true });
      }
    }
  }

  /** Ends the containers of a service, which `up` starts again. */
  async stop(service: string): Promise<void> {
    await Promise.all(this.#instances(service).map(({ container }) => container.stop()));
    this.#writeHosts();
  }

  ps(): readonly ContainerState[] {
    return [...this.#running.values()].map(({ container, service }) => ({
      name: container.name,
      service: service.name,
      state: container.isRunning ? 'running' : 'exited',
      health: container.health,
      exitCode: container.exitCode,
      pid: container.pid,
      ports: service.ports,
    }));
  }

  /** What the containers of a service have written, as `docker compose logs` shows it. */
  logs(service: string): string {
    return this.#instances(service)
      .flatMap(({ container }) =>
        container.log
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => `${container.name}  | ${line}\n`),
      )
      .join('');
  }

  /** Runs a command in the first container of a service. */
  async exec(
    service: string,
    command: readonly string[],
    options: { readonly input?: string } = {},
  ): Promise<ExecResult> {
    return this.#first(service).container.exec(command, options.input);
  }

  /** Where this machine reaches what the file publishes at `hostPort`. */
  urlOf(hostPort: number): string {
    const url = this.maybeUrlOf(hostPort);
    assert(url !== undefined, `No service that was up publishes the port ${hostPort}`);
    return url;
  }

  maybeUrlOf(hostPort: number): string | undefined {
    const port = this.#published.get(String(hostPort));
    return port === undefined ? undefined : `http://127.0.0.1:${port}`;
  }

  /** Where other containers reach a service. */
  addressOf(service: string): string {
    return this.#first(service).container.host.address;
  }

  #read(): ComposeFile {
    const { file, environment = {} } = this.#options;
    return readComposeFile(file, readFileSync(this.copy, 'utf8'), { environment });
  }

  #selected(profiles: readonly string[]): readonly ComposeService[] {
    return [...this.#file.services.values()].filter(
      (service) =>
        service.profiles.length === 0 || service.profiles.some((name) => profiles.includes(name)),
    );
  }

  /** Each after what it depends on. */
  #wanted({ services, profiles = [] }: UpOptions): readonly ComposeService[] {
    const ordered = new Set<ComposeService>();
    const add = (service: ComposeService, path: readonly string[]): void => {
      if (path.includes(service.name)) throw new RangeError(`A cycle: ${path.join(' > ')}`);
      for (const dependency of service.dependsOn) {
        add(this.#service(dependency.service), [...path, service.name]);
      }
      ordered.add(service);
    };
    const wanted = services?.map((name) => this.#service(name)) ?? this.#selected(profiles);
    for (const service of wanted) add(service, []);
    return [...ordered];
  }

  #service(name: string): ComposeService {
    const service = this.#file.services.get(name);
    assert(service !== undefined, `There is no service ${name}`);
    return service;
  }

  #instances(service: string): readonly Running[] {
    return [...this.#running.values()].filter((each) => each.service.name === service);
  }

  #first(service: string): Running {
    const [first] = this.#instances(service);
    assert(first !== undefined, `${service} is not up`);
    return first;
  }

  async #waitFor({ service, condition }: Dependency): Promise<void> {
    if (condition === 'service_healthy') return this.healthy(service);
    if (condition === 'service_started') return;
    for (const { container } of this.#instances(service)) {
      const hasEnded = (): boolean => !container.isRunning && container.exitCode !== undefined;
      await waitForContainer(container, 'at its end', hasEnded, HEALTHY_TIMEOUT_MS);
      assert.equal(container.exitCode, 0, `${container.name} has failed:\n${container.log}`);
    }
  }

  async #startOne(service: ComposeService, index: number): Promise<void> {
    const key = `${service.name}-${index}`;
    const image = this.#imageOf(service);
    const parts = [service, image, this.#buildOf(service, image)];
    const fingerprint = JSON.stringify(parts, (_key, value: unknown) =>
      value instanceof Map ? [...value] : value,
    );
    const known = this.#running.get(key);
    const isDone = known?.service.restart === 'no' && known.container.exitCode === 0;
    const isSame = known?.fingerprint === fingerprint && known.container.isRunning;
    if (isSame || (isDone && known.fingerprint === fingerprint)) return;
    if (known !== undefined) await this.#remove(known);
    const slot = known?.slot ?? this.#freeSlot();
    const container = this.#createContainer(service, image, key, slot);
    this.#running.set(key, { container, service, index, slot, fingerprint });
    this.#writeHosts();
    container.start();
    for (const { hostPort, containerPort } of service.ports) {
      const name = String(hostPort ?? `${key}:${containerPort}`);
      const target = { address: container.host.address, port: containerPort };
      this.#published.set(name, await this.#relay!.publish(name, target));
    }
  }

  #freeSlot(): string {
    const taken = new Set([...this.#running.values()].map(({ slot }) => slot));
    const free = this.#network!.hosts.find(({ name }) => name !== GATEWAY && !taken.has(name));
    assert(free !== undefined, `A project has at most ${SLOT_COUNT} containers here`);
    return free.name;
  }

  #createContainer(service: ComposeService, image: Image, name: string, slot: string): Container {
    const { entrypoint = image.entrypoint, workingDir = image.workdir } = service;
    // An entrypoint of the file's own is not meant for the command of the image.
    const usual = service.entrypoint === undefined ? image.command : [];
    const command = [...entrypoint, ...(service.command ?? usual)];
    const hostname = service.hostname ?? name;
    return new Container({
      name,
      host: this.#network!.host(slot),
      folder: join(this.#folder, 'containers'),
      healthcheck: healthcheckOf(service, image),
      stopSignal: (service.stopSignal ?? image.stopSignal) as NodeJS.Signals,
      stopGraceMs: service.stopGraceMs,
      shouldRestart: (exitCode) =>
        service.restart !== 'no' && (service.restart !== 'on-failure' || exitCode !== 0),
      spec: {
        hostname,
        hostsFile: this.#hostsPath,
        steps: image.steps,
        devices: service.devices,
        tmpfs: service.tmpfs,
        volumes: [...image.caches.map((path) => this.#cache(path)), ...this.#volumesOf(service)],
        isReadOnly: service.isReadOnly,
        capabilities: capabilitiesOf(service.capAdd, service.capDrop),
        noNewPrivileges: service.noNewPrivileges,
        user: service.user ?? image.user,
        workdir: workingDir,
        environment: {
          ...Object.fromEntries(image.environment),
          ...Object.fromEntries(service.environment),
          HOSTNAME: hostname,
        },
        command: service.hasInit ? ['tini', '--', ...command] : command,
      },
    });
  }

  #imageOf({ build, image }: ComposeService): Image {
    if (build !== undefined) return builtImage(build, this.#images);
    return namedImage(image!, this.#images);
  }

  #buildOf({ build }: ComposeService, image: Image): string {
    if (build === undefined) return '';
    const known = this.#builds.get(build.dockerfile) ?? describeFiles(image);
    this.#builds.set(build.dockerfile, known);
    return known;
  }

  #volumesOf({ volumes }: ComposeService): readonly ContainerVolume[] {
    return volumes.map(({ kind, source, target, isReadOnly }) => ({
      source: kind === 'bind' ? source : this.#volume(source),
      target,
      isReadOnly,
      isNamed: kind === 'volume',
    }));
  }

  /** Every user of every container may write there. */
  #cache(target: string): ContainerVolume {
    const source = join(this.#folder, 'caches', target);
    mkdirSync(source, { recursive: true });
    chmodSync(source, 0o1777);
    return { source, target, isReadOnly: false, isNamed: false };
  }

  #volume(name: string): string {
    const path = join(this.#folder, 'volumes', name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  async #remove(running: Running): Promise<void> {
    await running.container.stop();
    this.#running.delete(running.container.name);
    this.#writeHosts();
  }

  get #hostsPath(): string {
    return join(this.#folder, 'hosts');
  }

  /** In place: containers have this very file as their /etc/hosts. */
  #writeHosts(): void {
    const lines = [...this.#running.values()].flatMap(({ container, service }) => {
      const names = new Set([container.name, service.name, service.hostname ?? service.name]);
      return `${container.host.address} ${[...names].join(' ')}\n`;
    });
    writeFileSync(this.#hostsPath, `127.0.0.1 localhost\n::1 localhost\n${lines.join('')}`);
  }
}

/** The file's goes before the image's, as a whole. */
function healthcheckOf(service: ComposeService, image: Image): Healthcheck | undefined {
  const healthcheck = service.healthcheck ?? image.healthcheck;
  return healthcheck === 'none' ? undefined : healthcheck;
}
