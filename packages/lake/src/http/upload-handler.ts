// POST /upload/<schema>/<table>: a CSV or Parquet file becomes rows of a table.

import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { mayWrite, writeForbidden } from './access.ts';
import type { Admission } from './admission.ts';
import { badRequest } from './errors.ts';
import type { LakeHttpOptions } from './options.ts';
import { inviteBody, tooLarge } from './read-body.ts';
import { DEFAULT_DATABASE, type Route } from './routes.ts';
import { readUpload, type UploadForm } from './upload-form.ts';
import type { IngestFile } from '../engine/ports.ts';
import type { Visit } from './visit.ts';

/** Of the form beside the file: boundaries, headers, short fields. */
const FORM_OVERHEAD_BYTES = 1024 * 1024;

export class UploadHandler {
  readonly #options: LakeHttpOptions;
  readonly #writes: Admission;
  #uploads = 0;

  constructor(options: LakeHttpOptions, writes: Admission) {
    this.#options = options;
    this.#writes = writes;
  }

  async post(visit: Visit, target: Extract<Route, { kind: 'upload' }>): Promise<void> {
    const { access, engine, limits, scratchFolder } = this.#options;
    const { request, response, principal } = visit;
    if (!mayWrite(principal, access) || engine.role === 'reader') throw writeForbidden();
    if (target.database !== DEFAULT_DATABASE) {
      throw badRequest(`Error during planning: Catalog "${target.database}" doesn't exist`);
    }
    const bytesMax = limits.uploadBytes;
    const announced = Number(request.headers['content-length'] ?? 0);
    if (announced > bytesMax + FORM_OVERHEAD_BYTES) throw tooLarge(bytesMax);
    const leave = await this.#writes.enter(visit.signal);
    this.#uploads += 1;
    const path = join(scratchFolder, `upload-${process.pid}-${this.#uploads}`);
    try {
      inviteBody(request, response);
      const form = await readUpload(request, path, { bytesMax, stallMs: limits.stallMs });
      if ((await stat(path)).size === 0) throw badRequest(`File ${form.fileName} is empty`);
      await this.#ingest(visit, form, target);
    } finally {
      await rm(path, { force: true });
      leave();
    }
  }

  async #ingest(visit: Visit, form: UploadForm, { schema, table }: UploadTarget): Promise<void> {
    const { response } = visit;
    const execution = await this.#options.engine.ingest(fileOf(form), { schema, table });
    try {
      for await (const chunk of execution.chunks()) void chunk;
      const { snapshot, position } = execution;
      const text = `${form.fileName} appended to table ${table} version ${snapshot.id}\n`;
      response.setHeader('X-Skein-Position', position);
      response.setHeader('Content-Type', 'text/plain; charset=utf-8');
      response.writeHead(200, { 'Content-Length': Buffer.byteLength(text) }).end(text);
    } finally {
      await execution.close();
    }
  }
}

interface UploadTarget {
  readonly schema: string;
  readonly table: string;
}

function fileOf({ fileName, path, fields }: UploadForm): IngestFile {
  const extension = fileName.slice(fileName.lastIndexOf('.') + 1);
  if (extension !== 'csv' && extension !== 'parquet') {
    throw badRequest(`File ${fileName} not supported`);
  }
  if (extension === 'parquet') return { path, format: 'parquet' };
  const schema = fields.get('schema');
  return {
    path,
    format: 'csv',
    hasHeader: hasHeader(fields.get('has_header')),
    schema: schema === undefined ? undefined : parseSchema(schema),
  };
}

/** Seafowl takes all but `true…` for false; what is neither would cost a row, or add one. */
function hasHeader(value = 'true'): boolean {
  const word = /^(true|false)/i.exec(value)?.[1]?.toLowerCase();
  if (word === undefined) throw badRequest('Invalid has_header: true or false');
  return word === 'true';
}

function parseSchema(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badRequest(`Error parsing the file schema: ${(error as Error).message}`);
  }
}
