// Reports into whose texts a repository has written what it likes.
import type { PlanReport } from "../../../api/plan-report.ts";
import type { Random } from "../../../runtime/random.ts";
import { HOSTILE_TEXTS } from "./hostile-report.ts";
import { SAMPLES } from "./sample-reports.ts";

/** Fields whose values are of a fixed list. */
const FIXED = new Set([
  "schema",
  "state",
  "severity",
  "change",
  "there",
  "outcome",
  "comparison",
  "op",
  "what",
  "phase",
  "from",
]);

const SIGNS = [
  ..."`~|\\<>[](){}*_#@!&%$^:/=+-.,;\"' \n\t0a",
  "<!--",
  "-->",
  "```",
  "~~~~",
  "👋🏽",
  "é",
  "\u202E",
  "\uD83D",
];

/** A sample whose every text is one of `hostileText`. */
export function randomReport(random: Random): PlanReport {
  const name = random.pick([
    "replicaMove",
    "massPrune",
    "refused",
    "drift",
    "regionLoss",
    "maskedSecret",
    "waves",
  ] as const);
  // Whatever the texts are, the shape is that of a report.
  return replaceTexts(SAMPLES[name](), random) as PlanReport;
}

/** Pieces of Markdown, signs that mean something somewhere, and words. */
export function hostileText(random: Random): string {
  return random
    .list(4, () => {
      if (random.chance(0.4)) return random.pick(HOSTILE_TEXTS);
      if (random.chance(0.3)) return random.pick(["web", "shop", "1.", "- ", "/close", "    "]);
      return random.list(12, () => random.pick(SIGNS)).join("");
    })
    .join(random.pick(["", " ", "\n"]));
}

function replaceTexts(value: unknown, random: Random): unknown {
  if (Array.isArray(value))
    return value.map((item) => (typeof item === "string" ? hostileText(random) : replaceTexts(item, random)));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, content]) => {
      if (typeof content !== "string") return [key, replaceTexts(content, random)];
      return [key, FIXED.has(key) ? content : hostileText(random)];
    }),
  );
}
