// What the commands tell of overrides: who overrides which field, from which commit, and what is in vain; on both engines.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { OverridePolicy } from "../../api/policy.ts";
import { hasGit } from "../git-server.ts";
import { type Ran, runFlaghoist } from "../run-flaghoist.ts";
import { eventually } from "./support/eventually.ts";
import { deployment, gitRepository, namespaceObject, policy, sync, yamlOf } from "./support/manifests.ts";
import { applyAll, engines, type Plane, startPlane, THREE_CLUSTERS } from "./support/plane.ts";
import { conditionOf, readSync } from "./support/reading.ts";
import { type ServedRepository, serveRepository } from "./support/repository.ts";

const NS = "shop";
const REGION = {
  fieldSelector: { matchExpressions: [{ key: "region", operator: "In" as const, values: ["eu-west"] }] },
};

function registryByRegion(value: string, name = "registry-by-region"): OverridePolicy {
  return {
    apiVersion: "policy.karmada.io/v1alpha1",
    kind: "OverridePolicy",
    metadata: { name, namespace: NS },
    spec: {
      resourceSelectors: [{ apiVersion: "apps/v1", kind: "Deployment", name: "web" }],
      overrideRules: [
        {
          targetCluster: REGION,
          overriders: { imageOverrider: [{ component: "Registry", operator: "replace", value }] },
        },
      ],
    },
  };
}

describe.runIf(hasGit()).each(engines())("overrides told by commands, store: %s", (engine) => {
  let plane: Plane;
  let repository: ServedRepository;
  let commit: string;

  beforeAll(async () => {
    plane = await startPlane({ engine, members: THREE_CLUSTERS });
    repository = await serveRepository();
    commit = repository.push("Two registries", {
      "apps/web.yaml": yamlOf(
        namespaceObject(NS),
        deployment({ namespace: NS, replicas: 2 }),
        policy({ namespace: NS }),
      ),
      "apps/overrides.yaml": yamlOf(registryByRegion("registry.eu.example")),
    });
    await applyAll(
      plane.client,
      namespaceObject(NS),
      gitRepository(NS, "shop", repository.url),
      sync(NS, "shop", { path: "apps" }),
    );
    await eventually(async () => {
      const ready = conditionOf(await readSync(plane, NS, "shop"), "Ready");
      expect(ready).toMatchObject({ status: "True", message: `Applied revision: main@sha1:${commit}` });
    });
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
    await repository?.close();
  });

  function flaghoist(...args: string[]): Promise<Ran> {
    return runFlaghoist(args, { cwd: repository.fixture.work, env: { FLAGHOIST_KUBECONFIG: plane.kubeconfig } });
  }

  it("explain names the rule, its file and its commit for every overridden field", async () => {
    await eventually(async () => {
      const { out } = await flaghoist("explain", "deployment/web", "-n", NS);
      const source = `← override shop/registry-by-region, rule 1 (apps/overrides.yaml:1, commit ${commit.slice(0, 7)})`;
      expect(out).toContain(`image registry.eu.example/web:1 (was registry.example/web:1) ${source}`);
      expect(out.split(source)).toHaveLength(3);
    });

    const { out } = await flaghoist("explain", "deployment/web", "-n", NS, "-o", "json");

    const { clusters } = JSON.parse(out) as { clusters: { cluster: string; overrides: unknown[] }[] };
    expect(clusters.find(({ cluster }) => cluster === "paris-1")?.overrides).toEqual([
      {
        path: "spec.template.spec.containers[web].image",
        old: "registry.example/web:1",
        value: "registry.eu.example/web:1",
        policy: { kind: "OverridePolicy", namespace: NS, name: "registry-by-region" },
        rule: 1,
        field: "spec.overrideRules[0].overriders.imageOverrider[0]",
        origin: { sync: "shop/shop", revision: `main@sha1:${commit}`, file: "apps/overrides.yaml:1" },
      },
    ]);
    expect(clusters.find(({ cluster }) => cluster === "tokyo-1")?.overrides).toEqual([]);
  });

  it("plan says by which rule a field changes, and what is written in vain", async () => {
    const vain = registryByRegion("x.example", "vain");
    vain.spec.resourceSelectors = [{ apiVersion: "apps/v1", kind: "Deployment", name: "wbe" }];
    // Not pushed, so that the control plane stays as it is.
    repository.fixture.commit("Another registry", {
      "apps/overrides.yaml": yamlOf(registryByRegion("fr.example"), vain),
    });

    const { code, out } = await flaghoist("plan", "apps", "--no-drift", "--base", "HEAD~1");

    expect(code).toBe(0);
    expect(out).toContain(
      "spec.template.spec.containers[web].image   registry.eu.example/web:1 → fr.example/web:1   in paris-1, paris-2   ← override shop/registry-by-region, rule 1 (apps/overrides.yaml:1)",
    );
    expect(out).toContain("OverridePolicy shop/vain");
    expect(out).toContain(
      "spec.resourceSelectors[0]: selects nothing: there is no apps/v1 Deployment wbe in namespace shop",
    );
    const json = JSON.parse((await flaghoist("plan", "apps", "--no-drift", "--base", "HEAD~1", "-o", "json")).out) as {
      findings: { rule: string }[];
    };
    expect(json.findings.map((finding) => finding.rule)).toEqual(["selects-nothing"]);
  });

  it("plan says which entry of a kustomization wrote a field that changes", async () => {
    const kustomization = (tag: string): string =>
      `resources: [web.yaml]\nimages: [{name: registry.example/web, newTag: "${tag}"}]\npatches: [{path: calm.yaml}]\n`;
    const calm = (seconds: number): string =>
      `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: ${NS}}\nspec: {minReadySeconds: ${seconds}}\n`;
    const web = yamlOf(namespaceObject(NS), deployment({ namespace: NS, replicas: 2 }), policy({ namespace: NS }));
    repository.fixture.commit("An overlay", {
      "overlay/kustomization.yaml": kustomization("1"),
      "overlay/web.yaml": web,
      "overlay/calm.yaml": calm(1),
    });
    repository.fixture.commit("Another image", {
      "overlay/kustomization.yaml": kustomization("2"),
      "overlay/calm.yaml": calm(5),
    });

    const { code, out } = await flaghoist("plan", "overlay", "--no-drift", "--base", "HEAD~1");

    expect(code).toBe(0);
    expect(out).toMatch(
      /containers\[web\]\.image {3}registry\.example\/web:1 → .*web:2.* ← overlay\/kustomization\.yaml:2 images\[0\]\n/,
    );
    expect(out).toMatch(
      /minReadySeconds {3}1 → 5 .*← overlay\/kustomization\.yaml:3 patches\[0\] \(overlay\/calm\.yaml\)\n/,
    );
    const { code: again, out: json } = await flaghoist(
      "plan",
      "overlay",
      "--no-drift",
      "--base",
      "HEAD~1",
      "-o",
      "json",
    );
    expect(again).toBe(0);
    const { objects } = JSON.parse(json) as { objects: { fields: { path: string; writer?: unknown }[] }[] };
    expect(objects[0]?.fields.find(({ path }) => path === "spec.minReadySeconds")?.writer).toEqual({
      what: "patch",
      name: "patches[0] (overlay/calm.yaml)",
      place: { file: "overlay/kustomization.yaml", line: 3 },
    });
  });

  it("lint finds the same in what is stored, and in a folder before it is", async () => {
    const vain = registryByRegion("x.example", "stored-vain");
    vain.spec.overrideRules = [
      { ...vain.spec.overrideRules?.[0], targetCluster: { clusterNames: ["mars-1"] }, overriders: {} },
    ];
    await applyAll(plane.client, vain);

    const stored = await flaghoist("lint", "--exit-code");
    const inFolder = await flaghoist("lint", "apps", "-o", "json");

    expect(stored.code).toBe(3);
    expect(stored.out).toContain("OverridePolicy shop/stored-vain");
    expect(stored.out).toContain("spec.overrideRules[0].targetCluster: means no cluster of the fleet");
    const { findings } = JSON.parse(inFolder.out) as { findings: { code: string; origin?: { file?: string } }[] };
    expect(findings.map(({ code, origin }) => [code, origin?.file])).toEqual([
      ["no-cluster", undefined],
      ["selects-nothing", expect.stringContaining("apps/overrides.yaml:")],
    ]);
  });
});
