// The commands that tell people what is, why, and what would be: run as the command line runs them, over HTTP.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Cluster } from "../../api/cluster.ts";
import type { PlanReport } from "../../api/plan-report.ts";
import type { ResourceBinding } from "../../api/work.ts";
import type { KubeObject, ObjectRef } from "../../kube/object.ts";
import { stringifyYaml } from "../../kube/yaml.ts";
import { deployment, policy, weighted } from "../builders.ts";
import { type Ran, runFlaghoist } from "../run-flaghoist.ts";
import { eventually } from "./support/eventually.ts";
import { type Plane, startPlane, THREE_CLUSTERS } from "./support/plane.ts";

let plane: Plane;
let folder: string;

beforeAll(async () => {
  plane = await startPlane({ engine: "embedded", members: THREE_CLUSTERS });
  folder = mkdtempSync(join(tmpdir(), "flaghoist-commands-"));
}, 60_000);

afterAll(async () => {
  await plane.close();
  rmSync(folder, { recursive: true, force: true });
});

function flaghoist(...args: string[]): Promise<Ran> {
  return runFlaghoist(args, { cwd: folder, env: { FLAGHOIST_KUBECONFIG: plane.kubeconfig } });
}

function write(path: string, ...objects: readonly KubeObject[]): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), objects.map((object) => stringifyYaml(object)).join("---\n"));
}

/** As written in files: without what only a server knows. */
function asWritten(object: KubeObject): KubeObject {
  const { name, namespace, labels } = object.metadata;
  const own = Object.fromEntries(Object.entries(labels ?? {}).filter(([key]) => !key.includes("karmada.io/")));
  return {
    ...object,
    metadata: { name: name ?? "", ...(namespace === undefined ? {} : { namespace }), labels: own },
  };
}

const namespace: KubeObject = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } };
const placement = weighted({ "tokyo-1": 1, "paris-1": 2 });
const split = policy({ name: "split", placement, clusters: ["tokyo-1", "paris-1"] });
const web: ObjectRef = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "web" };

async function applyFolder(...objects: readonly KubeObject[]): Promise<void> {
  for (const object of objects) await plane.client.apply(asWritten(object), { fieldManager: "flaghoist", force: true });
}

async function placedReplicas(): Promise<Record<string, number>> {
  const ref = { ...web, apiVersion: "work.karmada.io/v1alpha2", kind: "ResourceBinding", name: "web-deployment" };
  const binding = await plane.client.find<ResourceBinding>(ref);
  return Object.fromEntries((binding?.spec.clusters ?? []).map((target) => [target.name, target.replicas ?? 0]));
}

describe("plan", () => {
  it("shows what a new folder would put where, and writes nothing", async () => {
    write("apps/shop.yaml", namespace, asWritten(split), asWritten(deployment({ replicas: 6 })));

    const { code, out } = await flaghoist("plan", "apps", "--exit-code");

    expect(code).toBe(3);
    expect(out).toContain("2 objects are created in 3 of 3 clusters, nothing is deleted.");
    expect(out).toContain("+ Deployment shop/web   paris-1 4, tokyo-1 2   (apps/shop.yaml:");
    expect(await plane.client.find(web)).toBeUndefined();
    expect(await plane.client.find({ apiVersion: "v1", kind: "Namespace", name: "shop" })).toBeUndefined();
  });

  it("says nothing changes once the folder is applied", async () => {
    await applyFolder(namespace, split, deployment({ replicas: 6 }));
    await eventually(async () => expect(await placedReplicas()).toEqual({ "paris-1": 4, "tokyo-1": 2 }));

    expect(await flaghoist("plan", "apps", "--exit-code")).toMatchObject({
      code: 0,
      out: expect.stringContaining("Nothing changes."),
    });
  });

  it("foretells the division that then comes about", async () => {
    const weights = {
      ...split,
      spec: { ...split.spec, placement: { ...split.spec.placement, ...weighted({ "tokyo-1": 3, "paris-1": 1 }) } },
    };
    write("apps/shop.yaml", namespace, asWritten(weights), asWritten(deployment({ replicas: 9 })));

    const { out } = await flaghoist("plan", "apps", "-o", "json");
    await applyFolder(namespace, weights, deployment({ replicas: 9 }));

    const web = (JSON.parse(out) as PlanReport).objects.find(({ object }) => object.kind === "Deployment");
    const foretold = Object.fromEntries(web?.placement?.clusters.map(({ cluster, after }) => [cluster, after]) ?? []);
    expect(Object.keys(foretold)).toHaveLength(2);
    await eventually(async () => expect(await placedReplicas()).toEqual(foretold));
  });

  it("names file, line and field of what would be refused", async () => {
    const spreadConstraints = [{ spreadByField: "cluster" as const, minGroups: 2, maxGroups: 1 }];
    write("broken/policy.yaml", asWritten(policy({ name: "bad", placement: { spreadConstraints } })));

    const { code, out } = await flaghoist("plan", "broken");

    expect(code).toBe(1);
    expect(out).toMatch(/broken\/policy\.yaml:13: spec\.placement\.spreadConstraints\[0\]: .*1 is lower than .*2/);
  });
});

describe("plan of a folder that a Sync applies", () => {
  const commands = "plan-sync";
  const entry = (name: string) => ({ id: `${commands}_${name}__ConfigMap`, v: "v1" });
  const own = { "gitops.flaghoist.io/sync-name": "plan", "gitops.flaghoist.io/sync-namespace": commands };
  const config = (name: string, metadata: Partial<KubeObject["metadata"]> = {}): KubeObject => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace: commands, ...metadata },
    data: {},
  });

  it("says which hooks run, what stays in spite of its removal, and what waits for a person", async () => {
    const gitops = "gitops.flaghoist.io/v1alpha1";
    // Suspended, so that nobody but the test says what it has applied.
    const sync: KubeObject = {
      apiVersion: gitops,
      kind: "Sync",
      metadata: { name: "plan", namespace: commands },
      spec: { sourceRef: { kind: "GitRepository", name: "none" }, path: "hooked", suspend: true },
    };
    await applyFolder({ ...namespace, metadata: { name: commands } }, sync);
    const keep = { "argocd.argoproj.io/sync-options": "Prune=false" };
    for (const object of [config("keeps", { labels: own, annotations: keep }), config("goes", { labels: own })])
      await plane.client.apply(object, { fieldManager: "flaghoist", force: true });
    const status = { inventory: { entries: ["keeps", "goes", "lost"].map(entry) } };
    const ref = { apiVersion: gitops, kind: "Sync", namespace: commands, name: "plan" };
    await plane.client.patch(ref, { status }, "merge", { subresource: "status" });
    const annotations = { "argocd.argoproj.io/hook": "PostSync" };
    const job = {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { generateName: "smoke-", namespace: commands, annotations },
      spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "smoke:1" }] } } },
    };
    write("hooked/all.yaml", job, config("stays"));

    const { code, out } = await flaghoist("plan", "hooked", "--exit-code", "--no-drift");

    expect(code).toBe(4);
    expect(out).toContain("Hooks that run:\n  PostSync    Job plan-sync/smoke-*   ✗ is placed by no policy");
    expect(out).toContain(
      "No longer in the source, and kept:\n  ConfigMap plan-sync/keeps   argocd.argoproj.io/sync-options: Prune=false",
    );
    expect(out).toContain("held: this change would delete 1 of 3 objects of Sync plan-sync/plan");
    expect(out).toContain("ConfigMap plan-sync/goes");
    expect(out).not.toContain("plan-sync/lost");
  });
});

describe("explain", () => {
  it("says where an object is, and why", async () => {
    const { code, out } = await flaghoist("explain", "deploy/web", "-n", "shop");

    expect(code).toBe(0);
    expect(out).toContain("web is on 2 of 3 clusters, as policy shop/split asks.");
    expect(out).toMatch(
      /paris-2 +refused +is not in the list of names \(spec\.placement\.clusterAffinity\.clusterNames\)/,
    );
    expect(out).toContain("How 9 replicas were divided: weights paris-1 1, tokyo-1 3 (static rules 1 and 2)");
  });

  it("gives the same as data", async () => {
    const { out } = await flaghoist("explain", "deployments.apps", "web", "-n", "shop", "-o", "json");

    expect(JSON.parse(out)).toMatchObject({ state: "placed", policy: { namespace: "shop", name: "split" } });
  });

  it("fails on what is not there", async () => {
    expect(await flaghoist("explain", "deploy/nope", "-n", "shop")).toMatchObject({ code: 1 });
    expect(await flaghoist("explain", "deploy/web", "-n", "shop", "--cluster", "oslo")).toMatchObject({ code: 1 });
    expect(await flaghoist("explain", "gadget/web")).toMatchObject({ code: 1 });
    expect(await flaghoist("explain", "deploy")).toMatchObject({ code: 2 });
  });
});

describe("drift", () => {
  it("tells who changed what, where drift is only reported", async () => {
    await plane.client.patch(web, { metadata: { annotations: { "gitops.flaghoist.io/drift": "report" } } }, "merge");
    const member = plane.member("paris-1").client;
    await eventually(async () => {
      const copy = await member.get(web);
      expect(copy.metadata.annotations?.["gitops.flaghoist.io/drift"]).toBe("report");
    });
    const before = await flaghoist("drift", "--exit-code");
    expect(before).toMatchObject({ code: 0, out: expect.stringContaining("No drift") });
    await member.patch(
      web,
      { spec: { paused: true, template: { metadata: { labels: { app: "web", extra: "mine" } } } } },
      "merge",
      {
        fieldManager: "someone",
      },
    );
    const edit = { spec: { template: { spec: { containers: [{ name: "web", image: "evil:1" }] } } } };
    await member.patch(web, edit, "strategic", { fieldManager: "someone" });

    const { code, out } = await flaghoist("drift", "deployment/web", "-n", "shop", "--exit-code");

    expect(code).toBe(3);
    expect(out).toContain("1 field in 1 object differs from what is wanted, in 1 of 3 clusters.");
    expect(out).toContain("spec.template.spec.containers[web].image");
    expect(out).toMatch(/wanted shop\/web:1 +found evil:1 +in paris-1 +by someone/);
  });
});

describe("join and unjoin", () => {
  it("takes a cluster out and leaves what runs there", async () => {
    const { code, out } = await flaghoist("unjoin", "paris-1", "--keep-resources");

    expect(out).toContain("paris-1 is no longer part of the fleet.");
    expect(code).toBe(0);
    expect(
      await plane.client.find({ apiVersion: "cluster.karmada.io/v1alpha1", kind: "Cluster", name: "paris-1" }),
    ).toBeUndefined();
    expect(
      await plane.client.find({ apiVersion: "v1", kind: "Secret", namespace: "karmada-cluster", name: "paris-1" }),
    ).toBeUndefined();
    expect(await plane.member("paris-1").client.find(web)).toBeDefined();
  });

  it("joins a cluster once, with its labels and place", async () => {
    writeFileSync(join(folder, "paris-1.yaml"), plane.control.memberKubeconfig("paris-1"));
    const file = ["--cluster-kubeconfig", "paris-1.yaml"];

    const dry = await flaghoist("join", "paris-1", ...file, "--dry-run");
    expect(dry).toMatchObject({ code: 0, out: expect.stringContaining("Nothing was written") });
    const joined = await flaghoist("join", "paris-1", ...file, "--region", "eu-west", "--label", "stage=prod");
    expect(joined).toMatchObject({ code: 0, out: expect.stringContaining("paris-1 is joined and ready") });
    const cluster = await plane.client.get<Cluster>({
      apiVersion: "cluster.karmada.io/v1alpha1",
      kind: "Cluster",
      name: "paris-1",
    });
    expect(cluster).toMatchObject({
      metadata: { labels: { stage: "prod" } },
      spec: { region: "eu-west", syncMode: "Push" },
    });
    const twice = await flaghoist("join", "paris-9", ...file);
    expect(twice).toMatchObject({
      code: 1,
      err: expect.stringContaining("this cluster is joined already, as paris-1"),
    });
  });

  it("writes nothing for a cluster that does not answer", async () => {
    const text = plane.control.memberKubeconfig("paris-1").replace(/127\.0\.0\.1:\d+/g, "127.0.0.1:1");
    writeFileSync(join(folder, "nowhere.yaml"), text);

    const { code, err } = await flaghoist("join", "nowhere", "--cluster-kubeconfig", "nowhere.yaml");

    expect(code).toBe(1);
    expect(err).toContain("cannot be joined");
    expect(
      await plane.client.find({ apiVersion: "cluster.karmada.io/v1alpha1", kind: "Cluster", name: "nowhere" }),
    ).toBeUndefined();
    expect(
      await plane.client.find({ apiVersion: "v1", kind: "Secret", namespace: "karmada-cluster", name: "nowhere" }),
    ).toBeUndefined();
  });
});
