// Environment variables in a configuration file, by LiteFS's rules, which are those of Go's
// os.Expand with comparisons added: https://fly.io/docs/litefs/config/#environment-variables
//
// The whole text is treated, before anything else reads it, comments included. `$NAME` and
// `${NAME}` become the variable's value, or nothing where it is not set. `${A == 'x'}`,
// `${A != "x"}` and `${A == B}` become true or false. A `$` that no name follows stays; there is no
// way to escape one.

export type Environment = Readonly<Record<string, string | undefined>>;

/** Behind the dollar sign: in braces, or one of the shell's special names, or a plain one. */
const REFERENCE = /\$(?:\{([^}]*)\}|\{|([*#$@!?\-0-9])|([A-Za-z_][A-Za-z0-9_]*))/g;

const COMPARISON = /^(\w+)\s*(==|!=)\s*(?:'(.*)'|"(.*)"|(\w+))$/;

export function expandEnvironment(text: string, environment: Environment): string {
  const valueOf = (name: string): string =>
    Object.hasOwn(environment, name) ? (environment[name] ?? '') : '';
  return text.replaceAll(
    REFERENCE,
    (_match, braced?: string, special?: string, plain?: string): string => {
      if (braced === undefined) return valueOf(special ?? plain ?? '');
      const comparison = COMPARISON.exec(braced.trim());
      if (comparison === null) return valueOf(braced.trim());
      const [, left = '', operator, single, double, name = ''] = comparison;
      const isEqual = valueOf(left) === (single ?? double ?? valueOf(name));
      return String(isEqual === (operator === '=='));
    },
  );
}
