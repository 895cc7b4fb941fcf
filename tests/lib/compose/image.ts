// What an image is by its Dockerfile: environment, command, user, and the steps that make its
// files. Nothing is downloaded and no layer is built. This machine stands for the base image
// (machine-images.ts), the checkout for what the stages before the last one build: a path below
// WORKDIR of such a stage is the same path in the build context, where npm has put its packages as
// well. The steps of the last stage are carried out for real, when a container starts.
//
// It refuses every instruction that it does not know, and a FROM that nothing stands for.

import { createHash, type Hash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, posix, relative } from 'node:path';

import { type ComposeBuild, type Healthcheck, HEALTHCHECK_DEFAULTS } from './compose-file.ts';
import {
  type Dockerfile,
  type Instruction,
  maybeJsonList,
  parseDockerfile,
  readCommandForm,
  splitWords,
  type Stage,
} from './dockerfile.ts';
import { interpolate } from './interpolate.ts';
import type { MachineImage, MachineImages } from './machine-images.ts';
import { ComposeFileError, Reader } from './reader.ts';

/** Something that makes files of the image, in order. */
export type ImageStep =
  /** A file or folder of this machine at a path of the image, where nobody changes it. */
  | { readonly kind: 'show'; readonly source: string; readonly target: string }
  | {
      readonly kind: 'run';
      readonly command: readonly string[];
      readonly workdir: string;
      readonly environment: Readonly<Record<string, string>>;
    };

export interface Image {
  readonly environment: ReadonlyMap<string, string>;
  readonly workdir: string;
  readonly user: string;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly stopSignal: string;
  readonly healthcheck: Healthcheck | 'none' | undefined;
  readonly exposedPorts: readonly number[];
  readonly steps: readonly ImageStep[];
  /** What the image installs, and this machine has to have. */
  readonly debianPackages: readonly string[];
  /** Folders that all containers of a project share, for what only saves time. */
  readonly caches: readonly string[];
}

const NOT_BUILT: ReadonlySet<string> = new Set(['node_modules', 'dist']);

type Draft = { -readonly [K in keyof Image]: Image[K] };

const EMPTY: Image = {
  environment: new Map([['PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin']]),
  workdir: '/',
  user: '',
  entrypoint: [],
  command: [],
  stopSignal: 'SIGTERM',
  healthcheck: undefined,
  exposedPorts: [],
  steps: [],
  debianPackages: [],
  caches: [],
};

/** The image of a service that names one. Throws RangeError if nothing stands for it. */
export function namedImage(name: string, machineImages: MachineImages): Image {
  const found = machineImages.find(({ pattern }) => pattern.test(name));
  if (found === undefined) throw new RangeError(`Nothing stands for the image ${name} here`);
  return imageOfMachine(found);
}

/** The image of a service that is built. Throws ComposeFileError, RangeError. */
export function builtImage(build: ComposeBuild, machineImages: MachineImages): Image {
  const path = build.dockerfile;
  const dockerfile = parseDockerfile(path, readFileSync(path, 'utf8'));
  const { target } = build;
  const stage =
    target === undefined
      ? dockerfile.stages.at(-1)
      : dockerfile.stages.find(({ name }) => name === target);
  if (stage === undefined) throw new ComposeFileError(path, [`there is no stage ${target}`]);
  return new Builder(build, dockerfile, machineImages).imageOf(stage);
}

function imageOfMachine(machine: MachineImage): Image {
  return {
    ...EMPTY,
    environment: new Map([...EMPTY.environment, ...(machine.environment ?? [])]),
    entrypoint: machine.entrypoint ?? [],
    command: machine.command ?? [],
    stopSignal: machine.stopSignal ?? EMPTY.stopSignal,
    steps: machine.steps ?? [],
    debianPackages: machine.debianPackages ?? [],
    caches: machine.caches ?? [],
  };
}

class Builder {
  readonly #build: ComposeBuild;
  readonly #dockerfile: Dockerfile;
  readonly #machineImages: MachineImages;

  constructor(build: ComposeBuild, dockerfile: Dockerfile, machineImages: MachineImages) {
    this.#build = build;
    this.#dockerfile = dockerfile;
    this.#machineImages = machineImages;
  }

  imageOf(stage: Stage): Image {
    const globals = new Map<string, string>();
    for (const instruction of this.#dockerfile.globalArgs) this.#readArg(instruction, globals);
    const base = this.#expand(stage.base, globals);
    const earlier = this.#stage(base);
    const image: Draft = {
      ...(earlier === undefined ? namedImage(base, this.#machineImages) : this.imageOf(earlier)),
    };
    const args = new Map(globals);
    for (const instruction of stage.instructions) this.#carryOut(instruction, image, args);
    return image;
  }

  #stage(name: string): Stage | undefined {
    return this.#dockerfile.stages.find((stage) => stage.name === name);
  }

  #carryOut(instruction: Instruction, image: Draft, args: Map<string, string>): void {
    const { name, rest } = instruction;
    const expand = (text: string): string =>
      this.#expand(text, new Map([...args, ...image.environment]));
    switch (name) {
      case 'ARG':
        return this.#readArg(instruction, args);
      case 'ENV':
        image.environment = new Map([
          ...image.environment,
          ...splitWords(rest).map((pair) => this.#readPair(instruction, expand(pair))),
        ]);
        return;
      case 'WORKDIR':
        image.steps = [
          ...image.steps,
          runStep(image, ['mkdir', '-p', posix.resolve(image.workdir, expand(rest))]),
        ];
        image.workdir = posix.resolve(image.workdir, expand(rest));
        return;
      case 'USER':
        image.user = expand(rest);
        return;
      case 'COPY':
        image.steps = [...image.steps, ...this.#copySteps(instruction, image, expand)];
        return;
      case 'RUN':
        return run(rest, image);
      case 'EXPOSE':
        image.exposedPorts = [...image.exposedPorts, ...splitWords(expand(rest)).map(Number)];
        return;
      case 'ENTRYPOINT':
        image.entrypoint = readCommandForm(rest);
        // As Docker has it: what the base image runs is no argument of another program.
        image.command = [];
        return;
      case 'CMD':
        image.command = readCommandForm(rest);
        return;
      case 'STOPSIGNAL':
        image.stopSignal = expand(rest);
        return;
      case 'HEALTHCHECK':
        image.healthcheck = this.#readHealthcheck(instruction);
        return;
      case 'LABEL':
        return;
      default:
        return this.#fail(instruction, `${name} is not known here`);
    }
  }

  #readArg(instruction: Instruction, args: Map<string, string>): void {
    const [, name = '', value = ''] = /^(\w+)(?:=(.*))?$/.exec(instruction.rest) ?? [];
    if (name === '') this.#fail(instruction, 'expected ARG NAME=VALUE');
    const isKnown = value === '' && args.has(name);
    if (!isKnown) args.set(name, this.#build.args.get(name) ?? this.#expand(value, args));
  }

  #readPair(instruction: Instruction, pair: string): [name: string, value: string] {
    const end = pair.indexOf('=');
    if (end <= 0) this.#fail(instruction, 'expected ENV NAME=VALUE');
    return [pair.slice(0, end), pair.slice(end + 1)];
  }

  #copySteps(
    instruction: Instruction,
    image: Image,
    expand: (text: string) => string,
  ): readonly ImageStep[] {
    const { from, ...others } = instruction.flags;
    const unknown = Object.keys(others)[0];
    if (unknown !== undefined) this.#fail(instruction, `--${unknown} is not known here`);
    const { rest } = instruction;
    const words = (maybeJsonList(rest) ?? splitWords(rest)).map(expand);
    const sources = words.slice(0, -1);
    const [target = ''] = words.slice(-1);
    const isInto = target.endsWith('/') || sources.length > 1;
    return sources.map((path): ImageStep => {
      const source = this.#sourceOf(instruction, path, from);
      if (!existsSync(source)) this.#fail(instruction, `there is no ${path} in the checkout`);
      const base = posix.resolve(image.workdir, target);
      return { kind: 'show', source, target: isInto ? join(base, posix.basename(path)) : base };
    });
  }

  /** Where in the checkout is what the context or an earlier stage has at `path`. */
  #sourceOf(instruction: Instruction, path: string, from: string | undefined): string {
    const { context } = this.#build;
    if (from === undefined) return join(context, path);
    const stage = this.#stage(from);
    if (stage === undefined) return this.#fail(instruction, `there is no stage ${from}`);
    const workdir = this.imageOf(stage).workdir;
    const below = relative(workdir, posix.resolve(workdir, path));
    if (!below.startsWith('..')) return join(context, below);
    return this.#fail(instruction, `${path} is not below WORKDIR of ${from}`);
  }

  #readHealthcheck(instruction: Instruction): Healthcheck | 'none' {
    const { flags, rest } = instruction;
    if (rest === 'NONE') return 'none';
    if (!rest.startsWith('CMD ')) this.#fail(instruction, 'expected HEALTHCHECK CMD');
    const problems: string[] = [];
    const keys = new Reader(flags, `line ${instruction.line}`, problems).keys(
      'interval',
      'timeout',
      'retries',
      'start-period',
      'start-interval',
    );
    const usual = HEALTHCHECK_DEFAULTS;
    const healthcheck = {
      test: readCommandForm(rest.slice('CMD '.length).trim()),
      intervalMs: keys.interval.durationMs(usual.intervalMs),
      timeoutMs: keys.timeout.durationMs(usual.timeoutMs),
      retries: keys.retries.count(usual.retries),
      startPeriodMs: keys['start-period'].durationMs(usual.startPeriodMs),
      startIntervalMs: keys['start-interval'].durationMs(usual.startIntervalMs),
    };
    if (problems.length > 0) throw new ComposeFileError(this.#build.dockerfile, problems);
    return healthcheck;
  }

  #expand(text: string, variables: ReadonlyMap<string, string>): string {
    return interpolate(text, Object.fromEntries(variables), []);
  }

  #fail(instruction: Instruction, message: string): never {
    const problem = `line ${instruction.line}: ${instruction.name}: ${message}`;
    throw new ComposeFileError(this.#build.dockerfile, [problem]);
  }
}

/** What apt-get would install is asked of the machine; everything else is carried out. */
function run(rest: string, image: Draft): void {
  for (const command of rest.split(' && ')) {
    const words = splitWords(command);
    if (words[0] === 'apt-get') {
      const packages = words.slice(1).filter((word) => !word.startsWith('-'));
      if (packages[0] !== 'install') continue;
      image.debianPackages = [...image.debianPackages, ...packages.slice(1)];
    } else {
      image.steps = [...image.steps, runStep(image, ['/bin/sh', '-ec', command])];
    }
  }
}

function runStep(image: Image, command: readonly string[]): ImageStep {
  const { workdir } = image;
  return { kind: 'run', command, workdir, environment: Object.fromEntries(image.environment) };
}

/** Changes with the files of the checkout that the image shows. */
export function describeFiles({ steps }: Image): string {
  const hash = createHash('sha256');
  for (const step of steps) if (step.kind === 'show') addFiles(hash, step.source);
  return hash.digest('hex');
}

function addFiles(hash: Hash, path: string): void {
  const stats = statSync(path);
  if (!stats.isDirectory()) {
    hash.update(`${path} ${stats.size} ${stats.mtimeMs}\n`);
    return;
  }
  // What is installed is as old as the lock file, and what was compiled is not what runs.
  const names = readdirSync(path).filter((name) => !NOT_BUILT.has(name));
  if (basename(path) !== 'node_modules') for (const name of names) addFiles(hash, join(path, name));
}
