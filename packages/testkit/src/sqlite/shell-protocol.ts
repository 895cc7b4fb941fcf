// The sqlite3 shell as a client: SQL on stdin, rows on stdout, errors on stderr.
//
// The shell does not say when it is done, so every request ends in a line that is printed on stdout
// and an unknown command, about which the shell complains on stderr. Both pipes are complete then.

import type { ClientProtocol, ClientRequest } from './client-protocol.ts';
import { inlineParameters, parseQuotedRows, type SqlValue } from './sql-value.ts';
import { SqliteError, sqliteCodeName } from './sqlite-error.ts';

const END = 'skein-end-of-answer';

export const shellProtocol: ClientProtocol = {
  // The file of start commands is the user's own; tests want none.
  command: ['sqlite3', '-batch', '-init', '/dev/null'],
  encode: (request) => `${encodeCommand(request)}\n.print ${END}\n.${END}\n`,
  decode: ({ stdout, stderr }) => {
    const isComplete = stdout.endsWith(`${END}\n`) && stderr.includes(END);
    if (!isComplete) return undefined;
    throwError(stderr);
    return parseQuotedRows(stdout.slice(0, -END.length - 1));
  },
};

function encodeCommand(request: ClientRequest<SqlValue>): string {
  switch (request.command) {
    case 'open': {
      const path = request.path.replaceAll(/["\\]/g, String.raw`\$&`);
      const option = request.isReadOnly ? '--readonly ' : '';
      return `.open ${option}"${path}"\n.timeout ${request.busyTimeoutMs}\n.mode quote`;
    }
    case 'exec':
      // On a line of its own, where a comment at the end of the statement does not swallow it.
      return `${inlineParameters(request.sql, request.params)}\n;`;
    case 'close':
      // The shell always has a database open.
      return '.open :memory:';
    default:
      throw new TypeError('Unknown command');
  }
}

/** "Runtime error near line 4: database is locked (5)", "Error: unable to open database …". */
function throwError(stderr: string): void {
  const pattern = /^(?:(?:Runtime|Parse) error|Error)[^:\n]*: (.*?)(?: \((\d+)\))?$/m;
  const [, message, code] = pattern.exec(stderr) ?? [];
  if (message === undefined || message.includes(END)) return;
  const isOpening = message.startsWith('unable to open database');
  const name = isOpening ? 'SQLITE_CANTOPEN' : sqliteCodeName(Number(code ?? 1));
  throw new SqliteError(name, message);
}
