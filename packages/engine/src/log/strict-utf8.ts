// Names in files: bytes that are no UTF-8 are damage, not to be patched up.

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function maybeDecodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
