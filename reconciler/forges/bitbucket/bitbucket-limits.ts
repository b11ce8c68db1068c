// What both Bitbucket products have in common.
import { createHash } from "node:crypto";
import type { CheckAnnotation, ForgeLimits, StatusState } from "../forge.ts";

/** Markdown without tags: they are shown as they are written. Comments of HTML would be seen, so markers are links. */
export const BITBUCKET_LIMITS: ForgeLimits = {
  comment: { size: 32_768, unit: "characters" },
  statusDescription: 255,
  check: {
    as: "report",
    summary: 2000,
    text: 0,
    markdown: false,
    annotationsPerCall: 100,
    annotations: 1000,
    annotationMessage: 2000,
  },
  markdown: {
    html: false,
    collapsible: false,
    tables: true,
    taskLists: false,
    hidden: "link definition",
    quickActions: false,
  },
  issues: false,
  reactions: false,
};

export const BUILD_STATES: Readonly<Record<StatusState, string>> = {
  pending: "INPROGRESS",
  success: "SUCCESSFUL",
  failure: "FAILED",
  error: "FAILED",
};

export const SEVERITIES: Readonly<Record<CheckAnnotation["level"], string>> = {
  notice: "LOW",
  warning: "MEDIUM",
  failure: "HIGH",
};

/** A name of at most 40 characters for what may be called anything. */
export function keyOf(name: string): string {
  return /^[\w.:-]{1,40}$/.test(name) ? name : createHash("sha256").update(name).digest("hex").slice(0, 40);
}

/** Names an annotation by what it says, so that the same one twice is one. */
export function annotationId({ path, startLine, level, title, message }: CheckAnnotation): string {
  const content = JSON.stringify([path, startLine, level, title, message]);
  return `flaghoist-${createHash("sha256").update(content).digest("hex").slice(0, 24)}`;
}

/** The annotations that are published: each once, and no more than are kept. */
export function publishable(annotations: readonly CheckAnnotation[]): ReadonlyMap<string, CheckAnnotation> {
  const byId = new Map(annotations.map((annotation) => [annotationId(annotation), annotation]));
  return new Map([...byId].slice(0, BITBUCKET_LIMITS.check.annotations));
}
