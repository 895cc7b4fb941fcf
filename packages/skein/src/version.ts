/** As in package.json, which a test compares. */
export const SKEIN_VERSION = '0.1.0';
