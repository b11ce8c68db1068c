// What a replay came to, as people read it.
import type { Explanation } from "../plan/explanation.ts";
import type { RecordedAnswer } from "../scheduler/explanation/recorded-decision.ts";
import type { TraceFile, TraceSource } from "../scheduler/explanation/trace-file.ts";
import type { Emphasis } from "./drift-text.ts";
import { decisionText, targetsText } from "./explain-text.ts";
import { count, objectName } from "./words.ts";

const SOURCES: Readonly<Record<TraceSource, string>> = {
  fleet: "with the fleet as the scheduler saw it",
  record: "from the record stored with the binding",
  present: "from the state at the time the trace was saved",
};

export interface ReplayTextOptions {
  readonly paint: Emphasis;
  /** What was changed before the decision was made again; none when nothing was. */
  readonly changes: readonly string[];
  /** Where the answers part. */
  readonly differences: readonly string[];
  /** The decision in full, when it is asked for. */
  readonly explanation: Explanation | undefined;
}

export function replayText(file: TraceFile, again: RecordedAnswer, options: ReplayTextOptions): string {
  const { decision, source } = file;
  const { paint, changes, differences, explanation } = options;
  const object = objectName(decision.spec.resource);
  const inputs = `${count(decision.clusters.length, "cluster")}, fleet version ${decision.fleetVersion}, ${SOURCES[source]}`;
  const about =
    decision.occasion === undefined
      ? `${object}, decided ${decision.decidedAt}`
      : `${object}, decided ${decision.decidedAt} because ${decision.occasion.reason}`;
  const lines = [`${about} (${inputs})`];
  if (changes.length > 0) {
    lines.push(`With ${changes.join(", ")}:`);
    if (differences.length === 0) lines.push(`  nothing changes: ${answerWords(again)}`);
    else lines.push(`  ${answerWords(again)}`, ...differences.map((line) => `  ${line}`));
  } else if (differences.length === 0) {
    lines.push(`${paint.green("The same again, bit for bit:")} ${answerWords(again)}`);
  } else {
    lines.push(paint.red("Decided again it comes out otherwise:"), ...differences.map((line) => `  ${line}`));
  }
  if (explanation === undefined) return lines.join("\n");
  return [...lines, "", decisionText(explanation, { nowMs: 0, paint })].join("\n");
}

function answerWords({ clusters, error, affinityName }: RecordedAnswer): string {
  if (error !== undefined) return `${error.kind}: ${error.message}`;
  const group = affinityName === undefined ? "" : ` (affinity group ${affinityName})`;
  return `${targetsText(clusters ?? [])}${group}`;
}
