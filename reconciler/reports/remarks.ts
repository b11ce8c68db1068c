// What a reviewer should know, as one list: problems, findings and fleet tests that failed, the severest first.
import type { Place, PlanReport, ReportedObject, Severity, TestResult } from "../../api/plan-report.ts";
import { refKey } from "../../kube/object.ts";

export interface Remark {
  readonly severity: Severity;
  /** Stable name: `mass-prune`; `problem` and `fleet-test` for what no rule found. */
  readonly rule: string;
  readonly message: string;
  /** Lines that say more of the message. */
  readonly reasons?: readonly string[] | undefined;
  readonly advice?: string | undefined;
  readonly object?: ReportedObject | undefined;
  readonly field?: string | undefined;
  readonly clusters?: readonly string[] | undefined;
  readonly place?: Place | undefined;
}

const RANK: Readonly<Record<Severity, number>> = { error: 0, warning: 1, notice: 2 };

/** Problems and findings. */
export function planRemarks({ findings, problems }: PlanReport): Remark[] {
  return [...problems.map((problem) => ({ ...problem, rule: "problem" })), ...findings].toSorted(bySeverity);
}

/** As `planRemarks`, with the tests that failed, each at the place where it or its object is written, where that is known. */
export function placedRemarks(report: PlanReport): Remark[] {
  const places = new Map(report.objects.map(({ object, place }) => [refKey(object), place]));
  const placed = planRemarks(report).map((remark) => {
    const { object, place } = remark;
    return place !== undefined || object === undefined ? remark : { ...remark, place: places.get(refKey(object)) };
  });
  const failed = (report.tests ?? []).filter(({ outcome }) => outcome === "failed").map(testRemark);
  return [...placed, ...failed].toSorted(bySeverity);
}

function testRemark({ name, place, message, details = [] }: TestResult): Remark {
  return {
    severity: "error",
    rule: "fleet-test",
    message: [message === undefined ? name : `${name}: ${message}`, ...details].join("\n"),
    place,
  };
}

function bySeverity(a: Remark, b: Remark): number {
  return RANK[a.severity] - RANK[b.severity];
}
