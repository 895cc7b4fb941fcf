// The listing of the mount's folder. There is no open folder that a snapshot could belong to
// (OPENDIR would cost every transaction of SQLite a round trip), so each name gets a number when it
// is first listed, and a reader goes on behind the number that it had last: nothing is skipped or
// told twice when names come and go meanwhile.

const DOTS: readonly string[] = ['.', '..'];

export interface ListedName {
  readonly name: string;
  /** Where the next request goes on. */
  readonly off: number;
}

export class Listing {
  #numbers = new Map<string, number>();
  #next = DOTS.length + 1;

  /** Names whose number is above `offset`, in the order of their numbers. */
  from(offset: number, names: Iterable<string>): ListedName[] {
    const numbers = new Map<string, number>();
    for (const name of names) {
      const number = this.#numbers.get(name) ?? this.#next++;
      numbers.set(name, number);
    }
    this.#numbers = numbers;
    const listed = DOTS.map((name, index) => ({ name, off: index + 1 }));
    for (const [name, off] of numbers) listed.push({ name, off });
    return listed.filter(({ off }) => off > offset).sort((a, b) => a.off - b.off);
  }
}
