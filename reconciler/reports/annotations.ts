// Remarks on the lines that they are about, for the view of a pull request's files.

import type { PlanReport, Severity } from "../../api/plan-report.ts";
import { cleanContent, cutText, linesOf } from "./clean-text.ts";
import { placedRemarks, type Remark } from "./remarks.ts";
import { objectName } from "./words.ts";

export interface Annotation {
  /** In the repository, with `/` between folders. */
  readonly path: string;
  /** From 1. */
  readonly startLine: number;
  readonly endLine: number;
  readonly level: "failure" | "warning" | "notice";
  /** One line of plain text. */
  readonly title: string;
  /** Plain text, of one or more lines. */
  readonly message: string;
  /** Which rule found it. */
  readonly rule: string;
}

export interface AnnotationOptions {
  /** The others are left out, the least severe first. */
  readonly most?: number;
  /** Whether the pull request changes a line: among equals, these come first, since hosts show them beside the change. */
  readonly touches?: (path: string, line: number) => boolean;
}

const LEVELS: Readonly<Record<Severity, Annotation["level"]>> = {
  error: "failure",
  warning: "warning",
  notice: "notice",
};
const LEVEL_RANK: Readonly<Record<Annotation["level"], number>> = { failure: 0, warning: 1, notice: 2 };
// What a call of GitHub's takes.
const MOST = 50;
const LONGEST_TITLE = 120;
const LONGEST_MESSAGE = 4_000;

/** Annotations of everything that has a place, the severest first. What has none is in the report only. */
export function planAnnotations(report: PlanReport, { most = MOST, touches }: AnnotationOptions = {}): Annotation[] {
  const all = placedRemarks(report).flatMap((remark) => annotationOf(remark) ?? []);
  const isTouched = ({ path, startLine, endLine }: Annotation) => {
    if (touches === undefined) return false;
    for (let line = startLine; line <= endLine; line++) if (touches(path, line)) return true;
    return false;
  };
  return all
    .map((annotation) => ({ annotation, rank: 2 * LEVEL_RANK[annotation.level] + (isTouched(annotation) ? 0 : 1) }))
    .toSorted((a, b) => a.rank - b.rank)
    .slice(0, most)
    .map(({ annotation }) => annotation);
}

function annotationOf({
  severity,
  rule,
  message,
  reasons = [],
  advice,
  object,
  field,
  clusters = [],
  place,
}: Remark): Annotation | undefined {
  const path = place === undefined ? undefined : repositoryPath(place.file);
  if (place === undefined || path === undefined) return undefined;
  const { line = 1, endLine = line } = place;
  const startLine = Math.max(1, line);
  const about = [
    ...(object === undefined || message.includes(objectName(object)) ? [] : [objectName(object)]),
    ...(field === undefined ? [] : [field]),
  ].join(" ");
  const where =
    clusters.length === 0
      ? []
      : [
          `In ${clusters.length > 5 ? `${clusters.slice(0, 5).join(", ")} and ${clusters.length - 5} more` : clusters.join(", ")}.`,
        ];
  const text = [
    about === "" ? message : `${about}: ${message}`,
    ...reasons,
    ...(advice === undefined ? [] : [`→ ${advice}`]),
    ...where,
  ];
  return {
    path,
    startLine,
    // A place of many lines would hide the file.
    endLine: Math.min(Math.max(startLine, endLine), startLine + 9),
    level: LEVELS[severity],
    title: cutText(cleanContent(rule.replaceAll("\n", " ")), LONGEST_TITLE),
    message: cutText(linesOf(text.join("\n")).map(cleanContent).join("\n"), LONGEST_MESSAGE),
    rule,
  };
}

/** A path within the repository as hosts write it; undefined for what leads out of it or is none. */
export function repositoryPath(file: string): string | undefined {
  const parts = file.replace(/^(?:\.\/)+/, "").split("/");
  const wrong = parts.some((part) => part === "" || part === "." || part === "..");
  return wrong || cleanContent(file) !== file ? undefined : parts.join("/");
}
