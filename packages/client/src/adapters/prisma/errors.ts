// Errors of SQLite in the terms of Prisma, which makes codes like P2002 of them. Of an error about
// the node Prisma makes one of its own, with the code and the message; in its `meta` is ours.

import { DriverAdapterError, type MappedError } from '@prisma/driver-adapter-utils';

import { maybeSqliteCode } from '../../drivers/driver.ts';
import { isSkeinError, type SkeinError } from '../../errors.ts';

export function toPrismaError(error: unknown): unknown {
  // Not to be enumerated: it is a circle.
  if (isSkeinError(error)) return Object.defineProperty(error, 'meta', metaOf(error));
  const code = maybeSqliteCode(error);
  if (code === undefined) return error;
  const { message } = error as Error;
  return new DriverAdapterError({
    originalCode: code,
    originalMessage: message,
    ...mapError(code, message),
  });
}

function metaOf(driverAdapterError: SkeinError): PropertyDescriptor {
  return { value: { driverAdapterError }, configurable: true };
}

function mapError(code: string, message: string): MappedError {
  switch (code) {
    case 'SQLITE_CONSTRAINT_UNIQUE':
    case 'SQLITE_CONSTRAINT_PRIMARYKEY':
      return { kind: 'UniqueConstraintViolation', ...fieldsIn(message) };
    case 'SQLITE_CONSTRAINT_NOTNULL':
      return { kind: 'NullConstraintViolation', ...fieldsIn(message) };
    case 'SQLITE_CONSTRAINT_FOREIGNKEY':
    case 'SQLITE_CONSTRAINT_TRIGGER':
      return { kind: 'ForeignKeyConstraintViolation', constraint: { foreignKey: {} } };
  }
  if (code.startsWith('SQLITE_BUSY')) return { kind: 'SocketTimeout' };
  return mapMessage(message);
}

/** What is wrong with a statement SQLite tells in words alone. */
function mapMessage(message: string): MappedError {
  const table = /^no such table: (.+)$/.exec(message)?.[1];
  if (table !== undefined) return { kind: 'TableDoesNotExist', table };
  const column = /^(?:no such column: |table .+ has no column named )(.+)$/.exec(message)?.[1];
  if (column !== undefined) return { kind: 'ColumnNotFound', column };
  return { kind: 'sqlite', extendedCode: SQLITE_ERROR, message };
}

const SQLITE_ERROR = 1;

/** "UNIQUE constraint failed: users.email, users.name" */
function fieldsIn(message: string): { readonly constraint?: { readonly fields: string[] } } {
  const [, columns] = message.split('constraint failed: ');
  if (columns === undefined) return {};
  return { constraint: { fields: columns.split(', ').map((column) => column.split('.').pop()!) } };
}
