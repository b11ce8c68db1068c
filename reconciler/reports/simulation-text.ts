// What a simulation of losses showed, as people read it: for each workload a line for each thing that may fail.
import type { ObjectRef } from "../../kube/object.ts";
import type { Serving, Survival } from "../simulation/availability.ts";
import { type Loss, lossName } from "../simulation/losses.ts";
import type { StoryLine } from "../simulation/story.ts";
import { table } from "./table.ts";
import { objectName } from "./words.ts";

/** One workload in one loss. */
export interface SimulatedSurvival {
  readonly object: ObjectRef;
  readonly survival: Survival;
}

export interface SimulatedLoss {
  readonly loss: Loss;
  /** Of the workloads that had replicas in what was lost. */
  readonly survivals: readonly SimulatedSurvival[];
  /** What happened, moment by moment, from the loss on. */
  readonly story: readonly StoryLine[];
}

/** What a simulation showed. */
export interface SimulationReport {
  /** Where each workload served while all was well. */
  readonly placed: readonly { readonly object: ObjectRef; readonly desired: number; readonly serving: Serving }[];
  readonly losses: readonly SimulatedLoss[];
  /** `safe`, `karmada` or `off`. */
  readonly failover: string;
  /** How long each loss lasted, and how long was watched after it; milliseconds. */
  readonly lossMs: number;
  readonly afterMs: number;
}

/** The report as text. Losses that come to the same are told in one line; `stories` tells each moment by moment, too. */
export function simulationText(report: SimulationReport, stories = false): string {
  const sections = report.placed.map((workload) => workloadSection(report, workload));
  if (stories) sections.push(...report.losses.map(storySection));
  const footer =
    `Each loss lasted ${words(report.lossMs)} and was watched for ${words(report.afterMs)} after its end, ` +
    `with failover ${report.failover}, on a clock that does not wait.`;
  return [...sections, footer].join("\n\n");
}

function workloadSection(report: SimulationReport, placed: SimulationReport["placed"][number]): string {
  const key = objectName(placed.object);
  const head = `${key}: ${placed.desired} replicas, on ${places(placed.serving)}`;
  const lines = new Map<string, { readonly names: string[]; readonly cells: readonly string[] }>();
  for (const { loss, survivals } of report.losses) {
    const found = survivals.find((each) => objectName(each.object) === key);
    if (found === undefined) continue;
    const cells = cellsOf(found.survival);
    const group = `${loss.kind} ${cells.join("|")}`;
    const known = lines.get(group);
    if (known === undefined) lines.set(group, { names: [lossName(loss)], cells });
    else known.names.push(loss.name);
  }
  if (lines.size === 0) return `${head}\n  Nothing that was simulated concerns it.`;
  const rows = [...lines.values()].map(({ names, cells }) => [`  ${names.join(", ")}`, ...cells]);
  return [
    head,
    "",
    table([["  if this fails", "serve at once", "all serve", "home again", "in the end"], ...rows]),
  ].join("\n");
}

function storySection({ loss, story }: SimulatedLoss): string {
  const lines = story.map(({ afterMs, words: what }) => `  ${words(afterMs).padStart(8)}  ${what}`);
  return [`If ${lossName(loss)} fails:`, ...lines].join("\n");
}

function cellsOf(survival: Survival): string[] {
  const { desired, keptAtOnce, lowest, fullAfterMs, downMs, during, before, homeAfterMs, after } = survival;
  const kept = `${keptAtOnce} of ${desired}${lowest < keptAtOnce ? `, later ${lowest}` : ""}`;
  const full =
    fullAfterMs === undefined
      ? "not while it lasts"
      : fullAfterMs === 0
        ? "all the time"
        : `after ${words(fullAfterMs)}${downMs > 0 ? `, down ${words(downMs)}` : ""}`;
  const home =
    homeAfterMs === undefined
      ? `stay on ${places(after)}`
      : samePlaces(during, before)
        ? "did not move"
        : `${words(homeAfterMs)} after its return`;
  return [kept, full, home, changes(before, during)];
}

/** Where the numbers differ: `oregon-1 2 → 4`. */
function changes(before: Serving, during: Serving): string {
  const names = [...new Set([...Object.keys(before), ...Object.keys(during)])].sort();
  const moved = names.filter((name) => (before[name] ?? 0) !== (during[name] ?? 0));
  if (moved.length === 0) return "as before";
  return moved.map((name) => `${name} ${before[name] ?? 0} → ${during[name] ?? 0}`).join(" · ");
}

function places(serving: Serving): string {
  const names = Object.keys(serving).sort();
  return names.length === 0 ? "no cluster" : names.map((name) => `${name} ${serving[name]}`).join(" · ");
}

function samePlaces(a: Serving, b: Serving): boolean {
  return places(a) === places(b);
}

/** `1m 52s`, `30m`: to the second. */
function words(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  const parts = [
    [Math.floor(seconds / 3_600), "h"],
    [Math.floor(seconds / 60) % 60, "m"],
    [seconds % 60, "s"],
  ] as const;
  const said = parts.filter(([amount]) => amount > 0).map(([amount, unit]) => `${amount}${unit}`);
  return said.length === 0 ? "0s" : said.join(" ");
}
