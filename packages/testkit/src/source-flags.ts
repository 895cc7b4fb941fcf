/** What Node is told so that it runs the sources of all packages as they are, and says nothing. */
export const SOURCE_FLAGS: readonly string[] = [
  '--conditions=@skein/source',
  '--disable-warning=ExperimentalWarning',
];
