// `${NAME}` in the values of a Compose file.
// https://github.com/compose-spec/compose-spec/blob/main/12-interpolation.md

export type Variables = Readonly<Record<string, string | undefined>>;

const VARIABLE = /\$(?:\$|(\w+)|\{(\w+)(?:(:?[-?+])([^}]*))?\})/g;

/** All texts in a document but the keys. What is missing and demanded becomes a problem. */
export function interpolateAll(value: unknown, variables: Variables, problems: string[]): unknown {
  if (typeof value === 'string') return interpolate(value, variables, problems);
  if (Array.isArray(value)) {
    return value.map((item: unknown) => interpolateAll(item, variables, problems));
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, interpolateAll(item, variables, problems)]),
  );
}

/** `$NAME`, `${NAME:-default}`, `${NAME:?message}`, `${NAME:+other}`; `$$` is one sign. */
export function interpolate(text: string, variables: Variables, problems: string[]): string {
  return text.replaceAll(
    VARIABLE,
    (whole, bare: string | undefined, braced: string | undefined, ...rest: unknown[]) => {
      if (whole === '$$') return '$';
      const [operator = '', word = ''] = rest as [string | undefined, string | undefined];
      const name = bare ?? braced!;
      const found = variables[name];
      const value = operator.startsWith(':') && found === '' ? undefined : found;
      if (operator.endsWith('+')) return value === undefined ? '' : word;
      if (operator.endsWith('?') && value === undefined) problems.push(`${name}: ${word}`);
      return value ?? (operator.endsWith('-') ? word : '');
    },
  );
}
