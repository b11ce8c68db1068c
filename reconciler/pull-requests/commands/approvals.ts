// Approvals of plans: what is kept of them, and what a commit's status says of them.
import type { PlanReport } from "../../../api/plan-report.ts";
import type { PlanApproval, ReportedPullRequest } from "../../../api/reporter.ts";
import type { CommitStatus, PullRequest } from "../../forges/forge.ts";
import { planRemarks } from "../../reports/remarks.ts";
import { count, hashDigits } from "../../reports/words.ts";
import type { PlanWords } from "../publish-plan.ts";

/** How long an approval confirms anything. */
export const APPROVAL_LASTS_MS = 30 * 24 * 3_600_000;
const MOST_APPROVALS = 100;

/** The approvals with one more, the newest first, without those that are too old. The same one again changes nothing. */
export function withApproval(approvals: readonly PlanApproval[], added: PlanApproval, nowMs: number): PlanApproval[] {
  const isSame = (one: PlanApproval): boolean =>
    one.pullRequest === added.pullRequest && one.renderHash === added.renderHash && one.by === added.by;
  const known = approvals.find(isSame);
  return [known ?? added, ...approvals.filter((one) => one !== known)]
    .filter(({ at }) => nowMs - Date.parse(at) < APPROVAL_LASTS_MS)
    .toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at))
    .slice(0, MOST_APPROVALS);
}

/** The approval of what a pull request renders to; undefined when nobody has approved that. */
export function approvalOf(
  approvals: readonly PlanApproval[],
  pullRequest: number,
  renderHash: string | undefined,
): PlanApproval | undefined {
  return approvals.find((one) => one.pullRequest === pullRequest && one.renderHash === renderHash);
}

/** Since when a plan's comment shows a render hash, once it was published: another head may render to the same. */
export function shownSince(
  before: Pick<ReportedPullRequest, "renderHash" | "shownSince"> | undefined,
  renderHash: string | undefined,
  now: string,
): string | undefined {
  if (renderHash === undefined) return undefined;
  return (before?.renderHash === renderHash ? before.shownSince : undefined) ?? now;
}

/** Why a person should approve a plan before it is merged; undefined when there is nothing to decide. */
export function approvalNeeded(report: PlanReport): string | undefined {
  if (!report.valid || report.state === "refused") return "the plan cannot be applied as it is";
  if (report.state === "held") return report.held ?? "a part of it is held for a person";
  const errors = planRemarks(report).filter(({ severity }) => severity === "error").length;
  const failed = (report.tests ?? []).filter(({ outcome }) => outcome === "failed").length;
  const reasons = [
    ...(errors === 0 ? [] : [count(errors, "error")]),
    ...(failed === 0 ? [] : [`${count(failed, "fleet test")} failed`]),
  ];
  return reasons.length === 0 ? undefined : reasons.join(", ");
}

/** A plan's words once it is approved: what a person has answered for fails no check any more. */
export function approvedWords(words: PlanWords, approval: PlanApproval | undefined): PlanWords {
  const { check } = words;
  if (approval === undefined || check?.conclusion !== "failure") return words;
  return { ...words, check: { ...check, conclusion: "neutral", title: `approved by ${approval.by}: ${check.title}` } };
}

/** Which status it is: `flaghoist/approval`, with the folder where a repository is planned in parts. */
export function approvalContext(path: string): string {
  return path === "" || path === "." ? "flaghoist/approval" : `flaghoist/approval: ${path}`;
}

export interface ApprovalState {
  readonly context: string;
  readonly pull: PullRequest;
  /** Of the plan of the head. */
  readonly renderHash: string | undefined;
  /** What `approvalNeeded` says of it. */
  readonly needed: string | undefined;
  readonly approvals: readonly PlanApproval[];
}

/**
 * The status of the head, to be set once it is planned and once it is approved. An approval counts for what it is of: also
 * for a head that renders to the same, and for none that does not. Without something to decide it is a success, so that
 * a host may demand it.
 */
export function approvalStatus({ approvals, context, needed, pull, renderHash }: ApprovalState): CommitStatus {
  const approval = renderHash === undefined ? undefined : approvalOf(approvals, pull.number, renderHash);
  const status = { context, pullRequest: pull };
  if (approval !== undefined) {
    const hash = hashDigits(approval.renderHash).slice(0, 12);
    return { ...status, state: "success", description: `approved by ${approval.by} (render hash ${hash})` };
  }
  if (needed !== undefined) return { ...status, state: "pending", description: `waits for approval: ${needed}` };
  return { ...status, state: "success", description: "nothing of this has to be approved" };
}
