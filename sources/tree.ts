// What the rest of the program sees of a repository: files of one revision, read synchronously, never changing.

export interface TreeEntry {
  readonly name: string;
  readonly type: "file" | "directory" | "symlink";
}

/**
 * The files of one immutable revision.
 *
 * Paths are relative to the root, separated by `/`, without a leading or trailing slash and without `.` or `..`
 * segments; the root itself is `""`. An implementation follows no symbolic link: callers do, so that they can keep a
 * link from leading out of the tree.
 */
export interface SourceTree {
  /** Names the content: equal revisions of one source have equal files. */
  readonly revision: string;
  /** The entries of a directory in ascending order of their names; `undefined` when `path` is no directory. */
  list(path: string): readonly TreeEntry[] | undefined;
  /** The bytes of a file, or the target text of a symbolic link; `undefined` when `path` is neither. */
  read(path: string): Uint8Array | undefined;
  /** What is at `path`, without reading the list of its directory, where that is cheaper. */
  typeOf?(path: string): TreeEntry["type"] | undefined;
  /** An identifier of the file's content that is equal for equal bytes, where the source knows one cheaply. */
  blobId?(path: string): string | undefined;
}
