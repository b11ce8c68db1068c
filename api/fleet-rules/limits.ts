// How large a scenario may be: what one process can hold, and what is looked at in pairs.
import { parseDuration } from "../../runtime/duration.ts";
import { DEFAULT_NODES } from "../fleet-plan.ts";
import type { FleetScenario } from "../fleet-scenario.ts";
import { type Draft, present, type Report } from "./draft.ts";

const MOST_CLUSTERS = 2_000;
const MOST_NODES = 50_000;
const MOST_POOLS = 10_000;
/** Of the lists and labels of one cluster. */
const MOST_ENTRIES = 100;
const NAMES = ["name", "names", "region", "provider"];
const LONGEST_NAME = 253;
const MOST_STEPS = 5_000;
const MOST_FAULTS = 1_000;
/** Of faults that come again, every beginning is looked at. */
const MOST_REPEATED_FAULTS = 100;
/** How often one step may be taken in a scenario. */
const MOST_TIMES = 100_000;

/** Whether the scenario is small enough for a look at its parts. */
export function checkLimits(scenario: Draft<FleetScenario>, report: Report): boolean {
  const small = [checkEntries(scenario, report), checkFleet(scenario, report), checkSteps(scenario, report)];
  checkTimes(scenario, report);
  return small.every((each) => each);
}

/** What is there again for each cluster of a group. */
function checkEntries({ clusters, defaults }: Draft<FleetScenario>, report: Report): boolean {
  let isSmall = true;
  const check = (at: object, names: readonly string[], field: string): void => {
    for (const [name, value] of Object.entries(at)) {
      const size = names.includes(name) && typeof value === "object" && value !== null ? Object.keys(value).length : 0;
      if (size <= MOST_ENTRIES) continue;
      report(`${field}.${name}`, `has ${size} entries; there can be at most ${MOST_ENTRIES}`);
      isSmall = false;
    }
  };
  const entries = [...present(clusters)].map(([index, entry]) => [`clusters[${index}]`, entry] as const);
  for (const [field, entry] of [["defaults", defaults ?? {}] as const, ...entries]) {
    for (const [name, text] of Object.entries(entry)) {
      if (!NAMES.includes(name) || typeof text !== "string" || text.length <= LONGEST_NAME) continue;
      report(`${field}.${name}`, `has ${text.length} characters; there can be at most ${LONGEST_NAME}`);
      isSmall = false;
    }
    check(entry, ["nodePools", "zones", "labels", "taints"], field);
    for (const [index, pool] of present(entry.nodePools))
      check(pool, ["resources", "allocatable", "labels", "taints"], `${field}.nodePools[${index}]`);
  }
  for (const [field, { places }] of entries) {
    for (const [index, place] of present(places)) check(place, ["zones", "labels"], `${field}.places[${index}]`);
  }
  return isSmall;
}

function checkFleet({ clusters, defaults }: Draft<FleetScenario>, report: Report): boolean {
  let [members, nodes, pools] = [0, 0, 0];
  for (const [index, entry] of present(clusters)) {
    const count = entry.name !== undefined ? 1 : (entry.count ?? Math.max(1, entry.places?.length ?? 0));
    const speaks = entry.nodes !== undefined || entry.nodePools !== undefined ? entry : (defaults ?? {});
    const pooled = [...present(speaks.nodePools)].reduce((sum, [, pool]) => sum + (pool.count ?? 1), 0);
    members += count;
    pools += count * (speaks.nodePools?.length ?? 0);
    nodes += count * (pooled + (speaks.nodes ?? (speaks.nodePools === undefined ? DEFAULT_NODES : 0)));
    const tooMany = (
      [
        ["clusters", members, MOST_CLUSTERS],
        ["nodes", nodes, MOST_NODES],
        ["node pools", pools, MOST_POOLS],
      ] as const
    ).find(([, given, most]) => given > most);
    if (tooMany === undefined) continue;
    const [what, given, most] = tooMany;
    report(`clusters[${index}]`, `makes ${given} ${what} of the fleet; there can be at most ${most}`);
    return false;
  }
  return true;
}

function checkSteps({ timeline }: Draft<FleetScenario>, report: Report): boolean {
  let [faults, repeated] = [0, 0];
  for (const [index, { fault, every }] of present(timeline)) {
    if (fault !== undefined) faults++;
    if (fault !== undefined && every !== undefined) repeated++;
    for (const [what, given, most] of [
      ["steps", index + 1, MOST_STEPS],
      ["faults", faults, MOST_FAULTS],
      ["faults that come again", repeated, MOST_REPEATED_FAULTS],
    ] as const) {
      if (given <= most) continue;
      report(`timeline[${index}]`, `is one too many: a scenario has at most ${most} ${what}`);
      return false;
    }
  }
  return true;
}

function checkTimes({ timeline, duration }: Draft<FleetScenario>, report: Report): void {
  for (const [index, { at, every, times, until }] of present(timeline)) {
    const everyMs = every === undefined ? 0 : parseDuration(every);
    // Less than a millisecond is told elsewhere.
    if (everyMs < 1) continue;
    const end = until ?? duration;
    const lastsMs = end === undefined ? 0 : parseDuration(end) - parseDuration(at ?? "0");
    const taken = times ?? Math.floor(lastsMs / everyMs) + 1;
    if (taken <= MOST_TIMES) continue;
    const field = `timeline[${index}].${times === undefined ? "every" : "times"}`;
    report(field, `is taken ${taken} times until the end; at most ${MOST_TIMES} are possible`);
  }
}
