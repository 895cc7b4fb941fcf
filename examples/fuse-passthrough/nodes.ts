// Node ids, and the names under which they are found. Two names of one file (hard links) share a
// node, or each would have its own cache in the kernel.

export const ROOT = 1;

interface Node {
  readonly ino: number;
  readonly paths: Set<string>;
  /** How many replies named it that the kernel has not given back. */
  lookups: number;
  /** Open files: what is left of a file that has no name any more. */
  readonly handles: number[];
}

export class Nodes {
  readonly #nodes = new Map<number, Node>();
  readonly #idsByIno = new Map<number, number>();
  readonly #idsByPath = new Map<string, number>();
  #next = ROOT;

  constructor(root: string, ino: number) {
    this.lookUp(root, ino);
  }

  /** The id of the file at a path, named in a reply once more. */
  lookUp(path: string, ino: number): number {
    const id = this.#idsByIno.get(ino) ?? this.#next++;
    if (this.#idsByPath.get(path) !== id) this.drop(path);
    const node = this.#nodes.get(id) ?? { ino, paths: new Set(), lookups: 0, handles: [] };
    node.paths.add(path);
    node.lookups += 1;
    this.#nodes.set(id, node);
    this.#idsByIno.set(ino, id);
    this.#idsByPath.set(path, id);
    return id;
  }

  forget(id: number, count: number): void {
    const node = this.#nodes.get(id)!;
    node.lookups -= count;
    if (node.lookups > 0 || id === ROOT) return;
    for (const path of node.paths) this.drop(path);
    this.#nodes.delete(id);
  }

  /** Whether a name leads to the node: not when it was removed while it was open. */
  isNamed(id: number): boolean {
    return this.#nodes.get(id)!.paths.size > 0;
  }

  /** A path that leads to the node, if only through a descriptor that is open. */
  path(id: number): string {
    const { paths, handles } = this.#nodes.get(id)!;
    for (const path of paths) return path;
    return `/proc/self/fd/${handles[0]}`;
  }

  child(id: number, name: string): string {
    return `${this.path(id)}/${name}`;
  }

  addHandle(id: number, fd: number): void {
    this.#nodes.get(id)!.handles.push(fd);
  }

  removeHandle(id: number, fd: number): void {
    const { handles } = this.#nodes.get(id)!;
    handles.splice(handles.indexOf(fd), 1);
  }

  /** A name is gone. A file without a name lets its inode number go to another file. */
  drop(path: string): void {
    const id = this.#idsByPath.get(path);
    if (id === undefined) return;
    const { ino, paths } = this.#nodes.get(id)!;
    this.#idsByPath.delete(path);
    paths.delete(path);
    if (paths.size === 0) this.#idsByIno.delete(ino);
  }

  /** A file, or a folder with all that is in it, has got another name. */
  move(source: string, target: string): void {
    this.drop(target);
    for (const [path, id] of this.#idsByPath) {
      if (path !== source && !path.startsWith(`${source}/`)) continue;
      const moved = target + path.slice(source.length);
      const { paths } = this.#nodes.get(id)!;
      paths.delete(path);
      paths.add(moved);
      this.#idsByPath.delete(path);
      this.#idsByPath.set(moved, id);
    }
  }
}
