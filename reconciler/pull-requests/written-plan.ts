// A plan as it is said in a pull request: small, whatever the size of the report was.
import type { PlanReport } from "../../api/plan-report.ts";
import type { RenderedSync } from "../../api/reporter.ts";
import { approvalNeeded } from "./commands/approvals.ts";
import { approveWords } from "./commands/decide-command.ts";
import { type PlanCheck, type PlanComment, type PlanWords, planWords } from "./publish-plan.ts";

/** How a plan is to be said. Data only, so that another thread can be told. */
export interface PlanWish {
  readonly comment: Omit<PlanComment, "approve">;
  /** Absent: none is wanted. */
  readonly check: PlanCheck | undefined;
  /** Whether comments are listened to, in which a plan can be approved. */
  readonly takesApprovals: boolean;
}

export interface WrittenPlan {
  readonly words: PlanWords;
  readonly verdict: string;
  readonly renderHash: string | undefined;
  /** Why a person should approve it. */
  readonly needed: string | undefined;
  readonly syncs: readonly RenderedSync[];
}

export function writePlan(report: PlanReport, syncs: readonly RenderedSync[], wish: PlanWish): WrittenPlan {
  const { renderHash, verdict } = report;
  const approve = wish.takesApprovals && renderHash !== undefined ? approveWords(renderHash) : undefined;
  const words = planWords(report, { ...wish.comment, approve }, wish.check);
  return { words, verdict, renderHash, needed: approvalNeeded(report), syncs };
}
