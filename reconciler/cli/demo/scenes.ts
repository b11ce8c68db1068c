// The story of the demo, scene by scene. Each scene acts, waits for the effect, and prints what it saw.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Cluster } from "../../../api/cluster.ts";
import { type GitRepository, REQUESTED_AT_ANNOTATION, type Sync } from "../../../api/gitops.ts";
import type { ResourceBinding } from "../../../api/work.ts";
import type { SimulatedCluster } from "../../../fleets/simulator/simulated-cluster.ts";
import { findCondition, isConditionTrue } from "../../../kube/conditions.ts";
import { isObject, type KubeObject } from "../../../kube/object.ts";
import { describeField } from "../../controllers/works/drift-journal.ts";
import type { ControlPlane } from "../control-plane.ts";
import { registerSimulated } from "../simulated-fleet.ts";
import { PLACES } from "./members.ts";
import type { DemoStage } from "./stage.ts";

const NAMESPACE = "gitops";
const GITOPS_API = "gitops.flaghoist.io/v1alpha1";
const WEB = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "web" } as const;
const DESIRED = 6;

export interface Demo {
  readonly stage: DemoStage;
  readonly plane: ControlPlane;
  readonly members: ReadonlyMap<string, SimulatedCluster>;
  /** Working copy. */
  readonly repository: string;
  readonly url: string;
  /** Changes the working copy and commits; answers with the commit. */
  readonly push: (message: string, change: (folder: string) => void) => Promise<string>;
  readonly examples: string;
  readonly copy: (from: string, to: string) => void;
}

export async function runScenes(demo: Demo): Promise<void> {
  await opening(demo);
  await firstPush(demo);
  await policyChange(demo);
  await drift(demo);
  await failure(demo);
  await closing(demo);
}

async function opening({ stage, plane, members }: Demo): Promise<void> {
  stage.say(`Control plane on ${stage.paint.bold(plane.url)} (embedded)`);
  for (const member of members.values()) await registerSimulated(plane, member, PLACES[member.name] ?? {});
  const { ms } = await stage.until("all clusters are ready", async () => {
    const clusters = (await plane.client.list<Cluster>("cluster.karmada.io/v1alpha1", "Cluster")).items;
    return (
      clusters.length === members.size &&
      clusters.every(
        (cluster) => isConditionTrue(cluster.status?.conditions, "Ready") && (cluster.spec.taints ?? []).length === 0,
      )
    );
  });
  const list = [...members.keys()]
    .map((name) => `${name} (${PLACES[name]?.provider}, ${PLACES[name]?.region})`)
    .join(", ");
  stage.say(`${members.size} simulated clusters: ${list}  ${stage.paint.dim(`${Math.round(ms)}ms`)}`);
}

async function firstPush(demo: Demo): Promise<void> {
  const { stage, plane } = demo;
  const commit = await demo.push("Run the shop in two regions", (folder) => demo.copy(demo.examples, folder));
  stage.say("Repository with 2 applications, 1 propagation policy, 2 override policies");
  stage.scene(`git push ${commit.slice(0, 7)} "Run the shop in two regions"`);
  const start = performance.now();
  await plane.client.create({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: NAMESPACE, labels: { "namespace.karmada.io/skip-auto-propagation": "true" } },
  });
  const repository: GitRepository = {
    apiVersion: GITOPS_API,
    kind: "GitRepository",
    metadata: { name: "shop", namespace: NAMESPACE },
    spec: { url: demo.url, ref: { branch: "main" }, interval: "1m" },
  };
  const sync: Sync = {
    apiVersion: GITOPS_API,
    kind: "Sync",
    metadata: { name: "shop", namespace: NAMESPACE },
    spec: { sourceRef: { kind: "GitRepository", name: "shop" }, path: "apps/shop", prune: true },
  };
  await plane.client.create(repository);
  await plane.client.create(sync);
  const objects = await awaitRevision(demo, commit);
  stage.line(`rendered and applied ${objects} objects from apps/shop (kustomize)`, performance.now() - start);
  await showPlacement(demo, (spread) => total(spread) === DESIRED);
  await showCopies(demo);
  const ready = await awaitReady(demo);
  stage.line("all ready", ready);
}

async function policyChange(demo: Demo): Promise<void> {
  const { stage } = demo;
  stage.scene("a change of the policy, and what it would do");
  const change = (folder: string): void => {
    const file = join(folder, "apps/shop/policies.yaml");
    writeFileSync(
      file,
      readFileSync(file, "utf8").replace(
        "values: [ap-northeast]\n            weight: 1",
        "values: [ap-northeast]\n            weight: 2",
      ),
    );
  };
  change(demo.repository);
  stage.line(stage.paint.bold("$ flaghoist plan apps/shop"));
  await quoteCommand(demo, ["plan", join(demo.repository, "apps/shop"), "--sync", `${NAMESPACE}/shop`]);
  const commit = await demo.push("Prefer Tokyo", change);
  const start = performance.now();
  await requestFetch(demo);
  stage.line(`git push ${commit.slice(0, 7)} "Prefer Tokyo"`);
  await awaitRevision(demo, commit);
  await showPlacement(demo, (spread) => (spread["tokyo-1"] ?? 0) > 2);
  await awaitReady(demo);
  stage.line("all ready", performance.now() - start);
}

async function drift(demo: Demo): Promise<void> {
  const { stage, plane, members } = demo;
  stage.scene("someone runs kubectl scale in paris-2");
  const seen = plane.manager.journal.all().length;
  const start = performance.now();
  await members
    .get("paris-2")
    ?.client.patch(WEB, { spec: { replicas: 5 } }, "merge", { fieldManager: "kubectl-scale" });
  const { value: finding } = await stage.until("the drift is found", async () =>
    plane.manager.journal
      .all()
      .slice(seen)
      .find((entry) => entry.object.name === "web"),
  );
  for (const field of finding.fields)
    stage.line(
      `${stage.paint.yellow("drift")}  Deployment shop/web in ${finding.cluster}: ${describeField(field, "Deployment")}`,
      performance.now() - start,
    );
  const wanted = finding.fields[0]?.wanted;
  const { ms } = await stage.until("the drift is mended", async () => {
    const live = await members.get("paris-2")?.client.get(WEB);
    return replicasOf(live) === wanted;
  });
  stage.line("mended", ms);
  await awaitReady(demo);
}

async function failure(demo: Demo): Promise<void> {
  const { stage, plane, members } = demo;
  const lost = "paris-1";
  const before = await spreadOf(demo);
  stage.scene(`${lost} stops answering`);
  const alive = DESIRED - (before[lost] ?? 0);
  const watch = watchReady(demo, lost);
  const start = performance.now();
  members.get(lost)?.setFault("down");
  const { value: reason } = await stage.until("the cluster is seen not ready", async () => {
    const cluster = await plane.client.get<Cluster>({
      apiVersion: "cluster.karmada.io/v1alpha1",
      kind: "Cluster",
      name: lost,
    });
    const ready = findCondition(cluster.status?.conditions, "Ready");
    return ready?.status === "False" && ready.reason;
  });
  stage.line(
    `${stage.paint.red("not ready")}  ${reason}: tainted, and its workloads are placed elsewhere`,
    performance.now() - start,
  );
  await showPlacement(demo, (spread) => spread[lost] === undefined && total(spread) === DESIRED);
  await awaitReady(demo);
  stage.line(
    `${DESIRED} of ${DESIRED} ready again; never fewer than ${watch.lowest()} of the ${alive} that were left`,
    performance.now() - start,
  );
  if (watch.lowest() < alive) throw new Error(`replicas fell to ${watch.lowest()}, below the ${alive} that were alive`);

  stage.scene(`${lost} comes back`);
  const back = performance.now();
  members.get(lost)?.setFault("none");
  await stage.until("the cluster is ready and clean", async () => {
    const cluster = await plane.client.get<Cluster>({
      apiVersion: "cluster.karmada.io/v1alpha1",
      kind: "Cluster",
      name: lost,
    });
    const live = await members.get(lost)?.client.find(WEB);
    return (
      isConditionTrue(cluster.status?.conditions, "Ready") &&
      (cluster.spec.taints ?? []).length === 0 &&
      live === undefined
    );
  });
  watch.stop();
  stage.line("ready, untainted; its old copy of web was removed", performance.now() - back);
}

async function closing({ stage, plane }: Demo): Promise<void> {
  const seconds = (stage.elapsedMs() / 1_000).toFixed(1);
  stage.invocation.io.out("\n");
  stage.say(`That was everything, in ${seconds} s. Look around (with --keep):`);
  for (const command of [
    "kubectl get clusters",
    "kubectl get pp,op,rb -A",
    "kubectl get deploy -n shop",
    "kubectl describe deploy web -n shop",
    "flaghoist explain deployment/web -n shop",
  ]) {
    stage.line(command);
  }
  stage.line(stage.paint.dim(`export KUBECONFIG=${plane.kubeconfig}`));
}

/** Resolves when the sync has applied the commit; answers with the number of its objects. */
async function awaitRevision({ stage, plane }: Demo, commit: string): Promise<number> {
  const { value } = await stage.until(`revision ${commit.slice(0, 7)} is applied`, async () => {
    const sync = await plane.client.get<Sync>({
      apiVersion: GITOPS_API,
      kind: "Sync",
      namespace: NAMESPACE,
      name: "shop",
    });
    const ready = findCondition(sync.status?.conditions, "Ready");
    if (ready?.status === "False" && ready.reason !== "SourceNotReady") throw new Error(ready.message);
    return sync.status?.lastAppliedRevision?.endsWith(commit) === true && (sync.status.inventory?.entries.length ?? 0);
  });
  return value;
}

async function requestFetch({ plane }: Demo): Promise<void> {
  const ref = { apiVersion: GITOPS_API, kind: "GitRepository", namespace: NAMESPACE, name: "shop" };
  await plane.client.patch(
    ref,
    { metadata: { annotations: { [REQUESTED_AT_ANNOTATION]: String(performance.now()) } } },
    "merge",
  );
}

type Spread = Readonly<Record<string, number>>;

async function spreadOf({ plane }: Demo): Promise<Spread> {
  const binding = await plane.client.find<ResourceBinding>({
    apiVersion: "work.karmada.io/v1alpha2",
    kind: "ResourceBinding",
    namespace: "shop",
    name: "web-deployment",
  });
  return Object.fromEntries((binding?.spec.clusters ?? []).map((target) => [target.name, target.replicas ?? 0]));
}

function total(spread: Spread): number {
  return Object.values(spread).reduce((sum, count) => sum + count, 0);
}

async function showPlacement(demo: Demo, isExpected: (spread: Spread) => boolean): Promise<void> {
  const { stage } = demo;
  const { value: spread } = await stage.until("web is scheduled", async () => {
    const current = await spreadOf(demo);
    return isExpected(current) && current;
  });
  const places = Object.entries(spread).map(([cluster, count]) => `${cluster} ${stage.paint.bold(String(count))}`);
  stage.line(`web  Deployment  ${DESIRED} replicas   ${places.join(" · ")}     by policy shop/two-regions`);
}

/** What the override policies made of the copies. */
async function showCopies({ stage, members }: Demo): Promise<void> {
  const { value: images } = await stage.until("the copies are there", async () => {
    const found: string[] = [];
    for (const member of members.values()) {
      const image = imageOf(await member.client.find(WEB));
      if (image === undefined) return false;
      found.push(`${member.name} ${image}`);
    }
    return found;
  });
  stage.line(`     image         ${images.join(" · ")}   ${stage.paint.dim("← override shop/registry-by-region")}`);
  const claims: string[] = [];
  for (const member of members.values()) {
    const claim = await member.client.find({
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      namespace: "shop",
      name: "cart-orders",
    });
    const spec = isObject(claim?.["spec"]) ? claim["spec"] : {};
    if (claim !== undefined) claims.push(`${member.name} ${String(spec["storageClassName"])}`);
  }
  stage.line(`     storageClass  ${claims.join(" · ")}   ${stage.paint.dim("← override shop/storage-by-provider")}`);
}

function imageOf(deployment: KubeObject | undefined): string | undefined {
  const spec = deployment?.["spec"] as
    | { template?: { spec?: { containers?: readonly { image?: string }[] } } }
    | undefined;
  return spec?.template?.spec?.containers?.[0]?.image;
}

function replicasOf(deployment: KubeObject | undefined): unknown {
  return isObject(deployment?.["spec"]) ? deployment["spec"]["replicas"] : undefined;
}

/** Every cluster that web is placed on has exactly its replicas, all ready. */
async function awaitReady(demo: Demo): Promise<number> {
  const { ms } = await demo.stage.until("all replicas of web are ready", async () => {
    const spread = await spreadOf(demo);
    for (const [name, count] of Object.entries(spread)) {
      const live = await demo.members.get(name)?.client.find(WEB);
      const status = isObject(live?.["status"]) ? live["status"] : {};
      if (replicasOf(live) !== count || status["observedGeneration"] !== live?.metadata.generation) return false;
      if (status["readyReplicas"] !== count || status["replicas"] !== count) return false;
    }
    return total(spread) === DESIRED;
  });
  return ms;
}

/** Counts the ready replicas in the clusters that still answer, at every change. */
function watchReady({ members }: Demo, except: string): { lowest(): number; stop(): void } {
  const abort = new AbortController();
  const counts = new Map<string, number>();
  let lowest = Number.POSITIVE_INFINITY;
  for (const member of members.values()) {
    if (member.name === except) continue;
    void (async () => {
      try {
        for await (const event of member.client.watch("apps/v1", "Deployment", {
          namespace: "shop",
          fieldSelector: "metadata.name=web",
          signal: abort.signal,
        })) {
          if (event.type === "ERROR" || event.type === "BOOKMARK") continue;
          const status = isObject(event.object["status"]) ? event.object["status"] : {};
          counts.set(member.name, Number(status["availableReplicas"] ?? 0));
          if (counts.size === members.size - 1)
            lowest = Math.min(
              lowest,
              [...counts.values()].reduce((sum, count) => sum + count, 0),
            );
        }
      } catch (error) {
        if (!abort.signal.aborted) throw error;
      }
    })();
  }
  return { lowest: () => lowest, stop: () => abort.abort() };
}

async function quoteCommand({ stage, plane }: Demo, args: readonly string[]): Promise<void> {
  let text = "";
  const { io, runCommand } = stage.invocation;
  const collect = (part: string): void => {
    text += part;
  };
  await runCommand([...args, "--kubeconfig", plane.kubeconfig], { ...io, out: collect, err: collect });
  stage.quote(text);
}
