// Annotations as a code quality report of GitLab (`artifacts:reports:codequality`), which its merge requests show.
import type { Annotation } from "./annotations.ts";
import { fingerprints } from "./fingerprint.ts";

const SEVERITIES: Readonly<Record<Annotation["level"], string>> = {
  failure: "critical",
  warning: "major",
  notice: "info",
};

export function codeQuality(annotations: readonly Annotation[]): string {
  const marks = fingerprints(annotations);
  const issues = annotations.map(({ level, message, path, rule, startLine, endLine }, index) => ({
    description: message,
    check_name: rule,
    fingerprint: marks[index],
    severity: SEVERITIES[level],
    location: { path, lines: { begin: startLine, end: endLine } },
  }));
  return `${JSON.stringify(issues, null, 2)}\n`;
}
