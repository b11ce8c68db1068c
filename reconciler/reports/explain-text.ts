// An explanation as people read it: where it is and by whom, why not elsewhere, how replicas were divided.
import type { TargetCluster } from "../../api/work.ts";
import type { ClusterExplanation } from "../plan/explain-clusters.ts";
import type { PolicyName } from "../plan/explain-policies.ts";
import type { DivisionExplanation, Explanation } from "../plan/explanation.ts";
import type { Origin } from "../plan/origin.ts";
import type { OverriddenField } from "../plan/overridden-fields.ts";
import type { SelectionTrace } from "../scheduler/explanation/trace.ts";
import type { Emphasis } from "./drift-text.ts";
import { groupedOverrides, overrideText } from "./override-words.ts";
import { ageOf, andList, clusterList, count, objectName, originText } from "./words.ts";

export interface ExplainTextOptions {
  readonly nowMs: number;
  readonly paint: Emphasis;
  /** Show this cluster alone. */
  readonly cluster?: string | undefined;
  /** The file that the decision was saved to. */
  readonly savedAs?: string | undefined;
}

export function explainText(explanation: Explanation, options: ExplainTextOptions): string {
  const { paint } = options;
  const sections = [
    [headline(explanation, paint)],
    clusterSection(explanation, options),
    overrideSection(explanation, options),
    attentionSection(explanation, paint),
    options.cluster === undefined ? divisionSection(explanation) : [],
    options.cluster === undefined ? policySection(explanation) : [],
    footer(explanation, options),
  ];
  return sections
    .filter((section) => section.length > 0)
    .map((section) => section.join("\n"))
    .join("\n\n");
}

/** Clusters and arithmetic of a decision on its own. */
export function decisionText(explanation: Explanation, options: ExplainTextOptions): string {
  const sections = [clusterSection(explanation, options), divisionSection(explanation)];
  return sections
    .filter((section) => section.length > 0)
    .map((section) => section.join("\n"))
    .join("\n\n");
}

function headline(explanation: Explanation, paint: Emphasis): string {
  const { object, policy, clusters, reason } = explanation;
  const name = paint.bold(object.name);
  const there = clusters.filter((cluster) => cluster.verdict === "placed" || cluster.verdict === "follows");
  const where = `on ${there.length} of ${count(clusters.length, "cluster")}`;
  switch (explanation.state) {
    case "kept":
      return `${name} never leaves the control plane: ${reason ?? "it is not propagated"}.`;
    case "unclaimed":
      return `No policy selects ${objectName(object)}, so it is on no cluster.${written(explanation.origin)}`;
    case "everywhere":
      return `${name} is ${where}: namespaces go to every cluster by themselves.`;
    case "attached":
      return `${name} is ${where}, because it follows ${andList(explanation.follows.map(objectName))} (propagateDeps).`;
    case "unplaced":
      return `${name} is on ${paint.red("no cluster")}${policy === undefined ? "" : `, though policy ${policyText(policy)} has it`}${reason === undefined ? "." : `: ${reason}`}`;
    case "placed": {
      const also =
        explanation.follows.length === 0 ? "" : `; it also follows ${andList(explanation.follows.map(objectName))}`;
      return policy === undefined
        ? `${name} is ${where}; the policy that placed it is gone.`
        : `${name} is ${where}, as policy ${policyText(policy)}${originText(policy.origin)} asks${also}.`;
    }
  }
}

function policyText(policy: PolicyName): string {
  return policy.namespace === undefined ? policy.name : `${policy.namespace}/${policy.name}`;
}

function written(origin: Origin | undefined): string {
  const text = originText(origin);
  return text === "" ? "" : ` It is written in${text.replace(/^ \(|\)$/g, (part) => (part === " (" ? " " : ""))}.`;
}

const MOST_ROWS = 20;

function clusterSection(explanation: Explanation, { cluster, paint }: ExplainTextOptions): string[] {
  const shown = explanation.clusters.filter((entry) => cluster === undefined || entry.cluster === cluster);
  const there = shown.filter((entry) => isThere(entry));
  const absent = explanation.state === "unclaimed" ? [] : shown.filter((entry) => !isThere(entry));
  const rows: Row[] = [
    ...there.slice(0, MOST_ROWS).flatMap((entry) => presentRows(entry, paint, groupsOverrides(explanation, cluster))),
    ...(there.length > MOST_ROWS
      ? [{ name: "…", state: `and ${there.length - MOST_ROWS} more`, rest: "(-o json)" }]
      : []),
    ...absentRows(absent, explanation, paint),
  ];
  const nameWidth = Math.max(0, ...rows.map((row) => row.name.length));
  const stateWidth = Math.max(0, ...rows.map((row) => row.state.length));
  return rows.flatMap(({ name, state, rest, tint, below }) => {
    const padded = state.padEnd(stateWidth);
    const line = `  ${name.padEnd(nameWidth)}   ${tint === undefined ? padded : tint(padded)}   ${rest}`.trimEnd();
    return below === undefined ? [line] : [line, `${" ".repeat(nameWidth + stateWidth + 8)}${paint.dim(below)}`];
  });
}

interface Row {
  readonly name: string;
  readonly state: string;
  readonly rest: string;
  readonly tint?: (text: string) => string;
  /** A line of its own below. */
  readonly below?: string | undefined;
}

function isThere(entry: ClusterExplanation): boolean {
  return entry.verdict === "placed" || entry.verdict === "follows";
}

/** One row for the cluster, one more for every further thing to say of it. */
function presentRows(entry: ClusterExplanation, paint: Emphasis, hasSection: boolean): Row[] {
  const state =
    entry.replicas !== undefined
      ? count(entry.replicas, "replica")
      : entry.verdict === "follows"
        ? "follows"
        : "placed";
  const notes = [...healthNotes(entry, paint), ...(hasSection ? [] : overrideNotes(entry.overrides))];
  if (entry.room !== undefined) notes.push(entry.room);
  if (entry.scores !== undefined) notes.push(entry.scores);
  for (const waived of entry.waived) notes.push(`${paint.yellow("kept although")} ${waived.words} (${waived.field})`);
  const [first = "", ...others] = notes;
  return [{ name: entry.cluster, state, rest: first }, ...others.map((rest) => ({ name: "", state: "", rest }))];
}

function healthNotes({ state, replicas, trouble }: ClusterExplanation, paint: Emphasis): string[] {
  const notes = trouble === undefined ? [] : [paint.yellow(trouble)];
  if (state === undefined) return notes;
  if (state.applied === false) notes.push(`${paint.red("not applied")}: ${state.message ?? "no reason given"}`);
  else if (state.health === "Unhealthy") {
    const ready = replicas === undefined ? "" : ` (${state.readyReplicas ?? 0} of ${replicas} ready)`;
    notes.push(`${paint.yellow("not healthy")}${ready}`);
  }
  return notes;
}

const MOST_OVERRIDES = 8;

function overrideNotes(fields: readonly OverriddenField[]): string[] {
  const notes = fields.slice(0, MOST_OVERRIDES).map(overrideText);
  if (fields.length > MOST_OVERRIDES)
    notes.push(`and ${fields.length - MOST_OVERRIDES} more overridden fields (-o json)`);
  return notes;
}

/** With more clusters than this, what is overridden is said once for those that have it. */
const FEW_CLUSTERS = 6;
const MOST_GROUPS = 12;

function overrideSection(explanation: Explanation, { cluster }: ExplainTextOptions): string[] {
  if (!groupsOverrides(explanation, cluster)) return [];
  const lines = groupedOverrides(explanation.clusters.filter(isThere));
  if (lines.length === 0) return [];
  const more = lines.length > MOST_GROUPS ? [`  and ${lines.length - MOST_GROUPS} more (-o json)`] : [];
  return ["Overridden:", ...lines.slice(0, MOST_GROUPS).map((line) => `  ${line}`), ...more];
}

function groupsOverrides(explanation: Explanation, cluster: string | undefined): boolean {
  return cluster === undefined && explanation.clusters.filter(isThere).length > FEW_CLUSTERS;
}

/** Clusters that it is not on; equal reasons share a row when there are many. */
function absentRows(entries: readonly ClusterExplanation[], explanation: Explanation, paint: Emphasis): Row[] {
  const rows = entries.map((entry) => absentRow(entry, explanation, paint));
  if (rows.length <= 10) return rows;
  const groups = new Map<string, { readonly names: string[]; readonly row: Row }>();
  for (const row of rows) {
    // What to change names the cluster, so that it is left to those who ask for one cluster.
    const key = `${row.state}\n${row.rest}`;
    const group = groups.get(key) ?? { names: [], row };
    group.names.push(row.name);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ names, row }) =>
    names.length === 1 ? row : { ...row, name: clusterList(names, 2), below: undefined },
  );
}

function absentRow(entry: ClusterExplanation, explanation: Explanation, paint: Emphasis): Row {
  const name = entry.cluster;
  if (entry.verdict === "leaving") {
    const why = entry.leaving === undefined ? "" : `: ${entry.leaving}`;
    return { name, state: "leaving", rest: `its copy goes once it is well elsewhere${why}` };
  }
  if (entry.verdict === "refused") {
    const [first, ...others] = entry.refusals;
    const more = others.map((refusal) => `; and ${refusal.words} (${refusal.field})`).join("");
    const rest = first === undefined ? "is being removed" : `${first.words} (${first.field})${more}`;
    const change = [...new Set(entry.refusals.map((refusal) => refusal.change))].join("; and ");
    return { name, state: "refused", rest, tint: paint.yellow, below: change === "" ? undefined : `→ ${change}` };
  }
  const attached = explanation.state === "attached" ? "nothing that needs it is there" : "";
  const scores = entry.scores === undefined ? "" : `; ${entry.scores}`;
  return { name, state: "spare", rest: `${entry.spareReason ?? attached}${scores}`, tint: paint.dim };
}

/** What is not as it should be. */
function attentionSection(explanation: Explanation, paint: Emphasis): string[] {
  const lines = explanation.notes.map((note) => `${paint.yellow("!")} ${note}`);
  for (const { type, reason, message } of explanation.blocking)
    lines.push(`${paint.red("✗")} ${type} is False (${reason}): ${message}`);
  const said = [explanation.reason ?? "", ...explanation.blocking.map(({ message }) => message)].join("\n");
  for (const problem of explanation.problems) if (!said.includes(problem)) lines.push(`${paint.red("✗")} ${problem}`);
  return lines;
}

function divisionSection(explanation: Explanation): string[] {
  const { strategy, divisions, affinityGroup, differs, replicas, selection } = explanation;
  const lines: string[] = [];
  if (affinityGroup !== undefined) lines.push(groupLine(affinityGroup));
  if (selection !== undefined && selection.by !== "all") lines.push(...selectionLines(selection));
  if (strategy === "Duplicated" && replicas !== undefined)
    lines.push(
      `Each cluster gets ${replicas === 1 ? "the one replica" : `all ${replicas} replicas`} (replicaScheduling: Duplicated).`,
    );
  else for (const division of divisions) lines.push(...divisionLines(division));
  if (differs !== undefined) {
    lines.push(
      `A placement from scratch would be ${targetsText(differs.fresh)}, it is ${targetsText(differs.present)}:`,
    );
    lines.push(`  ${differs.reason}.`);
  }
  return lines;
}

const MOST_REGIONS = 6;

function selectionLines(selection: SelectionTrace): string[] {
  const { path, reason, regions = [], groups = [], swaps = [], needReplicas } = selection;
  const lines = [`Clusters were chosen by ${path.replace(/^placement/, "spec.placement")}: ${reason}.`];
  for (const { region, clusters, weight, chosen } of regions.slice(0, MOST_REGIONS)) {
    lines.push(`  ${region}: weight ${weight}, ${count(clusters.length, "cluster")}${chosen ? "" : ", not taken"}`);
  }
  for (const { by, group, clusters, weight, chosen } of groups.slice(0, MOST_REGIONS)) {
    lines.push(
      `  ${by} ${group}: weight ${weight}, ${count(clusters.length, "cluster")}${chosen ? "" : ", not taken"}`,
    );
  }
  if (groups.length > MOST_REGIONS) lines.push(`  and ${groups.length - MOST_REGIONS} more`);
  if (regions.length > MOST_REGIONS) lines.push(`  and ${regions.length - MOST_REGIONS} more`);
  if (swaps.length > 0) {
    const texts = swaps.slice(0, MOST_WEIGHTS).map((swap) => `${swap.out} for ${swap.in}`);
    lines.push(`  Exchanged, to have room for ${count(needReplicas ?? 0, "replica")}: ${texts.join(", ")}.`);
  }
  return lines;
}

function groupLine({ name, failed }: NonNullable<Explanation["affinityGroup"]>): string {
  const before = failed.map((group) => `${group.name} cannot be used: ${group.message}`).join("; ");
  return `Affinity group in use: ${name}${before === "" ? "" : ` (${before})`}.`;
}

const MOST_SEATS = 12;
const MOST_WEIGHTS = 8;

function divisionLines(division: DivisionExplanation): string[] {
  const { strategy, action, target, weights, seats } = division;
  if (action === "keep") return ["The division is kept as it is."];
  const tier = division.tier === undefined || division.tier === 0 ? "" : ` (overflow tier ${division.tier})`;
  const named = [...weights].sort((a, b) => (a.name < b.name ? -1 : 1));
  const shares = (strategy === "Aggregated" ? weights : named)
    .slice(0, MOST_WEIGHTS)
    .map(({ name, weight }) => `${name} ${weight}`);
  if (weights.length > MOST_WEIGHTS) shares.push(`… (${weights.length} clusters)`);
  const basis =
    strategy === "StaticWeight"
      ? `weights ${shares.join(", ")}${rulesText(division)}`
      : strategy === "Aggregated"
        ? `into as few clusters as have room: ${shares.join(", ")}`
        : `by the room there is: ${shares.join(", ")}`;
  const lines = [`How ${count(target, "replica")} ${target === 1 ? "was" : "were"} divided${tier}: ${basis}`];
  const floors = division.floors ?? [];
  if (floors.length > 0) lines.push(`  At least: ${targetsText(floors)}`);
  if (weights.length < 2 || seats.length === 0) return lines;
  const steps = seats
    .slice(0, MOST_SEATS)
    .map(
      ({ seat, name, quotient, over }) =>
        `seat ${seat} ${name} ${quotient.toFixed(2)}${over === undefined ? "" : ` ${quotient === over.quotient ? "=" : ">"} ${over.quotient.toFixed(2)}`}`,
    );
  if (target > MOST_SEATS) steps.push("…");
  const got = new Map<string, number>();
  if (seats.length === target) for (const { name } of seats) got.set(name, (got.get(name) ?? 0) + 1);
  const result = got.size === 0 ? "" : `→ ${named.map(({ name }) => `${name} ${got.get(name) ?? 0}`).join(" · ")}`;
  const tied = seats.slice(0, target).some(({ quotient, over }) => over?.quotient === quotient);
  if (tied) lines[0] += `; equals: fewer seats, then the ${division.namesDescend ? "last" : "first"} name`;
  return [...lines, ...wrap(steps, " · ", 110).map((line) => `  ${line}`), ...(result === "" ? [] : [`  ${result}`])];
}

/** Joins parts into lines of at most `width` characters. */
function wrap(parts: readonly string[], separator: string, width: number): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + separator.length + part.length <= width)
      lines[lines.length - 1] = `${last}${separator}${part}`;
    else lines.push(part);
  }
  return lines;
}

/** ` (static rule 2; rule 1 matches none)`. */
function rulesText({ ruleOf, idleRules, weights }: DivisionExplanation): string {
  const used = [...new Set(weights.map(({ name }) => ruleOf[name]).filter((rule) => rule !== undefined))].sort();
  const parts = [
    ...(used.length === 0 ? [] : [`static ${used.length === 1 ? "rule" : "rules"} ${andList(used.map(String))}`]),
    ...(idleRules.length === 0
      ? []
      : [
          `${idleRules.length === 1 ? "rule" : "rules"} ${andList(idleRules.map(String))} ${idleRules.length === 1 ? "matches" : "match"} none`,
        ]),
    ...(used.length === 0 && weights.length > 1
      ? ["no rule gives these clusters a weight, so all weigh the same"]
      : []),
  ];
  return parts.length === 0 ? "" : ` (${parts.join("; ")})`;
}

/** `tokyo-1 2 · paris-1 4`. */
export function targetsText(targets: readonly TargetCluster[]): string {
  if (targets.length === 0) return "on no cluster";
  const shown = targets
    .slice(0, MOST_WEIGHTS)
    .map((target) => (target.replicas === undefined ? target.name : `${target.name} ${target.replicas}`));
  return `${shown.join(" · ")}${targets.length > MOST_WEIGHTS ? ` … (${targets.length})` : ""}`;
}

function policySection({ otherPolicies, nearPolicies }: Explanation): string[] {
  const lines: string[] = [];
  if (otherPolicies.length > 0) {
    const texts = otherPolicies.slice(0, 5).map(({ policy, reason }) => `${policyText(policy)} (${reason})`);
    lines.push(`Other policies that match: ${texts.join(", ")}${otherPolicies.length > 5 ? ", …" : ""}.`);
  }
  if (nearPolicies.length > 0) {
    lines.push("The nearest policies:");
    for (const { policy, field, miss } of nearPolicies) lines.push(`  ${policyText(policy)}: ${miss} (${field})`);
  }
  return lines;
}

function footer(explanation: Explanation, options: ExplainTextOptions): string[] {
  const { decision, lastScheduledTime } = explanation;
  const lines: string[] = [];
  if (decision !== undefined && decision.since.length > 0) {
    lines.push("Since it was decided:", ...decision.since.map((line) => `  ${line}`), "");
  }
  const at = ageOf(
    decision?.problem === undefined ? (decision?.decidedAt ?? lastScheduledTime) : lastScheduledTime,
    options.nowMs,
  );
  if (decision === undefined || decision.problem !== undefined) {
    if (at !== undefined) lines.push(`Decided ${at} ago.`);
    if (decision?.problem !== undefined)
      lines.push(
        `Worked out from the present state, because the record of the decision cannot be used: ${decision.problem}.`,
      );
    if (options.savedAs !== undefined)
      lines.push(`The decision as it would be made now is saved; replay with: flaghoist replay ${options.savedAs}`);
    return lines;
  }
  const replay =
    options.savedAs === undefined ? "keep it with: --save FILE" : `replay with: flaghoist replay ${options.savedAs}`;
  return [
    ...lines,
    `Decided ${at} ago because ${decision.occasion}, fleet version ${decision.fleetVersion}; ${replay}`,
  ];
}
