// `.sourceignore` files: patterns of a `.gitignore`, of the kind that people write.

import { joinPath } from "./paths.ts";

export interface IgnoreRule {
  /** Directory of the file that holds the rule. */
  readonly base: string;
  readonly negated: boolean;
  readonly directoryOnly: boolean;
  readonly matches: (path: string) => boolean;
}

/** Reads the rules of one file in the directory `base`. */
export function parseIgnoreFile(text: string, base: string): IgnoreRule[] {
  const rules: IgnoreRule[] = [];
  for (const raw of text.split(/\r?\n/)) {
    let pattern = raw.trim();
    if (pattern === "" || pattern.startsWith("#")) continue;
    const negated = pattern.startsWith("!");
    if (negated) pattern = pattern.slice(1);
    const directoryOnly = pattern.endsWith("/");
    if (directoryOnly) pattern = pattern.slice(0, -1);
    const anchored = pattern.includes("/");
    const segments = (joinPath("", pattern) ?? "").split("/");
    if (!anchored) segments.unshift("**");
    rules.push({ base, negated, directoryOnly, matches: (path) => matchSegments(segments, path.split("/")) });
  }
  return rules;
}

/** Whether the last rule that matches a path leaves it out. */
export function isIgnored(rules: readonly IgnoreRule[], path: string, isDirectory: boolean): boolean {
  for (let index = rules.length - 1; index >= 0; index--) {
    const rule = rules[index]!;
    if (rule.directoryOnly && !isDirectory) continue;
    if (rule.base !== "" && !path.startsWith(`${rule.base}/`)) continue;
    if (rule.matches(rule.base === "" ? path : path.slice(rule.base.length + 1))) return !rule.negated;
  }
  return false;
}

// Row by row over the path, so that no pattern takes more than segments times segments.
function matchSegments(pattern: readonly string[], path: readonly string[]): boolean {
  let reachable = new Set([0]);
  for (const segment of [...path, undefined]) {
    const next = new Set<number>();
    for (const start of reachable) {
      let at = start;
      while (pattern[at] === "**") {
        next.add(at);
        at += 1;
      }
      if (segment === undefined) {
        if (at >= pattern.length) return true;
      } else if (at < pattern.length && matchSegment(pattern[at]!, segment)) {
        next.add(at + 1);
      }
    }
    reachable = next;
  }
  return false;
}

// `*` and `?` by the greedy method that only ever goes back to the last star.
function matchSegment(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let mark = 0;
  while (t < text.length) {
    if (p < pattern.length && (pattern[p] === "?" || (pattern[p] !== "*" && pattern[p] === text[t]))) {
      p += 1;
      t += 1;
    } else if (pattern[p] === "*") {
      star = p;
      mark = t;
      p += 1;
    } else if (star >= 0) {
      p = star + 1;
      mark += 1;
      t = mark;
    } else {
      return false;
    }
  }
  while (pattern[p] === "*") p += 1;
  return p === pattern.length;
}
