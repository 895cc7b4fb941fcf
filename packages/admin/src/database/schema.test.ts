import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import Database from 'better-sqlite3';

import { affinityOf, readSchema, type Schema, SchemaCache } from './schema.ts';

function schemaOf(sql: string): Schema {
  const database = new Database(':memory:');
  database.exec(sql);
  const schema = readSchema(database);
  database.close();
  return schema;
}

describe('readSchema()', () => {
  test('has what is shown: no table of SQLite, of the site, of an index of words', () => {
    const schema = schemaOf(`
      CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT);
      CREATE TABLE skein_admin_user (id INTEGER PRIMARY KEY);
      CREATE VIEW v AS SELECT 1 AS one;
      CREATE VIRTUAL TABLE words USING fts5 (text);
      CREATE TEMP TABLE gone (x);`);
    assert.deepEqual([...schema.keys()], ['t', 'v', 'words']);
    assert.equal(schema.get('v')!.identity, undefined);
    assert.equal(schema.get('words')!.kind, 'virtual');
    assert.deepEqual(
      schema.get('words')!.columns.map(({ name }) => name),
      ['text'],
    );
  });

  test('tells rows by keys that are never NULL, else by a name of the rowid that is free', () => {
    const schema = schemaOf(`
      CREATE TABLE a (id INTEGER PRIMARY KEY);
      CREATE TABLE b (id TEXT PRIMARY KEY);
      CREATE TABLE c (id TEXT PRIMARY KEY NOT NULL);
      CREATE TABLE d (x, y, PRIMARY KEY (y, x)) WITHOUT ROWID;
      CREATE TABLE e (rowid, _rowid_);
      CREATE TABLE f (rowid, _rowid_, oid);
      CREATE TABLE g (id INT PRIMARY KEY);`);
    const of = (name: string): unknown => schema.get(name)!.identity;
    assert.deepEqual(of('a'), { kind: 'columns', names: ['id'] });
    assert.deepEqual(of('b'), { kind: 'rowid', names: ['rowid'] });
    assert.deepEqual(of('c'), { kind: 'columns', names: ['id'] });
    assert.deepEqual(of('d'), { kind: 'columns', names: ['y', 'x'] });
    assert.deepEqual(of('e'), { kind: 'rowid', names: ['oid'] });
    assert.equal(of('f'), undefined);
    assert.deepEqual(of('g'), { kind: 'rowid', names: ['rowid'] });
    assert.equal(schema.get('g')!.columns[0]!.isRowid, false, 'INT is not INTEGER');
  });

  test('follows foreign keys in both directions, whatever they leave out', () => {
    const schema = schemaOf(`
      CREATE TABLE parent (a INTEGER, B TEXT, PRIMARY KEY (a, B));
      CREATE TABLE child (x INTEGER, y TEXT, z REFERENCES nowhere,
        FOREIGN KEY (x, y) REFERENCES PARENT ON DELETE CASCADE);
      CREATE TABLE lower (y REFERENCES parent (b));`);
    const [key, ...others] = schema.get('child')!.foreignKeys;
    assert.deepEqual(others, []);
    assert.equal(key!.target, 'parent');
    assert.deepEqual(key!.columns, ['x', 'y']);
    assert.deepEqual(key!.targetColumns, ['a', 'B']);
    assert.equal(key!.onDelete, 'CASCADE');
    assert.deepEqual(schema.get('lower')!.foreignKeys[0]!.targetColumns, ['B']);
    assert.equal(schema.get('parent')!.referencedBy.length, 2);
  });

  test('knows generated columns, defaults and indexes', () => {
    const schema = schemaOf(`
      CREATE TABLE t (a TEXT DEFAULT 'it''s', b TEXT AS (a || 'x'), c TEXT AS (a) STORED) STRICT;
      CREATE UNIQUE INDEX i ON t (a, lower(a)) WHERE a > '';`);
    const table = schema.get('t')!;
    assert.equal(table.isStrict, true);
    assert.deepEqual(
      table.columns.map(({ isGenerated }) => isGenerated),
      [false, true, true],
    );
    assert.equal(table.columns[0]!.defaultSql, "'it''s'");
    assert.deepEqual(table.indexes, [
      { name: 'i', isUnique: true, columns: ['a', undefined], isPartial: true },
    ]);
  });
});

describe('SchemaCache', () => {
  test('reads again what has changed, also in another database of the same version', () => {
    const cache = new SchemaCache();
    const [first, second] = [new Database(':memory:'), new Database(':memory:')];
    first.exec('CREATE TABLE a (x)');
    second.exec('CREATE TABLE b (x)');
    assert.equal(cache.read(first), cache.read(first));
    assert.deepEqual([...cache.read(first).keys()], ['a']);
    assert.deepEqual([...cache.read(second).keys()], ['b']);
    second.exec('ALTER TABLE b ADD COLUMN y');
    assert.equal(cache.read(second).get('b')!.columns.length, 2);
    first.close();
    second.close();
  });
});

test('affinityOf() follows the rules of SQLite in their order', () => {
  assert.equal(affinityOf('CHARINT'), 'INTEGER');
  assert.equal(affinityOf('FLOATING POINT'), 'INTEGER');
  assert.equal(affinityOf('varchar(9)'), 'TEXT');
  assert.equal(affinityOf(''), 'BLOB');
  assert.equal(affinityOf('double'), 'REAL');
  assert.equal(affinityOf('DECIMAL(1,2)'), 'NUMERIC');
  assert.equal(affinityOf('DATETIME'), 'NUMERIC');
});
