// Errors of this package.

import { CodedError, type CodedErrorOptions } from '@skein/bytes';

export type FuseProtocolErrorCode =
  /** The message is shorter than its opcode demands, or its length does not match. */
  | 'FUSE_REQUEST_MALFORMED'
  /** A file name that is not UTF-8; the application is told EILSEQ. */
  | 'FUSE_NAME_NOT_UTF8'
  /** The kernel speaks a protocol that is older than this package can answer. */
  | 'FUSE_KERNEL_TOO_OLD'
  /** The device cannot be read, for another reason than that the mount is gone. */
  | 'FUSE_DEVICE_FAILED'
  /** The kernel refused a reply or a notification: it was wrongly made. */
  | 'FUSE_REPLY_REFUSED';

/** What came from the kernel, or went to it, is not as the protocol says. */
export class FuseProtocolError extends Error {
  override readonly name = 'FuseProtocolError';
  readonly code: FuseProtocolErrorCode;

  constructor(code: FuseProtocolErrorCode, message: string, options?: ErrorOptions) {
    super(`Cannot speak FUSE: ${message}`, options);
    this.code = code;
  }
}

export type FuseMountErrorCode =
  /** There is no /dev/fuse: the module is not loaded, or the container was not given the device. */
  | 'FUSE_DEVICE_MISSING'
  /** The device or the mount is refused to this user or container. */
  | 'FUSE_NOT_PERMITTED'
  /** Not root, and fusermount3 is not installed. */
  | 'FUSE_FUSERMOUNT_MISSING'
  | 'FUSE_MOUNTPOINT_MISSING'
  | 'FUSE_MOUNTPOINT_NOT_A_FOLDER'
  | 'FUSE_MOUNTPOINT_NOT_EMPTY'
  | 'FUSE_ALREADY_MOUNTED'
  | 'FUSE_MOUNT_FAILED'
  | 'FUSE_UNMOUNT_FAILED';

/** A mount could not be made or taken down. `hint` says what the user can do about it. */
export class FuseMountError extends CodedError<FuseMountErrorCode> {
  override readonly name = 'FuseMountError';
  readonly mountpoint: string;

  constructor(
    code: FuseMountErrorCode,
    message: string,
    details: CodedErrorOptions & { readonly mountpoint: string },
  ) {
    super(code, message, details);
    this.mountpoint = details.mountpoint;
  }
}
