// Node ids and the paths they stand for. A path keeps its id until the kernel forgets it or the name
// goes to another file.

export const ROOT = 1;

interface Node {
  path: string;
  /** How many replies named it that the kernel has not given back. */
  lookups: number;
  /** Open files: what is left of a file whose name is gone. */
  readonly handles: number[];
}

export class Nodes {
  readonly #nodes = new Map<number, Node>();
  readonly #ids = new Map<string, number>();
  #next = ROOT;

  constructor(root: string) {
    this.lookUp(root);
  }

  /** The id of a path, named in a reply once more. */
  lookUp(path: string): number {
    const id = this.#ids.get(path) ?? this.#next++;
    const node = this.#nodes.get(id) ?? { path, lookups: 0, handles: [] };
    node.lookups += 1;
    this.#nodes.set(id, node);
    this.#ids.set(path, id);
    return id;
  }

  forget(id: number, count: number): void {
    const node = this.#nodes.get(id)!;
    node.lookups -= count;
    if (node.lookups > 0 || id === ROOT) return;
    this.#nodes.delete(id);
    if (this.#ids.get(node.path) === id) this.#ids.delete(node.path);
  }

  /** Whether a name leads to the node: not when it was removed while it was open. */
  isNamed(id: number): boolean {
    return this.#ids.get(this.#nodes.get(id)!.path) === id;
  }

  /** A path that leads to the node, if only through a descriptor that is open. */
  path(id: number): string {
    const node = this.#nodes.get(id)!;
    return this.isNamed(id) ? node.path : `/proc/self/fd/${node.handles[0]}`;
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

  /** A name is gone. */
  drop(path: string): void {
    this.#ids.delete(path);
  }

  /** A file, or a folder with all that is in it, has got another name. */
  move(source: string, target: string): void {
    this.drop(target);
    for (const [path, id] of this.#ids) {
      if (path !== source && !path.startsWith(`${source}/`)) continue;
      const moved = target + path.slice(source.length);
      this.#ids.delete(path);
      this.#ids.set(moved, id);
      this.#nodes.get(id)!.path = moved;
    }
  }
}
