/** What a provider may take to write down a new comment: Bitbucket's two times are apart by microseconds. */
const SAME_MOMENT_MS = 1_000;

/** Whether something was changed since it was created. One of which nobody knows when it was changed counts as changed. */
export function isChangedSince(createdMs: number, changed: string | undefined): boolean {
  return !(Date.parse(changed ?? "") - createdMs < SAME_MOMENT_MS);
}
