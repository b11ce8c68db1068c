// What `flaghoist plan` finds in a change that would hurt, from real files against a control plane of which it reads a part.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PlanReport } from "../../api/plan-report.ts";
import type { KubeObject } from "../../kube/object.ts";
import { hasGit } from "../git-server.ts";
import { runFlaghoist } from "../run-flaghoist.ts";
import { eventually } from "./support/eventually.ts";
import { deployment, gitRepository, namespaceObject, policy, sync, yamlOf } from "./support/manifests.ts";
import { applyAll, engines, type Plane, startPlane, THREE_CLUSTERS } from "./support/plane.ts";
import { conditionOf, readSync } from "./support/reading.ts";
import { type ServedRepository, serveRepository } from "./support/repository.ts";

const NS = "shop";
const labels = { app: "web" };
const service = (selector: Record<string, string>) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "web", namespace: NS },
  spec: { selector, ports: [{ port: 80 }] },
});
const budget = {
  apiVersion: "policy/v1",
  kind: "PodDisruptionBudget",
  metadata: { name: "web", namespace: NS },
  spec: { minAvailable: 50, selector: { matchLabels: labels } },
};
const selectors = ["apps/v1 Deployment", "v1 Service", "policy/v1 PodDisruptionBudget"].map((text) => {
  const [apiVersion = "", kind = ""] = text.split(" ");
  return { apiVersion, kind };
});
const everything = { ...policy({ namespace: NS }), spec: { resourceSelectors: selectors, placement: {} } };

/** Where a file of the object has a field. */
function lineOf(object: KubeObject, field: string): number {
  const lines = yamlOf(object).split("\n");
  return 1 + lines.findIndex((line) => line.includes(`"${field}":`));
}

describe.runIf(hasGit()).each(engines())("findings of plans, store: %s", (engine) => {
  let plane: Plane;
  let repository: ServedRepository;

  beforeAll(async () => {
    plane = await startPlane({ engine, members: THREE_CLUSTERS });
    repository = await serveRepository();
    const commit = repository.push("A shop", {
      "apps/base.yaml": yamlOf(namespaceObject(NS), everything),
      "apps/web.yaml": yamlOf(deployment({ namespace: NS, replicas: 4 })),
      "apps/service.yaml": yamlOf(service(labels)),
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

  async function findingsOf(message: string, files: Record<string, string>): Promise<PlanReport["findings"]> {
    // Not pushed, so that the control plane stays as it is.
    repository.fixture.commit(message, files);
    const io = { cwd: repository.fixture.work, env: { FLAGHOIST_KUBECONFIG: plane.kubeconfig } };
    const { out } = await runFlaghoist(["plan", "apps", "--no-drift", "--base", "HEAD~1", "-o", "json"], io);
    return (JSON.parse(out) as PlanReport).findings;
  }

  it("finds budgets that cannot be kept and images without a version, each at its line", async () => {
    const late = deployment({ namespace: NS, name: "late", image: "registry.example/web:latest" });
    const found = await findingsOf("A budget and an image", {
      "apps/budget.yaml": yamlOf(budget),
      "apps/latest.yaml": yamlOf(late),
    });

    expect(found).toMatchObject([
      {
        rule: "budget-below-minimum",
        severity: "warning",
        place: { file: "apps/budget.yaml", line: lineOf(budget, "minAvailable") },
      },
      { rule: "image-tag", severity: "warning", place: { file: "apps/latest.yaml", line: lineOf(late, "image") } },
    ]);
  });

  it("finds that data and policies go, and that much goes", async () => {
    const found = await findingsOf("Away with it", {
      "apps/base.yaml": yamlOf(namespaceObject(NS)),
      "apps/web.yaml": "",
    });

    expect(found.map(({ rule }) => rule)).toEqual(expect.arrayContaining(["mass-prune", "selector-matches-nothing"]));
  });

  it("finds a selector in vain, with its file", async () => {
    const typo = service({ app: "wbe" });
    const found = await findingsOf("A typo", { "apps/service.yaml": yamlOf(typo) });

    expect(found).toMatchObject([
      {
        rule: "selector-matches-nothing",
        severity: "warning",
        place: { file: "apps/service.yaml", line: lineOf(typo, "selector") },
      },
    ]);
  });
});
