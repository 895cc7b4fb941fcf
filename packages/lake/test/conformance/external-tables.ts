// E: CREATE EXTERNAL TABLE over HTTP. The server that is fetched from is on loopback, which the
// lake of these tests is allowed.

import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

import { conforms, type Target } from './target.ts';

export interface FileServer {
  readonly url: string;
  /** What was asked: `HEAD /a.csv?x=1`. */
  readonly asked: readonly string[];
  close(): void;
}

const FILES: Readonly<Record<string, string | Buffer>> = {
  '/headed.csv': 'a,b\n1,one\n2,two\n',
  '/headless.csv': '1,one\n2,two\n',
  '/semicolons.csv': 'a;b\n1;one\n',
  '/empty-fields.csv': 'a,b\n,one\n2,\n',
  '/broken.csv': 'a,b\n1,one\nnone,two\n',
  '/packed.csv.gz': gzipSync('a,b\n1,one\n2,two\n'),
};

/** Refuses HEAD, and knows no ranges. */
export async function startFileServer(): Promise<FileServer> {
  const asked: string[] = [];
  const answer: RequestListener = ({ method, url = '' }, response) => {
    asked.push(`${method} ${url}`);
    const [path = ''] = url.split('?');
    const content = Object.hasOwn(FILES, path) ? FILES[path] : undefined;
    const status = method === 'HEAD' ? 403 : content === undefined ? 404 : 200;
    response.writeHead(status).end(status === 200 ? content : undefined);
  };
  const server = createServer(answer);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

export function checkExternalTables(target: () => Target, files: () => FileServer): void {
  const load = async (lake: Target, file: string, options = ''): Promise<string> => {
    const table = lake.name();
    await lake.run(`CREATE EXTERNAL TABLE ${table} (a INT, b TEXT) STORED AS CSV
      LOCATION '${files().url}${file}' ${options};
      CREATE TABLE ${table} AS SELECT * FROM staging.${table}`);
    return table;
  };
  const both = [
    { a: 1, b: 'one' },
    { a: 2, b: 'two' },
  ];
  const loads = (id: string, file: string, options: string, rows: readonly unknown[]): void => {
    conforms(id, target, async (lake) => {
      const table = await load(lake, file, options);
      assert.deepEqual(await lake.rows(`SELECT * FROM ${table} ORDER BY b`), rows);
    });
  };
  conforms('E-01', target, async (lake) => {
    const table = await load(lake, '/headless.csv?signature=a%2Fb');
    assert.deepEqual(await lake.rows(`SELECT * FROM ${table} ORDER BY a`), both);
    assert.ok(files().asked.includes('GET /headless.csv?signature=a%2Fb'));
  });
  loads('E-02', '/headless.csv', '', both);
  loads('E-03', '/headed.csv', "OPTIONS ('has_header' 'true')", both);
  conforms('E-05', target, async (lake) => {
    const headless = await load(lake, '/headless.csv', "OPTIONS ('has_header' 'false')");
    assert.deepEqual(await lake.rows(`SELECT * FROM ${headless} ORDER BY a`), both);
    const unsaid = await load(lake, '/headless.csv');
    assert.deepEqual(await lake.rows(`SELECT * FROM ${unsaid} ORDER BY a`), both);
    const headed = await load(lake, '/headed.csv', "OPTIONS ('format.has_header' 'true')");
    assert.deepEqual(await lake.rows(`SELECT * FROM ${headed} ORDER BY a`), both);
  });
  const gzip = "OPTIONS ('has_header' 'true', 'compression' 'gzip')";
  loads('E-06', '/packed.csv.gz', gzip, both);
  const semicolon = "OPTIONS ('has_header' 'true', 'delimiter' ';')";
  loads('E-07', '/semicolons.csv', semicolon, [{ a: 1, b: 'one' }]);
  loads('E-08', '/empty-fields.csv', "OPTIONS ('has_header' 'true')", [
    { a: null, b: 'one' },
    { a: 2, b: null },
  ]);
  conforms('E-09', target, async (lake) => {
    const table = lake.name();
    const answer = await lake.write(`CREATE EXTERNAL TABLE ${table} (a INT, b TEXT) STORED AS CSV
      LOCATION '${files().url}/broken.csv' OPTIONS ('has_header' 'true');
      CREATE TABLE ${table} AS SELECT * FROM staging.${table}`);
    assert.equal(answer.status, 400, answer.text);
    assert.equal((await lake.query(`SELECT * FROM ${table}`)).status, 400);
  });
}
