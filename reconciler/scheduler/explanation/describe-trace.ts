// A scheduling trace in the words of the command line and of pull requests.

import type { ClusterTrace, DivisionTrace, SchedulingTrace } from "./trace.ts";

export interface ClusterLine {
  readonly cluster: string;
  /** `2 replicas`, `chosen`, `not needed`, `refused`, `leaving`. */
  readonly outcome: string;
  /** Why, with the place to change it; empty where there is nothing to say. */
  readonly reason: string;
}

/** One line per cluster: those chosen first, then those not needed, then those refused. */
export function describeClusters(trace: SchedulingTrace): ClusterLine[] {
  const rank: Readonly<Record<ClusterTrace["verdict"], number>> = { chosen: 0, spare: 1, refused: 2, deleting: 3 };
  return [...trace.clusters]
    .sort((a, b) => rank[a.verdict] - rank[b.verdict])
    .map((cluster) => ({ cluster: cluster.cluster, ...describeCluster(cluster, trace) }));
}

function describeCluster(cluster: ClusterTrace, trace: SchedulingTrace): Omit<ClusterLine, "cluster"> {
  switch (cluster.verdict) {
    case "chosen": {
      const outcome = cluster.replicas === undefined ? "chosen" : plural(cluster.replicas, "replica");
      const kept = cluster.waived.map((refusal) => `${refusal.detail}, but it is there already`);
      return { outcome, reason: [...kept, ...describeScores(cluster)].join("; ") };
    }
    case "spare":
      return {
        outcome: "not needed",
        reason: [whySpare(cluster, trace), ...describeScores(cluster)].filter((words) => words !== "").join("; "),
      };
    case "refused": {
      const [first, ...others] = cluster.refusals;
      if (first === undefined) return { outcome: "refused", reason: "" };
      const more = others.length === 0 ? "" : `; also ${others.map((refusal) => refusal.detail).join("; ")}`;
      return { outcome: "refused", reason: `${first.detail} (${first.path})${more}` };
    }
    case "deleting":
      return { outcome: "leaving", reason: "the cluster is being removed" };
  }
}

function whySpare(cluster: ClusterTrace, { selection, divisions, error }: SchedulingTrace): string {
  if (selection === undefined || error !== undefined) return "";
  if (!selection.selected.includes(cluster.cluster)) {
    const group = selection.groups?.find((each) => !each.chosen && each.clusters.includes(cluster.cluster));
    const where = group === undefined ? "" : `${group.by} ${group.group} is not chosen; `;
    return `${where}${selection.reason} (${selection.path})`;
  }
  const room = cluster.estimate === undefined ? "" : `; it has room for ${cluster.estimate}`;
  if (divisions.some((division) => division.strategy === "Aggregated")) return `others had room for all${room}`;
  if (divisions.some((division) => division.strategy === "StaticWeight"))
    return "its static weight is too small for a replica";
  return `its share is less than a replica${room}`;
}

/** Scores beyond Karmada's: `cheap 50 x 2`; and why one counts 0. */
function describeScores({ scores = [] }: ClusterTrace): string[] {
  return scores.map(({ name, value, weight, error }) => {
    if (error !== undefined) return `score ${name} counts 0: ${error}`;
    return `score ${name} ${value}${weight === 1 ? "" : ` x ${weight}`}`;
  });
}

const SHOWN_SEATS = 4;

/** How the replicas were divided, a few lines per division; none where nothing was divided. */
export function describeDivisions(trace: SchedulingTrace): string[] {
  return trace.divisions.flatMap((division) => describeDivision(division, trace));
}

function describeDivision(division: DivisionTrace, trace: SchedulingTrace): string[] {
  const tier = division.tier === undefined ? "" : ` in overflow tier ${division.tier}`;
  switch (division.action) {
    case "duplicate":
      return [`Every cluster gets all ${plural(division.replicas, "replica")}${tier} (placement.replicaScheduling).`];
    case "keep":
      return [`All ${plural(division.replicas, "replica")} are placed already${tier}: nothing moves.`];
    case "divide":
    case "scale-up":
    case "scale-down": {
      const weights = division.weights.map((share) => `${share.name} ${share.weight}`).join(", ");
      const headline = `How ${plural(division.target, "replica")} were ${WORDS[division.action]}${tier}: ${MEANING[division.strategy]} ${weights}`;
      return [`${headline}${describeRules(division, trace)}${describeFloors(division)}`, ...describeSeats(division)];
    }
  }
}

const WORDS = { divide: "divided", "scale-up": "added", "scale-down": "kept" } as const;

const MEANING: Readonly<Record<DivisionTrace["strategy"], string>> = {
  Duplicated: "",
  StaticWeight: "weights",
  DynamicWeight: "room",
  Aggregated: "room, as few clusters as suffice:",
};

function describeRules(division: DivisionTrace, trace: SchedulingTrace): string {
  if (division.strategy !== "StaticWeight" || trace.weightRules === undefined || trace.weightRules.length === 0)
    return "";
  const idle = trace.weightRules.filter((rule) => rule.clusters.length === 0).map((rule) => rule.rule + 1);
  const used = trace.weightRules.filter((rule) => rule.clusters.length > 0).map((rule) => rule.rule + 1);
  const parts = [
    ...(used.length === 0 ? ["no static rule matches, all weigh the same"] : [`static rule ${used.join(", ")}`]),
    ...(idle.length === 0 || used.length === 0 ? [] : [`rule ${idle.join(", ")} gives none its weight`]),
  ];
  return ` (${parts.join("; ")})`;
}

function describeFloors({ floors = [] }: DivisionTrace): string {
  if (floors.length === 0) return "";
  return `; at least ${floors.map((floor) => `${floor.replicas} in ${floor.name}`).join(", ")}`;
}

function describeSeats(division: DivisionTrace): string[] {
  if (division.seats.length === 0 || division.weights.length < 2) return [];
  const steps = division.seats
    .slice(0, SHOWN_SEATS)
    .map(
      (step) =>
        `seat ${step.seat} ${step.name} ${step.quotient.toFixed(2)}${step.over === undefined ? "" : ` > ${step.over.quotient.toFixed(2)}`}`,
    );
  const more = division.target > SHOWN_SEATS ? " · …" : "";
  return [`  ${steps.join(" · ")}${more}`];
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
