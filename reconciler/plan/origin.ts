/** Where an object is written. */
export interface Origin {
  /** `shop/apps`. */
  readonly sync?: string | undefined;
  readonly revision?: string | undefined;
  /** `deploy/web.yaml:3`, or the folder when the file is not known. */
  readonly file?: string | undefined;
}
