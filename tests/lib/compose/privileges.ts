// What a process in a container may do, as setpriv(1) is told.

export interface Privileges {
  /** Names of setpriv(1). */
  readonly capabilities: readonly string[];
  readonly noNewPrivileges: boolean;
  /** "app", "app:group"; empty: root. */
  readonly user: string;
  readonly workdir: string;
}

/** What Docker leaves to root in a container. */
const DOCKER_CAPABILITIES: readonly string[] = [
  'audit_write',
  'chown',
  'dac_override',
  'fowner',
  'fsetid',
  'kill',
  'mknod',
  'net_bind_service',
  'net_raw',
  'setfcap',
  'setgid',
  'setpcap',
  'setuid',
  'sys_chroot',
];

/** Docker's, with those of `cap_add` and without those of `cap_drop`. */
export function capabilitiesOf(
  added: readonly string[],
  dropped: readonly string[],
): readonly string[] {
  const usual = dropped.includes('all') ? [] : DOCKER_CAPABILITIES;
  return [...usual.filter((name) => !dropped.includes(name)), ...added];
}

/** What a command in the container is begun with. */
export function privilegePrefix(privileges: Privileges): readonly [string, ...string[]] {
  const { capabilities, noNewPrivileges, user, workdir } = privileges;
  const bounding = ['-all', ...capabilities.map((name) => `+${name}`)].join(',');
  const [name = '', group = name] = user.split(':');
  const isRoot = ['', 'root', '0'].includes(name);
  return [
    '/usr/bin/setpriv',
    ...(isRoot ? [] : [`--reuid=${name}`, `--regid=${group}`, '--init-groups']),
    '--inh-caps=-all',
    `--bounding-set=${bounding}`,
    ...(noNewPrivileges ? ['--no-new-privs'] : []),
    '/usr/bin/env',
    '-C',
    workdir,
  ];
}
