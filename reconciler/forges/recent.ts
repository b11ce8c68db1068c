import type { ForgeComment } from "./forge.ts";
import { isSameBody } from "./marker.ts";

/** How much the provider's clock may lag behind ours. */
const SKEW_MS = 120_000;

/** Whether a comment may be the one that was about to be created from the time `from` on: its answer got lost. */
export function isRecent(comment: ForgeComment, body: string, from: number): boolean {
  return isSameBody(comment.body, body) && comment.createdAt >= from - SKEW_MS;
}
