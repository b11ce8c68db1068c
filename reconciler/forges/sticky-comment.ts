import { AppError } from "../../runtime/errors.ts";
import { type Call, type Forge, type ForgeComment, isSameUser } from "./forge.ts";
import { hasMarker, isSameBody, markedBody } from "./marker.ts";

export interface StickyComment {
  readonly outcome: "created" | "updated" | "unchanged";
  readonly comment: ForgeComment;
  /** Older doubles of it that are gone now. */
  readonly removed: number;
}

type Comments = Pick<
  Forge,
  "limits" | "repository" | "whoAmI" | "comments" | "createComment" | "updateComment" | "deleteComment"
>;

const ROUNDS = 4;

/**
 * Makes sure that a pull request has one comment of ours with this marker, and that it says this. Only comments of our
 * own are looked at. Nothing is sent when it says so already. Of several, the oldest is kept, because people may have
 * linked to it; so instances that run at the same time agree on it, and end with one.
 *
 * `body` is without marker, and at most `commentRoom` long: else throws `forge-comment-too-long`.
 */
export async function publishStickyComment(
  forge: Comments,
  pullRequest: number,
  marker: string,
  body: string,
  call: Call,
): Promise<StickyComment> {
  const whole = markedBody(forge.limits, marker, body, `pull request ${pullRequest} of ${forge.repository}`);
  let outcome: StickyComment["outcome"] = "unchanged";
  let removed = 0;
  for (let round = 1; ; round++) {
    const [kept, ...doubles] = await ownComments(forge, pullRequest, marker, call);
    if (kept === undefined) {
      await forge.createComment(pullRequest, whole, call);
      outcome = "created";
      // Another instance may have done the same meanwhile: look again.
      if (round < ROUNDS) continue;
      throw new AppError("forge-comment-missing", `the comment for pull request ${pullRequest} does not stay`, {
        recovery: "retry",
      });
    }
    for (const double of doubles) {
      if (await isDeleted(forge, pullRequest, double, call)) removed++;
    }
    if (isSameBody(kept.body, whole)) return { outcome, comment: kept, removed };
    try {
      const comment = await forge.updateComment(pullRequest, kept, whole, call);
      return { outcome: outcome === "created" ? "created" : "updated", comment, removed };
    } catch (error) {
      // Somebody deleted it, or changed it, between the list and now.
      const passing =
        error instanceof AppError && (error.code === "forge-not-found" || error.code === "forge-conflict");
      if (!passing || round >= ROUNDS) throw error;
    }
  }
}

/** Bitbucket Data Center keeps a comment that has replies: then it stays, and is none of ours to fail about. */
async function isDeleted(forge: Comments, pullRequest: number, comment: ForgeComment, call: Call): Promise<boolean> {
  try {
    await forge.deleteComment(pullRequest, comment, call);
    return true;
  } catch (error) {
    if (error instanceof AppError && error.code === "forge-conflict") return false;
    throw error;
  }
}

/** Our own comments with this marker, the oldest first. */
export async function ownComments(
  forge: Pick<Forge, "limits" | "whoAmI" | "comments">,
  pullRequest: number,
  marker: string,
  call: Call,
): Promise<readonly ForgeComment[]> {
  const me = await forge.whoAmI(call);
  const { hidden } = forge.limits.markdown;
  return forge.comments(
    pullRequest,
    call,
    ({ author, body }) => isSameUser(author, me) && hasMarker(body, hidden, marker),
  );
}
