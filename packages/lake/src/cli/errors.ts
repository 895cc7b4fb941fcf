// The command line of the lake asks for something that cannot be: exit code 2.

export class LakeUsageError extends Error {
  override readonly name = 'LakeUsageError';
  readonly code = 'LAKE_USAGE';
}
