// What the linter of overrides found, as people read it.
import type { OverrideFinding } from "../overrides/lint.ts";
import { describePolicy } from "../overrides/override-result.ts";
import type { Origin } from "../plan/origin.ts";
import type { Emphasis } from "./drift-text.ts";
import { count, originText } from "./words.ts";

type Finding = OverrideFinding & { readonly origin?: Origin | undefined };

/** The verdict, then each policy with what is wrong with it. `policies`: how many were looked at. */
export function findingsText(findings: readonly Finding[], policies: number, paint: Emphasis): string {
  if (findings.length === 0) {
    return policies === 0
      ? "There are no override policies."
      : `${count(policies, "override policy", "override policies")}, nothing found.`;
  }
  const concerned = new Set(findings.map(({ policy }) => describePolicy(policy))).size;
  const verdict = `${count(findings.length, "finding")} in ${concerned} of ${count(policies, "override policy", "override policies")}.`;
  return [verdict, ...findingSections(findings, paint)].join("\n\n");
}

/** One section for each policy. */
export function findingSections(findings: readonly Finding[], paint: Emphasis): string[] {
  const groups = new Map<string, Finding[]>();
  for (const finding of findings) {
    const key = describePolicy(finding.policy);
    groups.set(key, [...(groups.get(key) ?? []), finding]);
  }
  return [...groups].map(([policy, own]) =>
    [
      `${paint.bold(policy)}${originText(own[0]?.origin)}`,
      ...own.map(({ code, field, words }) => {
        const mark = code === "fails" ? paint.red("✗") : paint.yellow("!");
        return `  ${mark} ${field}: ${words}`;
      }),
    ].join("\n"),
  );
}
