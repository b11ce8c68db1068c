/** A reference as a repository lists it. */
export interface RemoteRef {
  /** Full name, `HEAD` or `refs/…`. */
  readonly name: string;
  /** What the name stands for: the commit, also where the name is that of an annotated tag. */
  readonly oid: string;
  /** The annotated tag's own object. */
  readonly tagOid?: string;
  /** For `HEAD`: the full name of the default branch. */
  readonly target?: string;
}

/** Whether the text is a full object name. */
export function isOid(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}
