// What a mount is asked to be, whichever way it is made.

export interface MountOptions {
  readonly mountpoint: string;
  /** What the mount table shows as mounted. */
  readonly source: string;
  /** The type of the mount is "fuse." and this. */
  readonly subtype: string;
  /** Lets other users in. As a user who is not root, /etc/fuse.conf must allow it. */
  readonly allowOther?: boolean;
  /** The kernel checks permissions by mode, user and group, rather than asking ACCESS. */
  readonly defaultPermissions?: boolean;
  /** Refuses a mountpoint that holds what the mount would hide; see folder-contents.ts. */
  readonly mustBeEmpty?: boolean;
}
