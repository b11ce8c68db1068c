// When all is well again, people change copies once more, and every report is asked what it knows of that.
import type { Cluster } from "../../api/cluster.ts";
import { refOf } from "../../kube/object.ts";
import { compareLiveCopies } from "../../reconciler/cli/live-copies.ts";
import { provideMembers } from "../../reconciler/cli/member-client.ts";
import { Interpretation } from "../../reconciler/controllers/interpretation/interpretation.ts";
import { type DriftGroup, groupDrift } from "../../reconciler/plan/live-drift.ts";
import { driftText } from "../../reconciler/reports/drift-text.ts";
import type { Random } from "../../runtime/random.ts";
import { type App, pathOf, RESOURCE_OF } from "./support-fleet-apps.ts";
import { hasWork, manifestsOf, problemsOf } from "./support-fleet-checks.ts";
import { conditionOf, SECRET_EDIT } from "./support-fleet-witness.ts";
import type { ChaosWorld } from "./support-fleet-world.ts";

const EDITOR = "kubectl-edit";
/** Git is looked at once a minute, and a change may go from one cluster to the next. */
const ARRIVES_MS = 150_000;
const NOTICED_MS = 20_000;

interface Edit {
  readonly app: App;
  readonly cluster: string;
  readonly path: string;
}

/** Finds what is not told. The world must be well, and is well afterwards. */
export async function checkReports(world: ChaosWorld, random: Random): Promise<void> {
  await expectNoDrift(world);
  const living = world.apps.filter((app) => app.exists && copiesOf(world, app).length > 0);
  const letBe = random.some(living).slice(0, 3);
  for (const app of letBe) await publishMode(world, app, true);
  await world.pass(ARRIVES_MS);
  const since = world.now;
  const edits: Edit[] = [];
  for (const app of living)
    for (const cluster of random.some(copiesOf(world, app), 1)) edits.push(await edit(world, app, cluster));
  await world.pass(NOTICED_MS);
  for (const each of edits) expectTold(world, each, since);
  await expectDrift(
    world,
    edits.filter(({ app }) => app.reportsDrift),
  );
  for (const app of letBe) await publishMode(world, app, false);
  await world.pass(ARRIVES_MS);
  for (const problem of problemsOf(world)) world.violate(`after others changed copies: ${problem}`);
  await expectNoDrift(world);
}

async function publishMode(world: ChaosWorld, app: App, reportsDrift: boolean): Promise<void> {
  app.reportsDrift = reportsDrift;
  await world.publish(app);
}

/** Clusters that are to have a copy, and have it. */
function copiesOf(world: ChaosWorld, app: App): string[] {
  return app.clusters.filter(
    (cluster) =>
      hasWork(world, cluster, app) && world.copyOf(app, cluster)?.metadata.labels?.["karmada.io/managed"] === "true",
  );
}

async function edit(world: ChaosWorld, app: App, cluster: string): Promise<Edit> {
  const copy = world.copyOf(app, cluster);
  const { patch, path } = driftOf(app);
  if (copy !== undefined)
    await world.cluster(cluster).client.patch(refOf(copy), patch, "merge", { fieldManager: EDITOR });
  world.witness.touched(cluster, RESOURCE_OF[app.kind], pathOf(app));
  return { app, cluster, path };
}

/** A change of a field that is ours, and how reports call it. */
function driftOf({ kind }: App): { patch: Record<string, unknown>; path: string } {
  switch (kind) {
    case "Deployment":
      return { patch: { spec: { replicas: 77 } }, path: "spec.replicas" };
    case "ConfigMap":
      return { patch: { data: { version: "edited" } }, path: "data.version" };
    case "Secret":
      return { patch: { data: { version: SECRET_EDIT } }, path: "data.version" };
    case "Service":
      return { patch: { spec: { selector: { app: "edited" } } }, path: "spec.selector" };
    case "ClusterRole":
      return { patch: { rules: [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }] }, path: "rules" };
  }
}

/** By an Event on the template and, where it stays, by the Work of the copy. */
function expectTold(world: ChaosWorld, { app, cluster, path }: Edit, since: number): void {
  const name = `${app.kind} ${pathOf(app)}`;
  const reason = app.reportsDrift ? "DriftDetected" : "DriftCorrected";
  const isTold = world.witness.hasTold(
    since,
    (told) =>
      told.reason === reason &&
      told.kind === app.kind &&
      told.path === pathOf(app) &&
      told.message.startsWith(`cluster ${cluster}: `) &&
      told.message.includes(path) &&
      told.message.includes(`by ${EDITOR}`),
  );
  if (!isTold) world.violate(`no Event ${reason} tells that ${path} of ${name} was changed in ${cluster}`);
  const works = world.plane.store.state.list("work.karmada.io/works", `karmada-es-${cluster}`);
  const work = works
    .map(({ object }) => object)
    .find((each) => manifestsOf(each).some((one) => one.kind === app.kind && pathOf(one.metadata) === pathOf(app)));
  const text = JSON.stringify(work?.["status"] ?? {}) + JSON.stringify(work?.metadata.annotations ?? {});
  if (text.includes(SECRET_EDIT)) world.violate(`the Work of ${name} in ${cluster} shows a secret`);
  const status = work?.["status"] as { conditions?: { type: string; message: string }[] } | undefined;
  const told = status?.conditions?.find(({ type }) => type === "Drifted")?.message ?? "";
  if (app.reportsDrift !== told.includes(path))
    world.violate(`the Work of ${name} in ${cluster} says of its drift: ${JSON.stringify(told)}`);
}

/** `flaghoist drift` shows what stays, and nothing else. */
async function expectDrift(world: ChaosWorld, edits: readonly Edit[]): Promise<void> {
  const { groups, text } = await askForDrift(world);
  const shown = groups.flatMap(({ object, path, manager, clusters }) =>
    clusters.map((cluster) => `${cluster} ${object.kind} ${pathOf(object)} ${path.split("[")[0]} ${manager}`),
  );
  const wanted = edits.map(({ app, cluster, path }) => `${cluster} ${app.kind} ${pathOf(app)} ${path} ${EDITOR}`);
  const plain = (line: string): string => line.replace("spec.selector.app", "spec.selector");
  if ([...new Set(shown.map(plain))].sort().join("\n") !== wanted.toSorted().join("\n"))
    world.violate(`the report of drift is not about ${wanted.join(", ")}: ${shown.join(", ")}`);
  if (text.includes(SECRET_EDIT)) world.violate(`the report of drift shows a secret: ${text}`);
}

async function expectNoDrift(world: ChaosWorld): Promise<void> {
  const { text, others } = await askForDrift(world);
  if (!text.includes("No drift") || text.includes("left over") || others > 0)
    world.violate(`the report of drift says: ${text}`);
}

/** As the command does it. */
async function askForDrift(world: ChaosWorld): Promise<{
  readonly groups: readonly DriftGroup[];
  /** Copies of which it is not known whether they are as wanted. */
  readonly others: number;
  readonly text: string;
}> {
  const { client, activity } = world.plane;
  provideMembers(client, async (name) => world.cluster(name).client);
  const clusters = (await client.list<Cluster>("cluster.karmada.io/v1alpha1", "Cluster")).items;
  const { copies, unreachable } = await activity.awaits(
    compareLiveCopies(client, clusters, {
      interpretation: new Interpretation({ compatibility: "flaghoist" }),
      wants: () => true,
      signal: new AbortController().signal,
    }),
  );
  const names = clusters.map(({ metadata }) => metadata.name ?? "");
  const plain = (text: string): string => text;
  const paint = { bold: plain, dim: plain, green: plain, yellow: plain, red: plain };
  const leftOver = clusters.flatMap((cluster) => {
    const { status, message = "" } = conditionOf(cluster, "LeftOver") ?? {};
    return status === "True" ? [{ cluster: cluster.metadata.name ?? "", message }] : [];
  });
  const report = { copies, clusters: names, unreachable, leftOver, past: [] };
  const others = copies.filter(({ state }) => state === "waiting" || state === "unknown").length;
  return { groups: groupDrift(copies), others, text: driftText(report, world.fleet.clock.now(), paint) };
}
