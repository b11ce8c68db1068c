// A report for repositories that anybody can read: it says that clusters differ, and neither what they have nor who did it.
import type { PlanReport, ReportedDrift } from "../../../api/plan-report.ts";

/** Stands for a value, as where Secrets are masked. */
const HIDDEN = "(hidden)";

export function withoutLiveValues(report: PlanReport): PlanReport {
  const { drift, driftUnknown } = report;
  return {
    ...report,
    drift: drift.map(hiddenDrift),
    // Why a cluster does not answer may say where it is.
    ...(driftUnknown === undefined
      ? {}
      : { driftUnknown: driftUnknown.map(({ cluster }) => ({ cluster, reason: "it could not be asked" })) }),
  };
}

function hiddenDrift({ manager: _manager, since: _since, live, ...drift }: ReportedDrift): ReportedDrift {
  return live === undefined ? drift : { ...drift, live: HIDDEN };
}
