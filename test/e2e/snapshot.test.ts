// A snapshot of the whole fleet, and the commands that answer from it as from the control plane.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createFleet } from "../../fleets/simulator/simulated-fleet.ts";
import { readSnapshot } from "../../fleets/simulator/snapshot/snapshot-file.ts";
import type { KubeObject } from "../../kube/object.ts";
import { hasGit } from "../git-server.ts";
import { type Ran, runFlaghoist } from "../run-flaghoist.ts";
import { eventually } from "./support/eventually.ts";
import { deployment, gitRepository, namespaceObject, policy, sync, yamlOf } from "./support/manifests.ts";
import { applyAll, engines, type Plane, ref, startPlane, THREE_CLUSTERS } from "./support/plane.ts";
import { type ServedRepository, serveRepository } from "./support/repository.ts";

const NS = "shop";
const PASSWORD = Buffer.from("correct horse battery staple").toString("base64");

function password(): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "db", namespace: NS },
    type: "Opaque",
    data: { password: PASSWORD },
  };
}

describe.runIf(hasGit())("a snapshot of the fleet", () => {
  let plane: Plane;
  let repository: ServedRepository;
  let folder: string;
  let file: string;
  let taken: Ran;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "flaghoist-snapshot-"));
    file = join(folder, "fleet.snapshot");
    plane = await startPlane({ engine: "embedded", members: THREE_CLUSTERS });
    repository = await serveRepository();
    repository.push("A shop", {
      "apps/web.yaml": yamlOf(
        namespaceObject(NS),
        password(),
        deployment({ namespace: NS, replicas: 6 }),
        policy({ namespace: NS }),
      ),
    });
    await applyAll(
      plane.client,
      namespaceObject(NS),
      gitRepository(NS, "shop", repository.url),
      sync(NS, "shop", { path: "apps" }),
    );
    await eventually(async () => {
      for (const member of plane.members) {
        const { status } = (await member.client.get(ref("apps/v1 Deployment", NS, "web"))) as KubeObject & {
          status?: { readyReplicas?: number };
        };
        expect(status?.readyReplicas).toBe(6);
      }
    });
    taken = await flaghoist("snapshot", file);
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
    await repository?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function flaghoist(...args: string[]): Promise<Ran> {
    return runFlaghoist(args, { cwd: repository.fixture.work, env: { FLAGHOIST_KUBECONFIG: plane.kubeconfig } });
  }

  /** Without ages, and without what only a running program knows of its last decisions. */
  function timeless({ out, ...rest }: Ran): Ran {
    const lines = out.split("\n").filter((line) => !line.startsWith("Decided "));
    return {
      ...rest,
      out: lines
        .join("\n")
        .replace(/\b\d+(s|m|m\d+s)\b/g, "AGE")
        .trim(),
    };
  }

  it("has the objects of the control plane and of every cluster", async () => {
    expect(taken).toMatchObject({ code: 0, err: "" });
    const snapshot = await readSnapshot(file);

    const names = (part: string | undefined): string[] =>
      (part === undefined ? snapshot.controlPlane : snapshot.clusters.get(part))?.objects.map(
        ({ object }) => `${object.kind} ${object.metadata.name}`,
      ) ?? [];
    expect(names(undefined)).toEqual(
      expect.arrayContaining(["Deployment web", "PropagationPolicy everywhere", "Cluster tokyo-1", "Sync shop"]),
    );
    expect(names("tokyo-1")).toEqual(expect.arrayContaining(["Deployment web", "Node tokyo-1-node-0"]));
    expect(names("tokyo-1").filter((name) => name.startsWith("Pod "))).toHaveLength(6);
    expect([...snapshot.clusters.keys()].sort()).toEqual(["paris-1", "paris-2", "tokyo-1"]);
  });

  it("has no value of a Secret, wherever it stands", () => {
    const text = gunzipSync(readFileSync(file)).toString("utf8");
    expect(text).not.toContain(PASSWORD);
    expect(text).not.toContain("client-key-data");
    expect(text).toContain('"password"');
  });

  it.each([
    ["explain", ["explain", "deployment/web", "-n", NS]],
    ["get", ["get", "deployments", "-n", NS]],
    ["plan", ["plan", "apps", "--no-drift"]],
    ["lint", ["lint", "apps"]],
  ])("%s answers from it as from the control plane", async (_command, args) => {
    const live = await flaghoist(...args);
    const still = await flaghoist(...args, "--snapshot", file);

    expect(timeless(still)).toEqual(timeless(live));
    expect(live.out).not.toBe("");
  });

  it("begins a simulated fleet, in which a failure can be tried", async () => {
    const fleet = await createFleet({ snapshot: await readSnapshot(file), pace: "stepped" });
    try {
      expect([...fleet.clusters.keys()]).toEqual(["paris-1", "paris-2", "tokyo-1"]);
      const tokyo = fleet.cluster("tokyo-1");
      expect(tokyo.facts).toMatchObject({ region: "ap-northeast", provider: "aws" });
      const web = ref("apps/v1 Deployment", NS, "web");
      const uid = (await plane.member("tokyo-1").client.get(web)).metadata.uid;
      await fleet.clock.advance(60_000);
      expect(await tokyo.client.get(web)).toMatchObject({ metadata: { uid }, status: { readyReplicas: 6 } });

      const target = { clusters: ["tokyo-1"], nodes: ["tokyo-1-node-0"] };
      fleet.faults.begin({ type: "node-down", target });
      await fleet.clock.advance(600_000);

      const pods = (await tokyo.client.list("v1", "Pod", { namespace: NS })).items;
      const away = pods.filter((pod) => (pod["spec"] as { nodeName: string }).nodeName !== "tokyo-1-node-0");
      expect(away).toHaveLength(6);
    } finally {
      await fleet.close();
    }
  });

  it("plan tells of a change what it would do, and what a failure would do then", async () => {
    repository.fixture.write({
      "apps/web.yaml": yamlOf(
        namespaceObject(NS),
        password(),
        deployment({ namespace: NS, replicas: 9 }),
        policy({ namespace: NS }),
      ),
    });
    const live = await flaghoist("plan", "apps", "--no-drift");
    const still = await flaghoist("plan", "apps", "--no-drift", "--snapshot", file);

    expect(still).toEqual(live);
    expect(still.out).toContain("replicas");
  });

  it("drift is that of the members as they were", async () => {
    const { out, code } = await flaghoist("drift", "--snapshot", file);

    expect(code).toBe(0);
    expect(out).toContain("in 3 clusters are as wanted");
  });

  it.each<[string, (text: string) => string | Buffer, RegExp]>([
    [
      "of another format",
      (text) => text.replace('"format":1', '"format":2'),
      /has format 2, taken by Flaghoist .*; this version reads format 1/,
    ],
    ["cut short", (text) => text.slice(0, text.length / 2), /line \d+ is no JSON object|was cut short after line \d+/],
    [
      "cut short while compressed",
      (text) => gzipSync(text).subarray(0, 4000),
      /cannot be read: unexpected end of file/,
    ],
    ["of something else", () => "apiVersion: v1\nkind: Config\n", /this is no snapshot/],
    [
      "with a line lost",
      (text) => text.split("\n").toSpliced(5, 1).join("\n"),
      /says that it has \d+ objects of 4 servers/,
    ],
  ])("a file %s is refused with what is wrong", async (_what, spoil, words) => {
    const spoilt = join(folder, "spoilt");
    writeFileSync(spoilt, spoil(gunzipSync(readFileSync(file)).toString("utf8")));

    const { code, err } = await flaghoist("explain", "deployment/web", "-n", NS, "--snapshot", spoilt);

    expect(code).toBe(1);
    expect(err).toMatch(words);
    expect(err).toContain(spoilt);
  });

  it("is not written over another file unless asked, and leaves nothing behind when it fails", async () => {
    const again = await flaghoist("snapshot", file);
    expect(again).toMatchObject({ code: 1, err: expect.stringContaining("replace it with --force") });

    const refused = await flaghoist("snapshot", join(folder, "other"), "--clusters", "rome-1");
    expect(refused.err).toContain("there is no cluster rome-1");
  });

  it("names a cluster that does not answer, and does without it", async () => {
    const partial = join(folder, "partial");
    await plane.client.create({
      apiVersion: "cluster.karmada.io/v1alpha1",
      kind: "Cluster",
      metadata: { name: "berlin-1" },
      spec: { syncMode: "Push", apiEndpoint: "https://127.0.0.1:1" },
    });
    const { code, err } = await flaghoist("snapshot", partial);
    const snapshot = await readSnapshot(partial);

    expect(code).toBe(0);
    expect(err).toContain("warning: berlin-1: ");
    expect(snapshot.clusters.get("berlin-1")).toMatchObject({ unreachable: expect.any(String), objects: [] });
    expect(snapshot.clusters.get("paris-1")?.objects.length).toBeGreaterThan(10);
  });
});

describe.runIf(engines().includes("kubernetes"))("a snapshot of a control plane in a real API server", () => {
  it("answers without it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "flaghoist-snapshot-"));
    const file = join(folder, "plane.snapshot");
    const plane = await startPlane({ engine: "kubernetes", members: THREE_CLUSTERS });
    let closed = false;
    try {
      await applyAll(plane.client, namespaceObject(NS), policy({ namespace: NS }), deployment({ namespace: NS }));
      const run = (...args: string[]): Promise<Ran> =>
        runFlaghoist(args, { cwd: folder, env: { FLAGHOIST_KUBECONFIG: plane.kubeconfig } });
      await eventually(async () =>
        expect((await run("explain", "deployment/web", "-n", NS)).out).toContain("on 3 of 3 clusters"),
      );
      // Only this process reaches its simulated members.
      expect(await run("snapshot", file, "--clusters", "none")).toMatchObject({ code: 0, err: "" });
      await plane.close();
      closed = true;

      const still = await run("explain", "deployment/web", "-n", NS, "--snapshot", file);

      expect(still.out).toContain("on 3 of 3 clusters");
    } finally {
      if (!closed) await plane.close();
      rmSync(folder, { recursive: true, force: true });
    }
  }, 120_000);
});
