// Servers, checks and overrides quote what they refuse. Nothing secret of it may stand in a report.
import type { PlanReport } from "../../../api/plan-report.ts";
import { type Mask, secretTexts } from "./mask.ts";

/** The report with values of the Secrets among `objects` taken out of its messages. Names and places stay. */
export function withCleanMessages(report: PlanReport, objects: () => Iterable<unknown>, mask: Mask): PlanReport {
  let secrets: readonly string[] | undefined;
  // Most reports have no message.
  const clean = (text: string): string => {
    secrets ??= secretTexts(objects());
    return mask.message(text, secrets);
  };
  const cleanField = <K extends string>(
    one: { readonly [key in K]?: string | undefined },
    key: K,
  ): { [key in K]?: string } => {
    const text = one[key];
    return text === undefined ? {} : ({ [key]: clean(text) } as { [key in K]?: string });
  };
  const { problems, unknown, findings, driftUnknown, hooks, notes } = report;
  return {
    ...report,
    problems: problems.map((one) => ({ ...one, message: clean(one.message) })),
    unknown: unknown.map((one) => ({ ...one, reason: clean(one.reason) })),
    findings: findings.map((one) => ({ ...one, message: clean(one.message), ...cleanField(one, "advice") })),
    ...(driftUnknown === undefined
      ? {}
      : { driftUnknown: driftUnknown.map((one) => ({ ...one, reason: clean(one.reason) })) }),
    ...(hooks === undefined
      ? {}
      : {
          hooks: {
            ...hooks,
            runs: hooks.runs.map((one) => ({ ...one, ...cleanField(one, "problem") })),
            onFailure: hooks.onFailure.map((one) => ({ ...one, ...cleanField(one, "problem") })),
            onDeletion: hooks.onDeletion.map((one) => ({ ...one, ...cleanField(one, "problem") })),
            ...cleanField(hooks, "idle"),
          },
        }),
    ...(notes === undefined ? {} : { notes: notes.map(clean) }),
  };
}
