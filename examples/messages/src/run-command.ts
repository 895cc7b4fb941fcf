// What the commands of this example have in common.

/**
 * Runs one. Of an error with a code, which is one of Skein's or of SQLite's, the message and the
 * hint say all there is to say.
 */
export async function runCommand(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    console.error(`${error.message} (${String(error.code)})`);
    if ('hint' in error && typeof error.hint === 'string') console.error(`  ${error.hint}`);
    process.exitCode = 1;
  }
}
