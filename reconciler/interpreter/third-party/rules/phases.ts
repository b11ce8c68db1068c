// Phases: one word for how far an object is, as many products write it.

import type { AggregatedStatusItem } from "../../../../api/work.ts";
import type { Fields } from "../../field-access.ts";
import type { Report } from "./aggregation.ts";
import { told } from "./agreed-conditions.ts";
import { textAtPath } from "./field-paths.ts";

/** How the phases of several clusters become one. */
export interface PhaseRule {
  /** Every phase there is, the one that matters most first. */
  readonly order: readonly string[];
  /** The phase of a cluster that reports none, and of one that reports a phase not in `order`. */
  readonly silent: string;
  /** What a member's status says; its field `phase` unless given. */
  readonly phaseOf?: (status: Fields) => string;
}

/** The phase of the whole, and what the clusters that decided it say, if they say anything. */
export interface Phase {
  readonly phase: string;
  readonly message: string | undefined;
}

/** The phase that matters most of all clusters'; undefined when there are none, so that nothing can be said. */
export function decidingPhase({ items, members }: Report, rule: PhaseRule): Phase | undefined {
  if (items.length === 0) return undefined;
  const statuses = new Map(members.map(({ clusterName, status }) => [clusterName, status]));
  const voices = items.map(({ clusterName }: AggregatedStatusItem) => {
    const status = statuses.get(clusterName);
    const phase = status === undefined ? "" : (rule.phaseOf?.(status) ?? textAtPath(status, "phase"));
    const said = status === undefined ? "nothing reported yet" : textAtPath(status, "message");
    return { clusterName, said, phase: rule.order.includes(phase) ? phase : rule.silent };
  });
  const phase = rule.order.find((candidate) => voices.some((voice) => voice.phase === candidate)) ?? rule.silent;
  const deciding = voices.filter((voice) => voice.phase === phase);
  return { phase, message: told(deciding, items.length) || undefined };
}
