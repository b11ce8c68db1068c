// An agent whose credentials are kept in its own cluster, in the Secret where Karmada's agent has them; and a cluster in Pull
// mode that is taken out from the side of the control plane.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Cluster } from "../../api/cluster.ts";
import { type Listener, listen } from "../../fleets/apiserver/http/listener.ts";
import { createSimulatedCluster, type SimulatedCluster } from "../../fleets/simulator/simulated-cluster.ts";
import { findReady } from "../../reconciler/controllers/clusters/cluster-object.ts";
import { systemClock } from "../../runtime/clock.ts";
import { silentLogger } from "../../runtime/logger.ts";
import { ChildCommand, type CommandOutcome, runFlaghoist } from "./support/child-agent.ts";
import { eventually as within } from "./support/eventually.ts";
import { deployment, policy } from "./support/manifests.ts";
import { applyAll, type Plane, ref, startPlane } from "./support/plane.ts";
import { at } from "./support/reading.ts";

const NAME = "edge";
const CLUSTER = { apiVersion: "cluster.karmada.io/v1alpha1", kind: "Cluster", name: NAME };
const WEB = ref("apps/v1 Deployment", "default", "web");
const SECRET = ref("v1 Secret", "karmada-system", "karmada-kubeconfig");
const LIMIT_MS = 45_000;

function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return within(check, { withinMs: LIMIT_MS });
}

// One story, in the order in which it happens.
describe("an agent with its credentials in a Secret", { timeout: 2 * LIMIT_MS }, () => {
  const folder = mkdtempSync(join(tmpdir(), "flaghoist-agent-secret-"));
  const kubeconfig = join(folder, "member.yaml");
  let plane: Plane;
  let member: SimulatedCluster;
  let listener: Listener;
  let agent: ChildCommand;

  beforeAll(async () => {
    plane = await startPlane({ engine: "embedded", members: {} });
    member = await createSimulatedCluster({ name: NAME, clock: systemClock, logger: silentLogger, readyAfterMs: 20 });
    listener = await listen(member.served, {
      host: "127.0.0.1",
      port: 0,
      directory: join(folder, "member-pki"),
      clock: systemClock,
      logger: silentLogger,
    });
    writeFileSync(kubeconfig, listener.adminKubeconfig());
    const pace = ["--cluster-status-update-frequency=200ms", "--cluster-success-threshold=100ms", "--log-level=warn"];
    agent = new ChildCommand(["agent", "--cluster-name", NAME, "--kubeconfig", kubeconfig, ...pace], folder);
    await applyAll(
      plane.client,
      deployment({ namespace: "default", replicas: 2 }),
      // What is kept when a cluster leaves is nobody's: without this, it would be a conflict when the cluster returns.
      policy({ namespace: "default", spec: { conflictResolution: "Overwrite" } }),
    );
  }, LIMIT_MS);

  afterAll(async () => {
    await agent.kill();
    await listener.close();
    await member.close();
    await plane.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function register(): Promise<CommandOutcome> {
    const create = ["token", "create", "--print-register-command", "--kubeconfig", plane.kubeconfig];
    const made = await runFlaghoist(create, folder);
    const [, ...line] = made.out.trim().split(" ");
    return runFlaghoist([...line, "--cluster-name", NAME, "--kubeconfig", kubeconfig], folder);
  }

  function unregister(): Promise<CommandOutcome> {
    return runFlaghoist(["unregister", NAME, "--kubeconfig", kubeconfig], folder);
  }

  function unjoin(...more: readonly string[]): Promise<CommandOutcome> {
    return runFlaghoist(["unjoin", NAME, ...more, "--kubeconfig", plane.kubeconfig], folder);
  }

  async function drives(): Promise<void> {
    await eventually(async () => {
      const ready = findReady(await plane.client.get<Cluster>(CLUSTER))?.status;
      expect({ ready, log: agent.log }).toMatchObject({ ready: "True" });
    });
    await eventually(async () => expect(at(await member.client.find(WEB), "spec", "replicas")).toBe(2));
  }

  it("is registered into the Secret that Karmada's agent mounts, and not twice", async () => {
    expect(await register()).toMatchObject({ code: 0, out: expect.stringContaining("Secret karmada-system/") });

    const secret = await member.client.get(SECRET);
    const text = Buffer.from(String(at(secret, "data", "karmada-kubeconfig")), "base64").toString("utf8");
    expect(text).toContain(plane.control.url);
    expect(at(secret, "metadata", "labels")).toMatchObject({ "karmada.io/system": "true" });
    const again = await register();
    expect(again.code).toBe(1);
    expect(again.err).toMatch(/has credentials of a control plane already \(Secret karmada-system\/karmada-kubeconfig/);
  });

  it("drives its cluster by them", async () => {
    agent.start();
    await drives();
  });

  it("leaves what runs there when it is taken out with --keep-resources, and says what is left to do", async () => {
    const left = await unjoin("--keep-resources");

    expect(left).toMatchObject({ code: 0, err: "" });
    expect(left.out).toMatch(/no longer part of the fleet.*\n.*flaghoist unregister edge/);
    expect(await plane.client.find(CLUSTER)).toBeUndefined();
    const kept = await member.client.get(WEB);
    expect(at(kept, "spec", "replicas")).toBe(2);
    expect(Object.keys(kept.metadata.labels ?? {}).filter((key) => key.includes("karmada.io/managed"))).toEqual([]);
    await agent.kill();
  });

  it("has its credentials removed by unregister, although they open nothing any more", async () => {
    expect(await member.client.find(SECRET)).toBeDefined();

    expect(await unregister()).toMatchObject({ code: 0, err: "" });

    expect(await member.client.find(SECRET)).toBeUndefined();
    const again = await unregister();
    expect(again.code).toBe(1);
    expect(again.err).toMatch(/there are no credentials of a control plane/);
  });

  it("takes up the copies that it finds when it is registered again, and takes them out when it leaves", async () => {
    expect(await register()).toMatchObject({ code: 0 });
    const { uid } = (await member.client.get(WEB)).metadata;
    agent.start();
    await drives();
    await eventually(async () => expect(at(await plane.client.get(WEB), "status", "readyReplicas")).toBe(2));
    expect((await member.client.get(WEB)).metadata.uid).toBe(uid);

    expect(await unjoin()).toMatchObject({ code: 0, err: "" });

    expect(await member.client.find(WEB)).toBeUndefined();
    expect(await plane.client.find(CLUSTER)).toBeUndefined();
  });
});
