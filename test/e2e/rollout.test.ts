// `kubectl rollout status`, `kubectl wait` and `kubectl get` on the endpoint, for workloads that run in members; on both
// engines.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KubeObject } from "../../kube/object.ts";
import { eventually } from "./support/eventually.ts";
import { hasKubectl, Kubectl } from "./support/kubectl.ts";
import { deployment, namespaceObject, policy } from "./support/manifests.ts";
import { applyAll, engines, type Plane, startPlane } from "./support/plane.ts";

const KINDS = ["Deployment", "StatefulSet", "DaemonSet"] as const;
const WEIGHTS = { "paris-1": 1, "tokyo-1": 1 };

/** The same pods, under every kind of workload. */
function workload(kind: (typeof KINDS)[number], namespace: string): KubeObject {
  const made = deployment({ namespace, replicas: 2 });
  const { replicas, ...spec } = made["spec"] as Record<string, unknown>;
  if (kind === "DaemonSet") return { ...made, kind, spec };
  return { ...made, kind, spec: kind === "StatefulSet" ? { ...spec, replicas, serviceName: "web" } : made["spec"] };
}

const withKubectl = hasKubectl();
if (!withKubectl) console.info("skipped: there is no kubectl here");

describe.runIf(withKubectl).each(engines())("rollouts, store: %s", (engine) => {
  let plane: Plane;
  let kubectl: Kubectl;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "flaghoist-e2e-"));
    plane = await startPlane({ engine, members: { "paris-1": {}, "tokyo-1": {} } });
    kubectl = new Kubectl(plane.kubeconfig, folder);
    for (const [namespace, weights] of [["divided", WEIGHTS] as const, ["duplicated", undefined] as const]) {
      const selectors = KINDS.map((kind) => ({ apiVersion: "apps/v1", kind }));
      await applyAll(
        plane.client,
        namespaceObject(namespace),
        policy({ namespace, selectors, ...(weights === undefined ? {} : { weights }) }),
        ...KINDS.map((kind) => workload(kind, namespace)),
      );
    }
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(["divided", "duplicated"])("end, and are shown as they are: %s", async (namespace) => {
    const run = (...words: string[]): Promise<string> => kubectl.run(...words, "-n", namespace);

    expect(await run("rollout", "status", "deployment/web", "--timeout=15s")).toContain("successfully rolled out");
    expect(await run("rollout", "status", "daemonset/web", "--timeout=15s")).toContain("successfully rolled out");
    expect(await run("rollout", "status", "statefulset/web", "--timeout=15s")).toMatch(/complete/);
    expect(await run("wait", "--for=condition=Available", "deployment/web", "--timeout=15s")).toContain(
      "condition met",
    );
    await eventually(async () => {
      expect(await run("get", "deployment", "web", "--no-headers")).toMatch(/^web +2\/2 +2 +2 /);
      expect(await run("get", "statefulset", "web", "--no-headers")).toMatch(/^web +2\/2 /);
      expect(await run("get", "daemonset", "web", "--no-headers")).toMatch(/^web +6 +6 +6 +6 +6 /);
    });
  });
});
