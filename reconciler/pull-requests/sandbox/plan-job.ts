// What a plan is asked for in a process of its own, and what comes back.
import type { PlanReport } from "../../../api/plan-report.ts";
import type { RenderedSync } from "../../../api/reporter.ts";

export interface PlanJob {
  /** Git directory that is opened for reading. */
  readonly directory: string;
  readonly head: string;
  readonly base: string;
  /** The folder that is planned; empty for the root. */
  readonly path: string;
  /** Address of the repository, by which its sources are found. */
  readonly repository: string;
  /** The branch that the change goes to. Sources that follow another one are not concerned; undefined: all are. */
  readonly branch?: string | undefined;
  readonly subject: Pick<PlanReport["subject"], "repository" | "base" | "head">;
  readonly compatibility: "flaghoist" | "karmada";
  /** Whether the clusters are asked for drift of what would change. */
  readonly drift: boolean;
  /** Whether the report only says that clusters differ, and neither what they have nor who changed it. */
  readonly hideLive: boolean;
}

export interface PlanLimits {
  readonly timeoutMs: number;
  /** Of the whole process. Its heap gets three quarters of it. */
  readonly memoryBytes: number;
  /** Of the report as JSON. */
  readonly outputBytes: number;
}

export interface SandboxedPlan {
  readonly report: PlanReport;
  /** What each Sync that is concerned would apply, as its operations will have it; empty when the head is refused. */
  readonly syncs: readonly RenderedSync[];
}
