// `drift`, `drift adopt` and `drift ignore`, against a control plane and a Git working tree.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "./support/eventually.ts";
import { flaghoist } from "./support/joinable-member.ts";
import { deployment, EVEN_WEIGHTS, namespaceObject, policy, sync } from "./support/manifests.ts";
import { applyAll, type Plane, ref, startPlane, THREE_CLUSTERS } from "./support/plane.ts";
import { at, readDeployment } from "./support/reading.ts";

const NS = "shop";
const WEB = ref("apps/v1 Deployment", NS, "web");
const IMAGE = "spec.template.spec.containers[web].image";
const FILE = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web   # the shop
spec:
  replicas: 6
  template:
    spec:
      containers:
        - name: web
          image: registry.example/web:1   # pinned
`;
const SYNC_FILE = `apiVersion: gitops.flaghoist.io/v1alpha1
kind: Sync
metadata: { name: apps, namespace: shop }
spec:
  # where it comes from
  sourceRef: { kind: GitRepository, name: shop }
  path: apps/shop
`;

let plane: Plane;
let tree: string;

beforeAll(async () => {
  tree = mkdtempSync(join(tmpdir(), "flaghoist-tree-"));
  mkdirSync(join(tree, ".git"));
  mkdirSync(join(tree, "apps", "shop"), { recursive: true });
  mkdirSync(join(tree, "deploy"));
  plane = await startPlane({ engine: "embedded", members: THREE_CLUSTERS });
  const annotations = { "gitops.flaghoist.io/drift": "report" };
  const labels = { "gitops.flaghoist.io/sync-name": "apps", "gitops.flaghoist.io/sync-namespace": NS };
  await applyAll(
    plane.client,
    namespaceObject(NS),
    sync(NS, "apps", { suspend: true, path: "apps/shop" }),
    policy({ namespace: NS, weights: EVEN_WEIGHTS }),
    deployment({ namespace: NS, annotations, labels }),
  );
  await eventually(async () => {
    expect(at(await readDeployment(plane.client, NS), "status")).toMatchObject({ readyReplicas: 6 });
  });
  for (const cluster of ["paris-1", "paris-2"])
    await plane.member(cluster).client.patch(
      WEB,
      [
        { op: "replace", path: "/spec/template/spec/containers/0/image", value: "registry.example/web:hotfix" },
        { op: "replace", path: "/spec/replicas", value: 5 },
      ],
      "json",
      { fieldManager: "kubectl-edit" },
    );
}, 120_000);

afterAll(async () => {
  await plane?.close();
  rmSync(tree, { recursive: true, force: true });
});

function run(...args: string[]) {
  writeFileSync(join(tree, "apps", "shop", "web.yaml"), FILE);
  writeFileSync(join(tree, "deploy", "sync.yaml"), SYNC_FILE);
  return flaghoist(plane, ...args);
}

function read(...path: string[]): string {
  return readFileSync(join(tree, ...path), "utf8");
}

describe("drift", () => {
  it("groups the clusters, says who and since when, and what can be done", async () => {
    await eventually(async () => {
      const { code, out } = await run("drift", "deployment/web", "-n", NS, "--exit-code");

      expect(code).toBe(3);
      expect(out).toContain("2 fields in 1 object differ from what is wanted, in 2 of 3 clusters.");
      expect(out).toMatch(/found "?registry\.example\/web:hotfix"? .*in paris-1, paris-2.*by kubectl-edit.*first seen/);
      expect(out).toContain("flaghoist drift adopt deployment/web -n shop");
    });
  });
});

describe("drift adopt", () => {
  it("changes the field in its file, as its author wrote it, and nothing else", async () => {
    const said = await run("drift", "adopt", "deployment/web", "-n", NS, "--field", IMAGE, "--tree", tree);

    expect(said).toMatchObject({ code: 0, err: "" });
    expect(said.out).toContain("web.yaml:11");
    expect(said.out).toContain("tokyo-1 will get it, too");
    expect(read("apps", "shop", "web.yaml")).toBe(FILE.replace("web:1 ", "web:hotfix "));
  });

  it("refuses what a policy decides, and says so", async () => {
    const said = await run("drift", "adopt", "deployment/web", "-n", NS, "--field", "spec.replicas", "--tree", tree);

    expect(said.code).toBe(1);
    expect(said.out).toContain("spec.replicas: the template says 6, and a policy or an override makes it 2");
    expect(read("apps", "shop", "web.yaml")).toBe(FILE);
  });

  it("writes nothing in a dry run, and says when there is nothing to adopt", async () => {
    const dry = await run("drift", "adopt", "deployment/web", "-n", NS, "--field", IMAGE, "--tree", tree, "--dry-run");
    const none = await run("drift", "adopt", "deployment/web", "-n", NS, "--clusters", "tokyo-1", "--tree", tree);

    expect(dry.out).toContain("Would adopt 1 field");
    expect(read("apps", "shop", "web.yaml")).toBe(FILE);
    expect(none).toMatchObject({ code: 1, err: expect.stringContaining("no field of Deployment shop/web differs") });
  });
});

describe("drift ignore", () => {
  it("writes the rule into the Sync's file, with which the plane then ignores the field", async () => {
    const said = await run("drift", "ignore", "deployment/web", "-n", NS, "--field", "spec.replicas", "--tree", tree);

    expect(said).toMatchObject({ code: 0, err: "" });
    const text = read("deploy", "sync.yaml");
    expect(text).toContain("  # where it comes from\n  sourceRef: { kind: GitRepository, name: shop }\n");
    expect(text).toContain("ignoreDifferences:");
    expect(text).toContain("/spec/replicas");

    const annotations = {
      "gitops.flaghoist.io/drift": "report",
      "gitops.flaghoist.io/drift-rules": '[{"mode":"ignore","jsonPointers":["/spec/replicas"]}]',
    };
    const labels = { "gitops.flaghoist.io/sync-name": "apps", "gitops.flaghoist.io/sync-namespace": NS };
    await applyAll(plane.client, deployment({ namespace: NS, annotations, labels }));
    await eventually(async () => {
      const { out } = await run("drift", "deployment/web", "-n", NS);
      expect(out).toContain("1 field in 1 object differs");
      expect(out).toContain(IMAGE);
    });
  });
});
