// Files of SQLite's suite that cannot come to the same on the mount as on the bare disk, each with
// the reason. A file that is here and equal nevertheless is reported: its reason is out of date.

export type Exceptions = Readonly<Record<string, string>>;

export const EXCEPTIONS: Exceptions = {};
