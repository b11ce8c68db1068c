// `flaghoist up` is killed in the middle of evictions, while `flaghoist fleet up` goes on in a process of its own. Every
// moment of every workload is watched in the members.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Cluster } from "../../api/cluster.ts";
import type { ResourceBinding } from "../../api/work.ts";
import { type HttpTransport, openHttpTransport } from "../../kube/client/http-transport.ts";
import { Informer } from "../../kube/client/informer.ts";
import { KubeClient } from "../../kube/client/kube-client.ts";
import { findReady } from "../../reconciler/controllers/clusters/cluster-object.ts";
import { systemClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { ChildCommand, runFlaghoist } from "./support/child-agent.ts";
import { ChildPlane } from "./support/child-plane.ts";
import { eventually as within } from "./support/eventually.ts";
import { deployment, namespaceObject, policy } from "./support/manifests.ts";
import { applyAll, ref } from "./support/plane.ts";
import { at, targetsOf } from "./support/reading.ts";
import { freePorts } from "./support/real-api-server.ts";

const MEMBERS = ["member1", "member2", "member3"];
const NAMES = Array.from({ length: 8 }, (_, i) => `app-${i}`);
const REPLICAS = 4;
const BINDING_API = "work.karmada.io/v1alpha2";
/** Replacements take their time, so that evictions are under way for a while. */
const SCENARIO = {
  apiVersion: "config.flaghoist.io/v1alpha1",
  kind: "FleetScenario",
  metadata: { name: "three" },
  clusters: MEMBERS.map((name) => ({ name, nodes: 2 })),
  behaviours: [{ image: "*", startup: "1s", readyAfter: "1s" }],
};
/** Several processes start here, on machines that may be busy. */
const LIMIT_MS = 45_000;

function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return within(check, { withinMs: LIMIT_MS });
}

describe("killing the control plane in the middle of evictions", { timeout: 3 * LIMIT_MS }, () => {
  const folder = mkdtempSync(join(tmpdir(), "flaghoist-evictions-"));
  const file = (name: string): string => join(folder, name);
  const transports: HttpTransport[] = [];
  const clients = new Map<string, KubeClient>();
  const watches: Informer[] = [];
  /** Available replicas by workload, then by member. */
  const available = new Map<string, Map<string, number>>();
  /** Workloads that were seen with fewer than they had, and were so when they were asked. */
  const dips: string[] = [];
  const asking = new Set<Promise<void>>();
  let fleet: ChildCommand;
  let plane: ChildPlane;

  beforeAll(async () => {
    writeFileSync(file("scenario.yaml"), JSON.stringify(SCENARIO));
    fleet = new ChildCommand(["fleet", "up", "-f", file("scenario.yaml"), "--data", file("fleet")], folder);
    fleet.start();
    const [port = 0] = await freePorts(1);
    const pace = ["--cluster-status-update-frequency=300ms", "--cluster-failure-threshold=1s", "--failover-after=1s"];
    plane = new ChildPlane(file("plane"), port, [...pace, "--cluster-success-threshold=300ms"]);
    await plane.start();
    await eventually(() => expect(fleet.log).toMatch(/simulated clusters on/));
    const kubeconfig = readFileSync(file("fleet/kubeconfig"), "utf8");
    for (const name of MEMBERS) {
      const transport = await openHttpTransport({ kubeconfig, context: name });
      transports.push(transport);
      clients.set(name, new KubeClient(transport.send));
      const joined = await runFlaghoist(
        ["join", name, "--cluster-kubeconfig", file("fleet/kubeconfig"), "--cluster-context", name, ...atPlane()],
        folder,
      );
      expect(joined).toMatchObject({ code: 0 });
    }
    await eventually(async () => {
      const { items } = await plane.client.list<Cluster>("cluster.karmada.io/v1alpha1", "Cluster");
      expect(items.map((cluster) => findReady(cluster)?.status)).toEqual(MEMBERS.map(() => "True"));
    });
    await applyAll(
      plane.client,
      namespaceObject("shop"),
      policy({ namespace: "shop", weights: { member1: 2, member2: 1, member3: 1 } }),
      ...NAMES.map((name) => deployment({ namespace: "shop", name, replicas: REPLICAS })),
    );
    await eventually(async () => {
      for (const name of NAMES) expect(await servedNow(name), name).toBe(REPLICAS);
    });
    for (const [member, client] of clients) watches.push(watch(member, client));
    await eventually(() => {
      for (const name of NAMES) expect(sumOf(name), name).toBe(REPLICAS);
    });
  }, 3 * LIMIT_MS);

  afterAll(async () => {
    for (const informer of watches) await informer.stop();
    await plane?.kill();
    await fleet?.kill();
    for (const transport of transports) await transport.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const atPlane = (): string[] => ["--kubeconfig", join(file("plane"), "kubeconfig")];

  /** What all members say at this moment, asked one after the other. */
  async function servedNow(name: string): Promise<number> {
    let sum = 0;
    for (const client of clients.values()) {
      const found = await client.find(ref("apps/v1 Deployment", "shop", name));
      sum += Number(at(found, "status", "availableReplicas") ?? 0);
    }
    return sum;
  }

  function sumOf(name: string): number {
    return [...(available.get(name)?.values() ?? [])].reduce((sum, each) => sum + each, 0);
  }

  function watch(member: string, client: KubeClient): Informer {
    const informer = new Informer({
      client,
      apiVersion: "apps/v1",
      kind: "Deployment",
      clock: systemClock,
      logger: silentLogger,
    });
    informer.subscribe(({ type, object }) => {
      const { name = "", namespace } = object.metadata;
      if (namespace !== "shop") return;
      const counts = available.get(name) ?? new Map<string, number>();
      available.set(name, counts);
      const before = sumOf(name);
      counts.set(member, type === "deleted" ? 0 : Number(at(object, "status", "availableReplicas") ?? 0));
      if (sumOf(name) >= REPLICAS || before < sumOf(name)) return;
      // The watches of members are not in step: what one of them tells may be ahead of another. Asked, they are.
      const asked = servedNow(name).then((served) => {
        if (served < REPLICAS) dips.push(`${name}: ${served} of ${REPLICAS}`);
      });
      asking.add(asked);
      void asked.finally(() => asking.delete(asked));
    });
    return informer.start();
  }

  async function bindings(): Promise<ResourceBinding[]> {
    return (await plane.client.list<ResourceBinding>(BINDING_API, "ResourceBinding", { namespace: "shop" })).items;
  }

  function isUnderWay(binding: ResourceBinding): boolean {
    return (binding.spec.gracefulEvictionTasks ?? []).length > 0;
  }

  /** Waits until no copy is left in a member, nor any eviction, and all is as it was in number. */
  async function hasLeft(member: string): Promise<void> {
    await eventually(async () => {
      const all = await bindings();
      expect(all.map((binding) => targetsOf(binding)[member])).toEqual(NAMES.map(() => undefined));
      expect(all.filter(isUnderWay).map(({ metadata }) => metadata.name)).toEqual([]);
      for (const name of NAMES) expect(await servedNow(name), name).toBe(REPLICAS);
    });
  }

  it("goes on with a drained cluster after each kill, and no workload serves less meanwhile", async () => {
    const drained = await runFlaghoist(["taint", "clusters", "member1", "drain=true:NoExecute", ...atPlane()], folder);
    expect(drained).toMatchObject({ code: 0 });
    for (let kill = 0; kill < 3; kill++) {
      await eventually(async () => expect((await bindings()).some(isUnderWay)).toBe(true));
      await plane.kill();
      await plane.start();
      // It was in the middle: nobody else has finished it.
      expect((await clients.get("member1")?.list("apps/v1", "Deployment", { namespace: "shop" }))?.items).not.toEqual(
        [],
      );
      if (kill === 0) expect((await bindings()).some(isUnderWay)).toBe(true);
      if (!(await bindings()).some(isUnderWay)) break;
    }

    await hasLeft("member1");

    const left = await clients.get("member1")?.list("apps/v1", "Deployment", { namespace: "shop" });
    expect(left?.items).toEqual([]);
    await Promise.all(asking);
    expect(dips).toEqual([]);
  });

  it("goes on replacing what a cluster had that is cut off, and takes the old copies out when it is back", async () => {
    await runFlaghoist(["taint", "clusters", "member1", "drain-", ...atPlane()], folder);
    const onFleet = ["--kubeconfig", file("fleet/kubeconfig")];
    const cut = ["fleet", "fault", "member2", "--partition", "control-plane", "--mode", "reject", "--name", "cut"];
    expect(await runFlaghoist([...cut, ...onFleet], folder)).toMatchObject({ code: 0 });
    await eventually(async () => expect((await bindings()).some(isUnderWay)).toBe(true));
    await plane.kill();
    await plane.start();

    // What can be reached has everything, although nobody can ask the old copies to go: those run on.
    await eventually(async () => {
      for (const name of NAMES) {
        const counts = available.get(name);
        expect((counts?.get("member1") ?? 0) + (counts?.get("member3") ?? 0), name).toBe(REPLICAS);
        expect(counts?.get("member2"), name).toBeGreaterThan(0);
      }
    });
    await plane.kill();
    await plane.start();
    expect(await runFlaghoist(["fleet", "fault", "cut", "--end", ...onFleet], folder)).toMatchObject({ code: 0 });

    await hasLeft("member2");

    await Promise.all(asking);
    expect(dips).toEqual([]);
  });
});
