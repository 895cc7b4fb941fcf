// Passwords as scrypt keeps them (RFC 7914). The parameters stand in each hash, so that they can be
// raised: who logs in with an older hash gets a new one.
//
//   scrypt$N$r$p$SALT$HASH       salt and hash in base64url

import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

export interface ScryptParameters {
  /** Power of two; memory is 128 · N · r bytes. */
  readonly cost: number;
  readonly blockSize: number;
  readonly parallelization: number;
}

/** 32 MiB and some 0.2 s of one CPU: what OWASP's password storage sheet asks for. */
export const SCRYPT_PARAMETERS: ScryptParameters = {
  cost: 2 ** 15,
  blockSize: 8,
  parallelization: 3,
};

const SALT_BYTES = 16;
const HASH_BYTES = 32;
const FORMAT = /^scrypt\$(\d{1,8})\$(\d{1,3})\$(\d{1,3})\$([\w-]{22})\$([\w-]{43})$/;
/** A hash in the database that asks for more is damaged, or wants the memory of the process. */
const MEMORY_BYTES_MAX = 256 * 1024 * 1024;

export const PASSWORD_LENGTH_MIN = 8;
/** Beyond it a password is a way to keep the CPU busy. */
const PASSWORD_LENGTH_MAX = 1024;

/** Why a password cannot be taken; undefined if it can. */
export function passwordProblem(password: string, username: string): string | undefined {
  if (password.length < PASSWORD_LENGTH_MIN) {
    return `The password is too short: at least ${PASSWORD_LENGTH_MIN} characters`;
  }
  if (password.length > PASSWORD_LENGTH_MAX) {
    return `The password is too long: at most ${PASSWORD_LENGTH_MAX} characters`;
  }
  if (/^\d+$/.test(password)) return 'The password is only digits';
  if (password.toLowerCase() === username.toLowerCase()) {
    return 'The password is the same as the username';
  }
  return new Set(password).size < 4 ? 'The password is too simple' : undefined;
}

export async function hashPassword(
  password: string,
  parameters: ScryptParameters = SCRYPT_PARAMETERS,
): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(password, salt, parameters);
  const { cost, blockSize, parallelization } = parameters;
  const numbers = [cost, blockSize, parallelization].join('$');
  return `scrypt$${numbers}$${salt.toString('base64url')}$${hash.toString('base64url')}`;
}

export interface PasswordVerdict {
  readonly isRight: boolean;
  /** Whether it was hashed with other parameters than those of today. */
  readonly isOutdated: boolean;
}

/** Takes as long for a wrong password as for the right one. */
export async function verifyPassword(
  password: string,
  hash: string,
  current: ScryptParameters = SCRYPT_PARAMETERS,
): Promise<PasswordVerdict> {
  const parsed = parseHash(hash);
  if (parsed === undefined || password.length > PASSWORD_LENGTH_MAX) {
    return { isRight: false, isOutdated: false };
  }
  const { parameters, salt, expected } = parsed;
  const isRight = timingSafeEqual(await derive(password, salt, parameters), expected);
  const names = ['cost', 'blockSize', 'parallelization'] as const;
  return { isRight, isOutdated: names.some((name) => parameters[name] !== current[name]) };
}

/** Whether a text is a hash of a password that verifyPassword() accepts. */
export function isPasswordHash(text: string): boolean {
  return parseHash(text) !== undefined;
}

interface ParsedHash {
  readonly parameters: ScryptParameters;
  readonly salt: Buffer;
  readonly expected: Buffer;
}

function parseHash(text: string): ParsedHash | undefined {
  const match = FORMAT.exec(text);
  if (match === null) return undefined;
  const [cost, blockSize, parallelization] = match.slice(1, 4).map(Number) as [
    number,
    number,
    number,
  ];
  const isSane = cost > 1 && (cost & (cost - 1)) === 0 && blockSize > 0 && parallelization > 0;
  if (!isSane || memoryBytes({ cost, blockSize, parallelization }) > MEMORY_BYTES_MAX) {
    return undefined;
  }
  return {
    parameters: { cost, blockSize, parallelization },
    salt: Buffer.from(match[4]!, 'base64url'),
    expected: Buffer.from(match[5]!, 'base64url'),
  };
}

function memoryBytes({ cost, blockSize, parallelization }: ScryptParameters): number {
  return 128 * blockSize * (cost + parallelization);
}

function derive(password: string, salt: Buffer, parameters: ScryptParameters): Promise<Buffer> {
  // The same password typed on different keyboards (Unicode, NFKC).
  const normalized = password.normalize('NFKC');
  // OpenSSL counts a little more than the formula.
  const maxmem = memoryBytes(parameters) + 1024 * 1024;
  return new Promise((resolve, reject) => {
    scrypt(normalized, salt, HASH_BYTES, { ...parameters, maxmem }, (error, hash) => {
      if (error === null) resolve(hash);
      else reject(error);
    });
  });
}
