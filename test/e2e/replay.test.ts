// Decisions are kept with their bindings, saved to files, and decided again from them; on both engines.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../../reconciler/cli/main.ts";
import {
  DECISION_ANNOTATION,
  DECISION_FLEET_ANNOTATION,
} from "../../reconciler/scheduler/explanation/decision-record.ts";
import { parseTrace } from "../../reconciler/scheduler/explanation/trace-file.ts";
import { eventually } from "./support/eventually.ts";
import { deployment, namespaceObject, policy } from "./support/manifests.ts";
import { applyAll, engines, type Plane, startPlane, THREE_CLUSTERS } from "./support/plane.ts";
import { readBinding, targetsOf } from "./support/reading.ts";

const WEIGHTS = { "tokyo-1": 1, "paris-1": 2 };

async function flaghoist(
  plane: Plane,
  cwd: string,
  ...args: string[]
): Promise<{ code: number; out: string; err: string }> {
  let out = "";
  let err = "";
  const io = {
    out: (text: string) => {
      out += text;
    },
    err: (text: string) => {
      err += text;
    },
    isTerminal: false,
    env: { FLAGHOIST_KUBECONFIG: plane.kubeconfig },
    cwd,
  };
  const code = await runCli(args, io, new AbortController().signal);
  return { code, out, err };
}

async function untilPlaced(plane: Plane, ns: string, targets: Record<string, number>): Promise<void> {
  await eventually(async () => expect(targetsOf(await readBinding(plane, ns, "web-deployment"))).toEqual(targets));
}

describe.each(engines())("decisions that are kept, store: %s", (engine) => {
  let plane: Plane;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "flaghoist-replay-"));
    plane = await startPlane({ engine, members: THREE_CLUSTERS });
    await applyAll(
      plane.client,
      namespaceObject("shop"),
      policy({ namespace: "shop", weights: WEIGHTS }),
      deployment({ namespace: "shop", replicas: 6 }),
    );
    await untilPlaced(plane, "shop", { "tokyo-1": 2, "paris-1": 4 });
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("are saved to a file and come out the same again, bit for bit", async () => {
    const saved = await flaghoist(plane, folder, "explain", "deploy/web", "-n", "shop", "--save", "web.trace.gz");
    const replayed = await flaghoist(plane, folder, "replay", "web.trace.gz");

    expect(saved).toMatchObject({ code: 0, err: "" });
    expect(saved.out).toContain("; replay with: flaghoist replay web.trace.gz\n");
    expect(replayed).toMatchObject({ code: 0, err: "" });
    expect(replayed.out).toContain("The same again, bit for bit: paris-1 4 · tokyo-1 2\n");
  });

  // The kubeconfig of a real server says nothing of where this control plane keeps its data.
  it.runIf(engine === "embedded")("have the very inputs of then, as long as the control plane knows them", async () => {
    await flaghoist(plane, folder, "explain", "deploy/web", "-n", "shop", "--save", "true.trace");

    const { source, decision } = parseTrace(readFileSync(join(folder, "true.trace"), "utf8"), "true.trace");

    expect(source).toBe("fleet");
    // A record has no labels that the placement does not look at, and no capacity.
    expect(decision.clusters[0]?.metadata.labels).toEqual({ stage: "prod" });
    expect(decision.clusters[0]?.status?.resourceSummary?.allocatable).toHaveProperty("memory");
  });

  it("are those of then, also after a restart and when the fleet is another", async () => {
    await plane.restart();
    await plane.client.patch(
      { apiVersion: "cluster.karmada.io/v1alpha1", kind: "Cluster", name: "paris-1" },
      { spec: { taints: [{ key: "full", effect: "NoSchedule" }] } },
      "merge",
    );

    await flaghoist(plane, folder, "explain", "deploy/web", "-n", "shop", "--save", "later.trace");

    const { source, decision } = parseTrace(readFileSync(join(folder, "later.trace"), "utf8"), "later.trace");
    expect(source).toBe("record");
    expect(decision.clusters.map((cluster) => cluster.spec.taints ?? [])).toEqual([[], [], []]);
    expect(await flaghoist(plane, folder, "replay", "later.trace")).toMatchObject({ code: 0 });
  });

  it("cost no write of their own: what changes nothing leaves the binding as it is", async () => {
    const before = await readBinding(plane, "shop", "web-deployment");
    await applyAll(plane.client, deployment({ namespace: "shop", replicas: 7 }));
    await untilPlaced(plane, "shop", { "tokyo-1": 2, "paris-1": 5 });
    const after = await readBinding(plane, "shop", "web-deployment");

    // One for the change of the template, which carries clusters and record alike.
    expect((after.metadata.generation ?? 0) - (before.metadata.generation ?? 0)).toBe(1);
    expect(after.metadata.annotations?.[DECISION_ANNOTATION]).toContain('"reason":"6 of 7 replicas are placed"');
  });

  it("are refused a file when there is none to save", async () => {
    await applyAll(plane.client, namespaceObject("idle"), deployment({ namespace: "idle" }));

    const { code, err } = await flaghoist(plane, folder, "explain", "deploy/web", "-n", "idle", "--save", "x.trace");

    expect(code).toBe(1);
    expect(err).toContain("there is no decision to save: no policy places Deployment web");
  });
});

describe("a control plane with --compatibility karmada", () => {
  let plane: Plane;

  beforeAll(async () => {
    plane = await startPlane({ engine: "embedded", members: THREE_CLUSTERS, profile: { compatibility: "karmada" } });
  }, 60_000);

  afterAll(async () => {
    await plane?.close();
  });

  it("adds nothing to bindings", async () => {
    await applyAll(
      plane.client,
      namespaceObject("shop"),
      policy({ namespace: "shop", weights: WEIGHTS }),
      deployment({ namespace: "shop", replicas: 6 }),
    );
    await untilPlaced(plane, "shop", { "tokyo-1": 2, "paris-1": 4 });

    const annotations = (await readBinding(plane, "shop", "web-deployment")).metadata.annotations ?? {};
    expect(annotations[DECISION_ANNOTATION]).toBeUndefined();
    expect(annotations[DECISION_FLEET_ANNOTATION]).toBeUndefined();
  });
});
