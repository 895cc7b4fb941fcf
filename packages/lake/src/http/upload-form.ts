// The form of an upload, multipart/form-data: one file, which goes to a scratch file as it comes,
// and a few short fields. Nothing of the file is kept in memory.

import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';

import {
  Busboy,
  type BusboyFileStream,
  type BusboyHeaders,
  type BusboyInstance,
} from '@fastify/busboy';

import { badRequest, LakeHttpError } from './errors.ts';
import { stalled, tooLarge } from './read-body.ts';

export interface UploadForm {
  /** As the client calls it. */
  readonly fileName: string;
  /** Where it is; whoever gets the form removes it. */
  readonly path: string;
  readonly fields: ReadonlyMap<string, string>;
}

export interface UploadLimits {
  readonly bytesMax: number;
  readonly stallMs: number;
}

const FILE_PARTS: ReadonlySet<string> = new Set(['data', 'file']);
/** What comes while the disk writes: pieces of a packet would each wait for it. */
const BUFFER_BYTES = 1024 * 1024;
const FIELD_BYTES_MAX = 1024 * 1024;
const FIELDS_MAX = 16;

/** Writes the file to `path`. Throws LakeHttpError; then there is no file. */
export async function readUpload(
  request: IncomingMessage,
  path: string,
  limits: UploadLimits,
): Promise<UploadForm> {
  const { bytesMax } = limits;
  const fields = new Map<string, string>();
  let fileName: string | undefined;
  let saving: Promise<void> | undefined;
  let isTooLarge = false;
  const form = openForm(request, bytesMax);
  form.on('field', (name, value) => fields.set(name, value));
  form.on('file', (part, stream, name) => {
    if (!FILE_PARTS.has(part) || name === '' || saving !== undefined) {
      stream.resume();
      return;
    }
    fileName = name;
    stream.on('limit', () => (isTooLarge = true));
    saving = save(stream, path);
    // Awaited when the form has ended; until then it is no stray.
    saving.catch(() => {});
  });
  try {
    await receive(request, form, limits.stallMs);
    await saving;
    if (isTooLarge) throw tooLarge(bytesMax);
    if (fileName === undefined) throw badRequest('No part containing file found in the request!');
    return { fileName, path, fields };
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

function openForm({ headers }: IncomingMessage, bytesMax: number): BusboyInstance {
  try {
    return new Busboy({
      headers: headers as BusboyHeaders,
      highWaterMark: BUFFER_BYTES,
      fileHwm: BUFFER_BYTES,
      limits: {
        fileSize: bytesMax,
        fields: FIELDS_MAX,
        fieldSize: FIELD_BYTES_MAX,
        files: 2,
        parts: FIELDS_MAX + 2,
      },
    });
  } catch (error) {
    throw badRequest(`Error loading the upload body: ${(error as Error).message}`);
  }
}

async function save(stream: BusboyFileStream, path: string): Promise<void> {
  const options = { flags: 'wx', mode: 0o600, highWaterMark: BUFFER_BYTES };
  await pipeline(stream, createWriteStream(path, options));
}

async function receive(
  request: IncomingMessage,
  form: BusboyInstance,
  stallMs: number,
): Promise<void> {
  const timer = setTimeout(() => request.destroy(stalled()), stallMs);
  request.on('data', () => timer.refresh());
  try {
    await pipeline(request, form);
  } catch (error) {
    if (error instanceof LakeHttpError) throw error;
    throw badRequest(`Error loading the upload body: ${(error as Error).message}`);
  } finally {
    clearTimeout(timer);
  }
}
