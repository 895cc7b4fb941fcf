// Half-hourly weather in the shape of the Cambridge Computer Laboratory's file, for where there is
// no network: no header, ten columns, since the summer of 1995. The same numbers each time.
//
// node weather.ts --port 8085                  serves it on loopback as /weather-raw.csv
//                 --until 2022-08-28           how far it goes; the rows that it then has:
//                 --count                      prints how many these are

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { parseArgs } from 'node:util';

const FIRST_MS = Date.UTC(1995, 5, 30, 18);
const STEP_MS = 30 * 60 * 1000;
const YEAR_STEPS = 365.25 * 48;
const DAY_STEPS = 48;
/** Rows that are written at once. */
const CHUNK_ROWS = 1000;
/** What the station writes where an instrument failed. */
const NULL_TEXT = '';

export function weatherRowCount(untilMs: number): number {
  return Math.max(0, Math.ceil((untilMs - FIRST_MS) / STEP_MS));
}

/** The file in pieces of a thousand lines. */
export function* weatherFile(untilMs: number): Generator<string> {
  const rowCount = weatherRowCount(untilMs);
  for (let first = 0; first < rowCount; first += CHUNK_ROWS) {
    let piece = '';
    const end = Math.min(rowCount, first + CHUNK_ROWS);
    for (let row = first; row < end; row += 1) piece += weatherLine(row);
    yield piece;
  }
}

function weatherLine(row: number): string {
  const time = new Date(FIRST_MS + row * STEP_MS).toISOString();
  // Warmest at the end of July, and in the afternoon; the first row is of a June evening.
  const season = Math.cos((2 * Math.PI * (row - YEAR_STEPS / 13)) / YEAR_STEPS);
  const hour = Math.cos((2 * Math.PI * (row + 6)) / DAY_STEPS);
  const temperature = Math.round(100 + 65 * season + 40 * hour + 50 * (noise(row, 1) - 0.5));
  const humidity = Math.round(78 - 14 * hour - 8 * season + 16 * (noise(row, 2) - 0.5));
  const wind = Math.round(40 + 90 * noise(row, 5) ** 2);
  const isDay = hour > 0;
  const values = [
    // An instrument fails now and then.
    noise(row, 9) < 0.002 ? NULL_TEXT : temperature,
    Math.min(100, Math.max(20, humidity)),
    temperature - Math.round((100 - humidity) * 2),
    Math.round(1013 + 22 * (noise(Math.floor(row / 60), 4) - 0.5)),
    wind,
    45 * Math.floor(8 * noise(Math.floor(row / 6), 6)),
    isDay ? Math.round(50 * noise(row, 7)) : 0,
    noise(row, 8) > 0.93 ? Math.round(600 * noise(row, 10)) : 0,
    wind + Math.round(60 * noise(row, 11)),
  ];
  return `${time.slice(0, 10)} ${time.slice(11, 19)},${values.join(',')}\n`;
}

/** From 0 to 1, the same for the same row and column. */
function noise(row: number, column: number): number {
  let hash = Math.imul(row ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(column, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

async function serve(port: number, untilMs: number): Promise<void> {
  const server = createServer((request, response) => {
    if (request.url !== '/weather-raw.csv') {
      response.writeHead(404).end();
      return;
    }
    response.setHeader('Content-Type', 'text/csv');
    if (request.method === 'HEAD') response.end();
    else Readable.from(weatherFile(untilMs), { objectMode: false }).pipe(response);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  console.log(`http://127.0.0.1:${address.port}/weather-raw.csv`);
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '8085' },
      until: { type: 'string', default: '2022-08-28' },
      count: { type: 'boolean', default: false },
    },
  });
  const untilMs = Date.parse(`${values.until}T00:00:00Z`);
  if (values.count) console.log(weatherRowCount(untilMs));
  else await serve(Number(values.port), untilMs);
}
