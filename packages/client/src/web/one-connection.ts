// Headers that are about one connection, or that Node frames and asks for anew: they do not go on
// with a message (RFC 9110, section 7.6.1). In lower case.

export const OF_ONE_CONNECTION: ReadonlySet<string> = new Set([
  'connection',
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
