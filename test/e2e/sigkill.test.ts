// The process is killed at any moment and started again: nothing that was acknowledged is lost, nothing is doubled.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Listener, listen } from "../../fleets/apiserver/http/listener.ts";
import { createSimulatedCluster, type SimulatedCluster } from "../../fleets/simulator/simulated-cluster.ts";
import type { KubeClient } from "../../kube/client/kube-client.ts";
import { systemClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { ChildPlane } from "./support/child-plane.ts";
import { eventually } from "./support/eventually.ts";
import { deployment, namespaceObject, policy } from "./support/manifests.ts";
import { applyAll, ref } from "./support/plane.ts";
import { at, conditionOf } from "./support/reading.ts";
import { freePorts } from "./support/real-api-server.ts";

const ROUNDS = 8;
const CHANGES_A_ROUND = 12;
const NAMES = Array.from({ length: 9 }, (_, i) => `app-${i}`);
const MEMBERS = ["member1", "member2", "member3"];
const SEED = Number(process.env["E2E_SEED"] ?? 20_260_101);

/** Numbers from 0 to 1, the same for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

describe("killing the control plane", () => {
  const folder = mkdtempSync(join(tmpdir(), "flaghoist-e2e-"));
  const random = randomFrom(SEED);
  const members: SimulatedCluster[] = [];
  let listener: Listener;
  let plane: ChildPlane;

  beforeAll(async () => {
    for (const name of MEMBERS)
      members.push(await createSimulatedCluster({ name, clock: systemClock, logger: silentLogger, readyAfterMs: 20 }));
    listener = await listen(new Map(members.map((member) => [`/clusters/${member.name}`, member.server])), {
      host: "127.0.0.1",
      port: 0,
      directory: join(folder, "member-pki"),
      clock: systemClock,
      logger: silentLogger,
    });
    const [port = 0] = await freePorts(1);
    plane = new ChildPlane(join(folder, "data"), port);
    await plane.start();
    for (const name of MEMBERS) await register(plane.client, name);
    // A cluster that becomes ready after a workload was divided gets nothing of it.
    await eventually(async () => {
      const { items } = await plane.client.list("cluster.karmada.io/v1alpha1", "Cluster");
      expect(items.map((cluster) => conditionOf(cluster, "Ready")?.status)).toEqual(MEMBERS.map(() => "True"));
    });
    await applyAll(
      plane.client,
      namespaceObject("shop"),
      policy({ namespace: "shop", weights: { member1: 1, member2: 1, member3: 1 } }),
    );
  }, 60_000);

  afterAll(async () => {
    await plane?.kill();
    await listener?.close();
    for (const member of members) await member.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function register(client: KubeClient, name: string): Promise<void> {
    await applyAll(
      client,
      {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name, namespace: "karmada-cluster" },
        stringData: { kubeconfig: listener.adminKubeconfig(`/clusters/${name}`) },
      },
      {
        apiVersion: "cluster.karmada.io/v1alpha1",
        kind: "Cluster",
        metadata: { name },
        spec: {
          syncMode: "Push",
          apiEndpoint: `${listener.url}/clusters/${name}`,
          secretRef: { namespace: "karmada-cluster", name },
        },
      },
    );
  }

  /** Wanted replicas by name, as the store has them. */
  async function stored(): Promise<Map<string, number>> {
    const { items } = await plane.client.list("apps/v1", "Deployment", { namespace: "shop" });
    return new Map(items.map((item) => [item.metadata.name ?? "", Number(at(item, "spec", "replicas"))]));
  }

  it(`keeps every acknowledged change over ${ROUNDS} kills (E2E_SEED=${SEED})`, { timeout: 120_000 }, async () => {
    /** What may stand in the store: one value when it was acknowledged, two when the answer never came. */
    const possible = new Map<string, Set<number | undefined>>(NAMES.map((name) => [name, new Set([undefined])]));
    for (let round = 0; round < ROUNDS; round++) {
      const killAfterMs = random() * 150;
      const killed = new Promise<void>((resolve) => setTimeout(resolve, killAfterMs)).then(() => plane.kill());
      for (let i = 0; i < CHANGES_A_ROUND; i++) {
        const name = NAMES[Math.floor(random() * NAMES.length)] ?? "app-0";
        const replicas = random() < 0.2 ? undefined : 3 * Math.ceil(random() * 4);
        const before = possible.get(name) ?? new Set();
        possible.set(name, new Set([...before, replicas]));
        try {
          if (replicas === undefined) await plane.client.delete(ref("apps/v1 Deployment", "shop", name));
          else await applyAll(plane.client, deployment({ namespace: "shop", name, replicas }));
          possible.set(name, new Set([replicas]));
        } catch {
          // The process is gone: this change may stand or not.
          break;
        }
      }
      await killed;
      await plane.start();

      const present = await stored();
      for (const [name, values] of possible) {
        expect([...values], `${name} after kill ${round}`).toContain(present.get(name));
        possible.set(name, new Set([present.get(name)]));
      }
    }

    const wanted = await stored();
    await eventually(async () => {
      for (const member of members) {
        const { items } = await member.client.list("apps/v1", "Deployment", { namespace: "shop" });
        const found = Object.fromEntries(items.map((item) => [item.metadata.name, at(item, "spec", "replicas")]));
        expect(found, member.name).toEqual(Object.fromEntries([...wanted].map(([name, total]) => [name, total / 3])));
      }
    });
    await eventually(async () => {
      const bindings = await plane.client.list("work.karmada.io/v1alpha2", "ResourceBinding", { namespace: "shop" });
      expect(bindings.items.map((binding) => binding.metadata.name).sort()).toEqual(
        [...wanted.keys()].map((name) => `${name}-deployment`).sort(),
      );
      const works = await plane.client.list("work.karmada.io/v1alpha1", "Work");
      const ofBindings = works.items.filter(
        (work) => work.metadata.annotations?.["resourcebinding.karmada.io/name"] !== undefined,
      );
      expect(ofBindings).toHaveLength(wanted.size * MEMBERS.length);
    });
    await eventually(async () => {
      for (const name of wanted.keys()) {
        const template = await plane.client.get(ref("apps/v1 Deployment", "shop", name));
        expect(at(template, "status", "readyReplicas"), name).toBe(wanted.get(name));
      }
    });
  });

  it("has no pods too many or too few in the members", async () => {
    const wanted = await stored();
    const each = [...wanted.values()].reduce((sum, total) => sum + total / 3, 0);

    await eventually(async () => {
      for (const member of members) {
        const pods = await member.client.list("v1", "Pod", { namespace: "shop" });
        expect(pods.items.filter((pod) => pod.metadata.deletionTimestamp === undefined)).toHaveLength(each);
      }
    });
  });

  it("ends by itself when it is asked to, and has kept everything", async () => {
    const before = await stored();

    expect(await plane.kill("SIGTERM")).toBe(0);

    await plane.start();
    expect(await stored()).toEqual(before);
  });
});
