// What a node must hold after a crash: the states it went through, all databases together, and how
// far it has promised that nothing is lost.

import { equalPages, type Pages } from './sample-database.ts';

/** The databases of a node, by name. */
export type NodeState = ReadonlyMap<string, Pages>;

export class Timeline {
  readonly states: NodeState[] = [new Map()];
  /** Number of the last state that a client was told is durable. */
  durable = 0;

  get last(): NodeState {
    return this.states.at(-1)!;
  }

  /** A transaction begins that makes these databases what they are here; undefined: drops them. */
  begin(changes: Readonly<Record<string, Pages | undefined>>): void {
    const next = new Map(this.last);
    for (const [name, pages] of Object.entries(changes)) {
      if (pages === undefined) next.delete(name);
      else next.set(name, pages);
    }
    this.states.push(next);
  }

  /** Everything so far was acknowledged as durable. */
  promise(): void {
    this.durable = this.states.length - 1;
  }

  /** The transaction that began last has failed, and its client knows; returns where it led. */
  revoke(): NodeState {
    const state = this.states.pop()!;
    this.durable = Math.min(this.durable, this.states.length - 1);
    return state;
  }

  /** What was revoked happened after all. */
  restore(state: NodeState): void {
    this.states.push(state);
    this.promise();
  }

  /** Number of the state that was found; undefined when there was never such a state. */
  find(found: NodeState): number | undefined {
    for (let n = this.states.length - 1; n >= 0; n--)
      if (equalStates(this.states[n]!, found)) return n;
    return undefined;
  }
}

export function equalStates(one: NodeState, other: NodeState): boolean {
  if (one.size !== other.size) return false;
  return [...one].every(([name, pages]) => equalPages(pages, other.get(name)));
}
