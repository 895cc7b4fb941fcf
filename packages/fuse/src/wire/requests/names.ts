// Requests about names in a folder: `nodeid` is the folder, a name follows the struct.
//
// What is not mentioned has no struct: READLINK is about the link itself and carries nothing.

import { formatFlags, RENAME_FLAGS } from '../flags.ts';
import { FuseRequest } from '../request-buffer.ts';
import { octal, quote } from './format.ts';

/** LOOKUP, UNLINK, RMDIR, REMOVEXATTR: no struct, a name. */
export class NameRequest extends FuseRequest {
  get name(): string {
    return this.text();
  }

  override describe(): string {
    return `name=${quote(this.name)}`;
  }
}

/** SYMLINK: no struct, the name of the link and the path it points to. */
export class SymlinkRequest extends FuseRequest {
  get name(): string {
    return this.text();
  }

  get target(): string {
    return this.text(1);
  }

  override describe(): string {
    return `name=${quote(this.name)} target=${quote(this.target)}`;
  }
}

/**
 *   struct fuse_mknod_in, then a name
 *    0 u32 mode      type and permissions
 *    4 u32 rdev      for devices
 *    8 u32 umask
 *   12 u32 padding
 */
export class MknodRequest extends FuseRequest {
  get mode(): number {
    return this.u32(0);
  }

  get rdev(): number {
    return this.u32(4);
  }

  get umask(): number {
    return this.u32(8);
  }

  get name(): string {
    return this.text();
  }

  override describe(): string {
    return `name=${quote(this.name)} mode=${octal(this.mode)} umask=${octal(this.umask)}`;
  }
}

/**
 *   struct fuse_mkdir_in, then a name
 *    0 u32 mode
 *    4 u32 umask
 */
export class MkdirRequest extends FuseRequest {
  get mode(): number {
    return this.u32(0);
  }

  get umask(): number {
    return this.u32(4);
  }

  get name(): string {
    return this.text();
  }

  override describe(): string {
    return `name=${quote(this.name)} mode=${octal(this.mode)} umask=${octal(this.umask)}`;
  }
}

/**
 *   struct fuse_rename_in, then the old and the new name
 *    0 u64 newdir    folder of the new name
 */
export class RenameRequest extends FuseRequest {
  get newdir(): number {
    return this.u64(0);
  }

  get name(): string {
    return this.text();
  }

  get newname(): string {
    return this.text(1);
  }

  override describe(): string {
    return `name=${quote(this.name)} newdir=${this.newdir} newname=${quote(this.newname)}`;
  }
}

/**
 *   struct fuse_rename2_in, then the old and the new name. 7.23
 *    0 u64 newdir
 *    8 u32 flags     RENAME_FLAGS
 *   12 u32 padding
 */
export class Rename2Request extends RenameRequest {
  get flags(): number {
    return this.u32(8);
  }

  override describe(): string {
    return `${super.describe()} flags=${formatFlags(this.flags, RENAME_FLAGS)}`;
  }
}

/**
 *   struct fuse_link_in, then the new name
 *    0 u64 oldnodeid
 */
export class LinkRequest extends FuseRequest {
  get oldnodeid(): number {
    return this.u64(0);
  }

  get name(): string {
    return this.text();
  }

  override describe(): string {
    return `name=${quote(this.name)} oldnodeid=${this.oldnodeid}`;
  }
}
