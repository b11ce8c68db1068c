// What a pull request is told before there is a plan, and where there is none.
import type { Call, Check, Forge, PullRequest } from "../../forges/forge.ts";
import { commentRoom } from "../../forges/marker.ts";
import { publishStickyComment } from "../../forges/sticky-comment.ts";
import { type PlanMarker, planCheckName, planMarker } from "../../pull-requests/publish-plan.ts";
import { cleanLine, cutText } from "../../reports/clean-text.ts";
import { DIALECTS } from "../../reports/markdown/dialects.ts";
import { SafeText } from "../../reports/markdown/text.ts";

/** planning: it is being worked on. waiting: for a person. skipped: there will be none. failed: there is none. */
export type PlanStage = "planning" | "waiting" | "skipped" | "failed";

const TITLES: Readonly<Record<PlanStage, string>> = {
  planning: "making the plan",
  waiting: "not planned yet",
  skipped: "not planned",
  failed: "the plan failed",
};

const CONCLUSIONS = { planning: "pending", waiting: "pending", skipped: "neutral", failed: "failure" } as const;

const LONGEST_MESSAGE = 600;

export interface StageWords {
  readonly stage: PlanStage;
  /** Why, in a sentence; may hold what others wrote. */
  readonly message?: string | undefined;
}

/** The check of a head without a plan. */
export function stageCheck(forge: Pick<Forge, "kind" | "limits">, name: string, { stage, message }: StageWords): Check {
  const title = TITLES[stage];
  const why = message === undefined ? undefined : cutText(cleanLine(message), LONGEST_MESSAGE);
  const line = why === undefined ? title : `${title}: ${why}`;
  const { markdown } = forge.limits.check;
  const summary = why === undefined ? title : markdown ? new SafeText(DIALECTS[forge.kind]).prose(why) : why;
  return { name, conclusion: CONCLUSIONS[stage], title: line, summary, annotations: [] };
}

/** Publishes it as the check that the plan's will take the place of. */
export async function publishStage(
  forge: Forge,
  pull: PullRequest,
  marker: PlanMarker,
  words: StageWords,
  call: Call,
): Promise<void> {
  const check = stageCheck(forge, planCheckName(marker), words);
  await forge.publishCheck(pull.head.sha, { ...check, pullRequest: pull }, call);
}

/** Says in the comment of the plan that there is none, where no check may say it. */
export async function commentFailure(
  forge: Forge,
  pull: PullRequest,
  marker: PlanMarker,
  message: string,
  call: Call,
): Promise<string | undefined> {
  const text = new SafeText(DIALECTS[forge.kind]);
  const id = planMarker(marker);
  const why = text.prose(cutText(cleanLine(message), LONGEST_MESSAGE));
  const body = cutText(
    `**There is no plan of ${text.code(pull.head.sha.slice(0, 7))}**: ${why}`,
    commentRoom(forge.limits, id),
  );
  const posted = await publishStickyComment(forge, pull.number, id, body, call);
  return posted.comment.url;
}
