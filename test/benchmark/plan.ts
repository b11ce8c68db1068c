// npm run bench -- plan [--apps N] [--clusters N] [--repeat N] [--json]: what a change of 1 of 1,000 applications on 100 clusters would
// do, and of a base that all of them use, with what the loss of each part of the fleet would do to what changes.
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { Sync } from "../../api/gitops.ts";
import type { PlanReport } from "../../api/plan-report.ts";
import { makePlan } from "../../reconciler/plan/make-plan.ts";
import { presentSync, readRepositoryChange } from "../../reconciler/plan/repository-change.ts";
import { WorldInterpreters } from "../../reconciler/plan/world-interpreters.ts";
import { RenderCache } from "../../renderers/kustomize/render-cache.ts";
import { systemClock } from "../../runtime/clock.ts";
import { openWorkingCopy } from "../../sources/git/working-copy.ts";
import { LoopDelay } from "./support-loop-delay.ts";
import { appFile, appKustomization, baseDeployment, buildPlanFleet, type PlanFleet } from "./support-plan-fleet.ts";

interface Row {
  readonly change: string;
  /** A plan by nothing that an earlier one left; then the median of those that follow. */
  readonly firstMs: number;
  readonly nextMs: number;
  readonly cpuMs: number;
  /** Longest turn of the event loop, by the processor time of the thread. */
  readonly longestTurnMs: number;
  readonly syncs: number;
  readonly objects: number;
  readonly copies: number;
  readonly losses: number;
}

const DELAY = new LoopDelay();

export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      apps: { type: "string", default: "1000" },
      clusters: { type: "string", default: "100" },
      repeat: { type: "string", default: "3" },
      json: { type: "boolean", default: false },
    },
  });
  const apps = Number(values.apps);
  const interpretations = new WorldInterpreters("flaghoist");
  DELAY.start();
  const fleet = await buildPlanFleet(apps, Number(values.clusters), interpretations);
  try {
    const one = fleet.repository.commit("One application", { [appFile(7)]: appKustomization(7, "1.1") });
    fleet.repository.git("reset", "-q", "--hard", fleet.base);
    const all = fleet.repository.commit("The base", { "base/deployment.yaml": baseDeployment("300m") });
    const rows = [
      await measure(fleet, interpretations, "1 application", one, Number(values.repeat)),
      await measure(fleet, interpretations, "the base of all", all, 1),
    ];
    if (values.json) process.stdout.write(`${JSON.stringify(rows, null, 1)}\n`);
    else print(rows, apps, Number(values.clusters));
  } finally {
    await fleet.close();
  }
}

async function measure(
  fleet: PlanFleet,
  interpretations: WorldInterpreters,
  change: string,
  head: string,
  repeat: number,
): Promise<Row> {
  const cache = new RenderCache();
  await setTimeout(20);
  DELAY.take();
  const runs: { ms: number; cpuMs: number; report: PlanReport }[] = [];
  for (let i = 0; i <= repeat; i++) {
    const before = process.cpuUsage();
    const from = performance.now();
    const report = await planOf(fleet, interpretations, head, cache);
    const { user, system } = process.cpuUsage(before);
    runs.push({ ms: performance.now() - from, cpuMs: (user + system) / 1000, report });
  }
  await setTimeout(20);
  const { cpuMaxMs } = DELAY.take();
  const [first, ...next] = runs;
  const sorted = next.toSorted((a, b) => a.ms - b.ms);
  const median = sorted[sorted.length >> 1] ?? first;
  if (first === undefined || median === undefined) throw new Error("nothing was measured");
  const { report } = first;
  if (!report.valid) throw new Error(report.problems.map(({ message }) => message).join("\n"));
  return {
    change,
    firstMs: first.ms,
    nextMs: median.ms,
    cpuMs: median.cpuMs,
    longestTurnMs: cpuMaxMs,
    syncs: report.subject.syncs?.length ?? 0,
    objects: report.objects.length,
    copies: report.objects.flatMap(({ copies }) => copies).reduce((sum, { clusters }) => sum + clusters.length, 0),
    losses: report.whatIf.length,
  };
}

/** As `flaghoist plan --base BASE..HEAD` and a server do it. */
async function planOf(
  { client, repository, base }: PlanFleet,
  interpretations: WorldInterpreters,
  head: string,
  cache: RenderCache,
): Promise<PlanReport> {
  const copy = openWorkingCopy(repository.work);
  const { signal } = new AbortController();
  try {
    const range = { base: copy.resolve(base), head: copy.resolve(head) };
    return await makePlan(client, {
      readChange: async () => {
        const syncs = (await client.list<Sync>("gitops.flaghoist.io/v1alpha1", "Sync")).items;
        return readRepositoryChange(client, syncs.map(presentSync), {
          trees: { head: copy.tree(range.head), base: copy.tree(range.base), commit: head },
          changedPaths: copy.changedPaths(range.base, range.head),
          isOurs: () => true,
          rendering: { remotes: undefined, signal, cache },
        });
      },
      subject: {
        path: "",
        base: { name: "base", commit: base },
        head: { name: "head", commit: head },
        fleet: { from: "live" },
      },
      interpretations,
      originOf: () => undefined,
      compareCopies: undefined,
      clock: systemClock,
      version: "bench",
      signal,
    });
  } finally {
    copy.close();
  }
}

function print(rows: readonly Row[], apps: number, clusters: number): void {
  process.stdout.write(
    `${apps} applications of 3 objects, ${clusters} clusters; a plan with all losses of cluster, zone, region, provider\n`,
  );
  for (const { change, firstMs, nextMs, cpuMs, longestTurnMs, syncs, objects, copies, losses } of rows)
    process.stdout.write(
      `${change.padEnd(18)} first ${Math.round(firstMs)} ms, then ${Math.round(nextMs)} ms (${Math.round(cpuMs)} ms CPU, no turn of the event loop over ${Math.ceil(longestTurnMs)} ms); ${syncs} Syncs, ${objects} objects, ${copies} copies, ${losses} losses\n`,
    );
}
