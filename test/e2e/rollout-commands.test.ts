// A rollout as people see and steer it: by the command line, over HTTP.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KubeObject } from "../../kube/object.ts";
import { type Ran, runFlaghoist } from "../run-flaghoist.ts";
import { eventually } from "./support/eventually.ts";
import { deployment, namespaceObject, policy } from "./support/manifests.ts";
import { applyAll, engines, type Plane, ref, startPlane, THREE_CLUSTERS } from "./support/plane.ts";

const BEFORE = "example/web:1";
const AFTER = "example/web:2";
const rollout = { waves: [{ name: "canary", clusterAffinity: { clusterNames: ["paris-1"] } }], minSuccessTime: "1h" };

let plane: Plane;
let folder: string;

function web(image: string): KubeObject {
  const made = deployment({ namespace: "shop", replicas: 2 });
  const { template, ...spec } = made["spec"] as { template: { spec: { containers: object[] } } };
  const containers = template.spec.containers.map((container) => ({ ...container, image }));
  return { ...made, spec: { ...spec, template: { ...template, spec: { ...template.spec, containers } } } };
}

function placed(settings: object | undefined): KubeObject {
  const made = policy({ namespace: "shop" });
  const spec = made["spec"] as { placement?: object };
  const placement = { ...spec.placement, ...(settings === undefined ? {} : { flaghoist: { rollout: settings } }) };
  return { ...made, spec: { ...spec, placement } };
}

function flaghoist(...args: string[]): Promise<Ran> {
  return runFlaghoist([...args, "-n", "shop"], { cwd: folder, env: { FLAGHOIST_KUBECONFIG: plane.kubeconfig } });
}

async function images(): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const member of plane.members) {
    const copy = await member.client.find(ref("apps/v1 Deployment", "shop", "web"));
    const spec = copy?.["spec"] as { template: { spec: { containers: { image: string }[] } } } | undefined;
    found[member.name] = spec?.template.spec.containers[0]?.image ?? "";
  }
  return found;
}

const OLD = { "tokyo-1": BEFORE, "paris-1": BEFORE, "paris-2": BEFORE };

describe.each(engines())("flaghoist rollout, store: %s", (engine) => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "flaghoist-rollout-"));
    plane = await startPlane({ engine, members: THREE_CLUSTERS });
    await applyAll(plane.client, namespaceObject("shop"), placed(undefined), web(BEFORE));
    await eventually(async () => expect(await images()).toEqual(OLD));
  }, 60_000);

  afterAll(async () => {
    await plane?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("says so where there is none", async () => {
    expect(await flaghoist("rollout", "status", "deployment/web")).toMatchObject({
      code: 1,
      err: expect.stringContaining("its policy has no placement.flaghoist.rollout"),
    });
  });

  it("shows a change that waits in its first wave: in status, get and explain", async () => {
    await applyAll(plane.client, placed(rollout));
    await eventually(async () => expect((await flaghoist("rollout", "status", "deployment/web")).code).toBe(0));
    await applyAll(plane.client, web(AFTER));
    await eventually(async () => expect(await images()).toEqual({ ...OLD, "paris-1": AFTER }));

    await eventually(async () => {
      const { code, out } = await flaghoist("rollout", "status", "deployment/web");
      expect(code).toBe(0);
      expect(out).toContain("wave canary (1 of 2): 0 of 3 clusters done");
      expect(out).toMatch(/canary +paris-1 +in progress +\w{10} +\d+s +healthy, being watched/);
      expect(out).toMatch(/rest +tokyo-1 +waits +\w{10}/);
    });
    expect((await flaghoist("get", "deployments")).out).toMatch(/shop +web +\d\/2 ready, rolling out/);
    expect((await flaghoist("get", "resourcebindings")).out).toMatch(/RolledOut False: revision \w+, wave canary/);
    const { out } = await flaghoist("explain", "deployment/web");
    expect(out).toMatch(/Rollout, wave canary: paris-1 in progress \(revision \w+\)/);
    expect(out).toContain("RolledOut");
  });

  it("pauses and resumes", async () => {
    expect(await flaghoist("rollout", "pause", "deployment/web")).toMatchObject({
      code: 0,
      out: "deployment/web -n shop is paused; to go on: flaghoist rollout resume deployment/web -n shop\n",
    });
    await eventually(async () => expect((await flaghoist("rollout", "status", "deployment/web")).code).toBe(4));
    expect((await flaghoist("get", "deployments")).out).toContain("rollout paused");
    expect(await flaghoist("rollout", "resume", "deployment/web")).toMatchObject({ code: 0 });
    await eventually(async () => expect((await flaghoist("rollout", "status", "deployment/web")).code).toBe(0));
  });

  it("aborts, so that every cluster returns, and tries again", async () => {
    expect(await flaghoist("rollout", "abort", "deployment/web")).toMatchObject({
      code: 0,
      out: expect.stringMatching(/is aborted: every cluster returns to revision \w+\n/),
    });
    await eventually(async () => expect(await images()).toEqual(OLD));
    await eventually(async () => {
      const { code, out } = await flaghoist("rollout", "status", "deployment/web");
      expect(code).toBe(4);
      expect(out).toContain("was aborted: every cluster is back at revision");
    });

    expect(await flaghoist("rollout", "retry", "deployment/web")).toMatchObject({ code: 0 });
    await eventually(async () => expect(await images()).toEqual({ ...OLD, "paris-1": AFTER }));
  });

  it("has nothing to abort once the change is everywhere", async () => {
    await applyAll(plane.client, placed({ ...rollout, minSuccessTime: "0s" }));
    await eventually(async () => {
      expect((await flaghoist("rollout", "status", "deployment/web")).out).toContain("is everywhere (3 clusters)");
    });

    expect(await flaghoist("rollout", "abort", "deployment/web")).toMatchObject({
      code: 1,
      err: expect.stringContaining("is rolled out already: to go back, revert it in Git"),
    });
  });
});
