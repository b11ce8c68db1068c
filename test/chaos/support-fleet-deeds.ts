// How each action of a chaotic run is done.
import type { Fault } from "../../api/fleet-faults.ts";
import { type KubeObject, refOf } from "../../kube/object.ts";
import { Random } from "../../runtime/random.ts";
import type { Action } from "./support-fleet-actions.ts";
import { type App, pathOf, RESOURCE_OF, templateOf } from "./support-fleet-apps.ts";
import { type ChaosWorld, deleteIfThere } from "./support-fleet-world.ts";

/** Does what the action says; answers in words what was done, undefined when there was nothing to do it to. */
export async function perform(world: ChaosWorld, { kind, seed, index }: Action): Promise<string | undefined> {
  const random = new Random(seed);
  const cluster = random.pick(world.clusterNames);
  const living = world.apps.filter((app) => app.exists);
  const movable = living.filter((app) => !app.isSteady);
  const app = living.length === 0 ? undefined : random.pick(living);
  switch (kind) {
    case "change":
      return publish(world, app, (it) => void it.version++);
    case "scale":
      return publish(world, app?.kind === "Deployment" ? app : undefined, (it) => {
        it.replicas = random.below(12);
      });
    case "create": {
      const made = world.newApp(random);
      await world.publish(made);
      return `created ${made.kind} ${pathOf(made)} via ${made.via}`;
    }
    case "delete":
      return publish(world, movable.length === 0 ? undefined : random.pick(movable), (it) => {
        it.exists = false;
      });
    case "delete-many":
      return deleteMany(world, movable, random);
    case "recreate": {
      const gone = world.apps.filter((each) => !each.exists);
      return publish(world, gone.length === 0 ? undefined : random.pick(gone), (it) => {
        it.exists = true;
        it.version++;
      });
    }
    case "move":
      return publish(world, movable.length === 0 ? undefined : random.pick(movable), (it) => {
        it.clusters = random.some(world.clusterNames, 1);
      });
    case "mirror":
      return publish(world, app?.kind === "Deployment" ? app : undefined, (it) => {
        it.mirrored = random.some(world.clusterNames);
      });
    case "edit":
      return editCopy(world, random, app, cluster);
    case "edit-many": {
      const done = [];
      for (const each of world.clusterNames) done.push(await editCopy(world, random, app, each));
      return done.find((words) => words !== undefined);
    }
    case "delete-copy": {
      const copy = app && ourCopy(world, app, cluster);
      if (app === undefined || copy === undefined) return undefined;
      touch(world, app, cluster);
      await deleteIfThere(world.cluster(cluster), copy);
      return `somebody deleted ${app.kind} ${pathOf(app)} in ${cluster}`;
    }
    case "strip-label":
      return stripLabel(world, app, cluster);
    case "usurp":
      return usurp(world, app, cluster);
    case "foreign-change":
      return changeForeign(world, random);
    case "rotate":
      await renewCredentials(world, cluster, index);
      return `renewed the credentials of ${cluster}`;
    case "certificate": {
      world.ways.trouble(cluster, { strangeCertificate: true });
      const isRenewed = random.chance(0.5);
      world.fleet.clock.after(10_000 + random.below(180_000), () => {
        world.ways.trouble(cluster, undefined);
        if (isRenewed) void renewCredentials(world, cluster, index);
      });
      return `${cluster} has another certificate, ${isRenewed ? "which people will tell of" : "for a while"}`;
    }
    case "crash": {
      const writes = random.chance(0.3) ? 0 : 1 + random.below(40);
      world.witness.upset();
      (world.instance ?? world.plane.instances[0])?.crashAfter(writes);
      return `the control plane is killed after ${writes} more writes`;
    }
    case "clock-jump": {
      const ms = random.pick([-3_600_000, -60_000, -1_000, 1_000, 60_000, 3_600_000]);
      const undo = world.instance?.skewClock(ms);
      world.witness.clockJumped();
      world.fleet.clock.after(60_000 + random.below(300_000), () => {
        world.witness.clockJumped();
        undo?.();
      });
      return `the control plane's clock jumped by ${ms / 1000} s`;
    }
    case "cut-store": {
      const mend = world.instance?.cutStore();
      world.witness.upset();
      world.fleet.clock.after(1_000 + random.below(120_000), () => {
        world.witness.upset();
        mend?.();
      });
      return "the control plane lost its store";
    }
    case "lost-answers":
    case "half-bodies":
    case "refusals":
    case "stale-watches": {
      const status = random.pick([409, 410, 422] as const);
      const share = 0.2 + random.next() * 0.6;
      if (kind === "lost-answers") world.ways.trouble(cluster, { lostAnswers: share });
      else if (kind === "half-bodies") world.ways.trouble(cluster, { halfBodies: share });
      else if (kind === "refusals") world.ways.trouble(cluster, { refusals: { status, share } });
      else world.ways.trouble(cluster, { staleWatches: true });
      world.fleet.clock.after(10_000 + random.below(120_000), () => world.ways.trouble(cluster, undefined));
      return `${kind} of ${cluster}${kind === "refusals" ? ` (${status})` : ""}`;
    }
    case "backup":
      world.cluster(cluster).machine.backUp(`at ${Math.round(world.now / 1000)} s`);
      return `a backup of ${cluster}`;
    case "restore":
      return restore(world, cluster, random.pick(world.cluster(cluster).machine.backups));
    case "wipe":
      return wipe(world, cluster);
    default:
      return beginFault(world, random, kind, cluster);
  }
}

async function publish(
  world: ChaosWorld,
  app: App | undefined,
  change: (app: App) => void,
): Promise<string | undefined> {
  if (app === undefined) return undefined;
  change(app);
  await world.publish(app);
  const { kind, version, replicas, clusters, exists } = app;
  const what = exists ? `v${version}, ${replicas} replicas, on ${clusters.join(" ")}` : "deleted";
  return `${kind} ${pathOf(app)} via ${app.via}: ${what}`;
}

/** Most of what may go goes at once. */
async function deleteMany(world: ChaosWorld, movable: readonly App[], random: Random): Promise<string | undefined> {
  const going = random.some(movable, Math.ceil(movable.length * 0.6));
  if (going.length === 0) return undefined;
  for (const app of going) app.exists = false;
  for (const app of going) await world.publish(app);
  return `deleted at once: ${going.map(pathOf).join(", ")}`;
}

async function renewCredentials(world: ChaosWorld, cluster: string, number: number): Promise<void> {
  const ref = { apiVersion: "v1", kind: "Secret", namespace: "karmada-cluster", name: cluster };
  const kubeconfig = Buffer.from(`{"renewed":${number}}`).toString("base64");
  await world.plane.client.patch(ref, { data: { kubeconfig } }, "merge");
}

/** From now on findings about the copy are true. */
function touch(world: ChaosWorld, app: App, cluster: string): void {
  world.witness.touched(cluster, RESOURCE_OF[app.kind], pathOf(app));
}

/** The copy, if it is there and ours. */
function ourCopy(world: ChaosWorld, app: App, cluster: string): KubeObject | undefined {
  const copy = world.copyOf(app, cluster);
  return copy?.metadata.labels?.["karmada.io/managed"] === "true" ? copy : undefined;
}

async function editCopy(
  world: ChaosWorld,
  random: Random,
  app: App | undefined,
  cluster: string,
): Promise<string | undefined> {
  const copy = app && ourCopy(world, app, cluster);
  if (app === undefined || copy === undefined) return undefined;
  const patch = editOf(app, random);
  touch(world, app, cluster);
  await world.cluster(cluster).client.patch(refOf(copy), patch, "merge", { fieldManager: "kubectl-edit" });
  return `somebody edited ${app.kind} ${pathOf(app)} in ${cluster}: ${JSON.stringify(patch)}`;
}

function editOf({ kind }: App, random: Random): Record<string, unknown> {
  if (random.chance(0.2)) return { metadata: { labels: { "they.example/mark": "x" } } };
  switch (kind) {
    case "Deployment":
      return { spec: { replicas: 20 + random.below(9) } };
    case "ConfigMap":
      return random.chance(0.5) ? { data: { version: "edited" } } : { data: { version: null, more: "x" } };
    case "Secret":
      return { data: { version: Buffer.from("edited").toString("base64") } };
    case "Service":
      return { spec: { selector: { app: "edited" } } };
    case "ClusterRole":
      return { rules: [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }] };
  }
}

/** Somebody takes our mark off a copy: by Karmada's rule it then is not ours to touch. */
async function stripLabel(world: ChaosWorld, app: App | undefined, cluster: string): Promise<string | undefined> {
  const copy = app && ourCopy(world, app, cluster);
  if (app === undefined || copy === undefined) return undefined;
  const patch = { metadata: { labels: { "karmada.io/managed": null } } };
  world.usurped.add(`${cluster} ${RESOURCE_OF[app.kind]} ${pathOf(app)}`);
  touch(world, app, cluster);
  await world.cluster(cluster).client.patch(refOf(copy), patch, "merge", { fieldManager: "kubectl-label" });
  return `somebody took our label off ${app.kind} ${pathOf(app)} in ${cluster}`;
}

/** Somebody makes an object of their own where a copy of ours was. */
async function usurp(world: ChaosWorld, app: App | undefined, cluster: string): Promise<string | undefined> {
  const copy = app && ourCopy(world, app, cluster);
  if (app === undefined || copy === undefined || app.kind === "ClusterRole") return undefined;
  // In one write of the cluster's own people: between two of them we would make it anew.
  const theirs = {
    ...templateOf({ ...app, version: 666, isDivided: false }),
    metadata: { ...copy.metadata, labels: { theirs: "yes" }, annotations: {} },
  };
  const resource = RESOURCE_OF[app.kind];
  world.usurped.add(`${cluster} ${resource} ${pathOf(app)}`);
  touch(world, app, cluster);
  await world.cluster(cluster).client.update({ ...copy, ...theirs }, { fieldManager: "helm" });
  return `somebody put their own ${app.kind} ${pathOf(app)} into ${cluster}`;
}

async function changeForeign(world: ChaosWorld, random: Random): Promise<string | undefined> {
  const entry = random.below(world.foreign.length);
  const foreign = world.foreign[entry];
  const object = foreign && world.stored(foreign.cluster, foreign.resource, foreign.path);
  if (foreign === undefined || object === undefined) return undefined;
  const patch = { metadata: { annotations: { changed: String(world.now) } } };
  await world.cluster(foreign.cluster).client.patch(refOf(object), patch, "merge", { fieldManager: "helm" });
  world.foreign[entry] = world.remember(foreign.cluster, foreign.resource, foreign.path);
  return `their ${foreign.resource} ${foreign.path} in ${foreign.cluster} changed`;
}

/** The cluster's store goes back to a backup; what its people have is what is in it. */
async function restore(world: ChaosWorld, cluster: string, backup: string): Promise<string | undefined> {
  if (world.cluster(cluster).machine.isHalted) return undefined;
  world.witness.touched(cluster);
  await world.cluster(cluster).machine.restore(backup);
  rememberAnew(world, cluster);
  return `${cluster} went back to its backup "${backup}"`;
}

/** Everything that the control plane had put there is lost, and other objects stand in some of the places. */
async function wipe(world: ChaosWorld, cluster: string): Promise<string | undefined> {
  const simulated = world.cluster(cluster);
  if (simulated.machine.isHalted) return undefined;
  for (const app of world.apps) {
    const copy = ourCopy(world, app, cluster);
    if (copy === undefined) continue;
    touch(world, app, cluster);
    await deleteIfThere(simulated, copy);
  }
  return `${cluster} lost all copies`;
}

/** After a restore its objects are as old as the backup. */
function rememberAnew(world: ChaosWorld, cluster: string): void {
  for (const [index, { cluster: where, resource, path }] of world.foreign.entries())
    if (where === cluster) world.foreign[index] = world.remember(where, resource, path);
  for (const app of world.apps) {
    const key = `${cluster} ${RESOURCE_OF[app.kind]} ${pathOf(app)}`;
    const copy = world.copyOf(app, cluster);
    const isOurs = copy?.metadata.labels?.["karmada.io/managed"] === "true";
    if (copy === undefined || isOurs) world.usurped.delete(key);
    else world.usurped.add(key);
  }
}

function beginFault(world: ChaosWorld, random: Random, kind: string, cluster: string): string | undefined {
  const seconds = random.pick([2, 10, 40, 90, 240]);
  const half = random.some(world.clusterNames, Math.ceil(world.clusterNames.length / 2));
  const common = { target: { clusters: [cluster] }, for: `${seconds}s` };
  const fault = faultOf(random, kind, common, half);
  try {
    world.fleet.faults.begin(fault);
  } catch (error) {
    // Two faults that exclude one another.
    if (error instanceof Error && "code" in error && error.code === "fault-contradiction") return undefined;
    throw error;
  }
  return `${JSON.stringify(fault)}`;
}

interface Common {
  readonly target: { clusters: string[] };
  readonly for: string;
}

function faultOf(random: Random, kind: string, common: Common, half: string[]): Fault {
  switch (kind) {
    case "errors":
      return { type: "errors", ...common, percent: 20 + random.below(80), status: random.pick([500, 503, 504]) };
    case "throttle":
      return { type: "throttle", ...common, percent: 20 + random.below(80), retryAfter: random.pick(["1s", "10s"]) };
    case "slow":
      return { type: "slow", ...common, latency: { min: "10ms", max: random.pick(["1s", "8s"]) } };
    case "watch-drop":
      return {
        type: "watch-drop",
        ...common,
        interval: random.pick(["1s", "20s"]),
        ending: random.pick(["reset", "end", "expired"]),
      };
    case "partition": {
      const mode = random.pick(["drop", "reject"] as const);
      return { type: "partition", target: { clusters: half }, for: common.for, from: ["control-plane"], mode };
    }
    case "revision-reset":
      return { type: "revision-reset", target: common.target };
    case "group-missing":
      return { type: "api-group-missing", ...common, group: "apps" };
    case "hang":
    case "unhealthy":
    case "expired-credentials":
    case "outage":
      return { type: kind, ...common };
    default:
      return { type: "down", ...common };
  }
}

/** Ends everything that is wrong, and takes back what others did in our places. */
export async function heal(world: ChaosWorld): Promise<void> {
  world.fleet.faults.endAll();
  world.ways.mendAll();
  // A crash that still waits for its write would come amid the quiet.
  for (const instance of [...world.plane.instances]) instance.crash();
  await world.ensureRunning();
  for (const key of [...world.usurped]) {
    const [cluster = "", resource = "", path = ""] = key.split(" ");
    const object = world.stored(cluster, resource, path);
    world.usurped.delete(key);
    if (object !== undefined) await deleteIfThere(world.cluster(cluster), object);
  }
}
