// A kind of one's own from Git: its definition, its scripts and its objects in one commit; and what commands say of it.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KubeObject } from "../../kube/object.ts";
import { hasGit } from "../git-server.ts";
import { type Ran, runFlaghoist } from "../run-flaghoist.ts";
import { definitionOf } from "./support/define-kinds.ts";
import { eventually } from "./support/eventually.ts";
import { customization, MACHINE_API, MACHINE_SCRIPTS, machine } from "./support/machines.ts";
import { EVEN_WEIGHTS, gitRepository, namespaceObject, policy, sync, yamlOf } from "./support/manifests.ts";
import { applyAll, engines, type Plane, ref, startPlane, THREE_CLUSTERS } from "./support/plane.ts";
import { at, conditionOf, readSync } from "./support/reading.ts";
import { type ServedRepository, serveRepository } from "./support/repository.ts";

const NS = "mills";
const SELECTORS = [{ apiVersion: "acme.dev/v1", kind: "Mill" }];

const DEFINITIONS_EVERYWHERE: KubeObject = {
  apiVersion: "policy.karmada.io/v1alpha1",
  kind: "ClusterPropagationPolicy",
  metadata: { name: "definitions" },
  spec: {
    resourceSelectors: [
      { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", name: "mills.acme.dev" },
    ],
    placement: {},
  },
};

function mill(units: number): KubeObject {
  const template = { spec: { containers: [{ name: "main" }] } };
  return machine(NS, "wind", { units, config: "conf", template }, "Mill");
}

describe.runIf(hasGit()).each(engines())("a kind of one's own from git, store: %s", (engine) => {
  let plane: Plane;
  let repository: ServedRepository;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "flaghoist-mills-"));
    repository = await serveRepository();
    plane = await startPlane({ engine, members: THREE_CLUSTERS });
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
    await repository?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function flaghoist(...args: string[]): Promise<Ran> {
    return runFlaghoist(args, { cwd: folder, env: { FLAGHOIST_KUBECONFIG: plane.kubeconfig } });
  }

  function write(path: string, ...objects: KubeObject[]): void {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), yamlOf(...objects));
  }

  /** Over those that served the kind when the mill was placed, which hangs on who was first to tell. */
  async function unitsInMembers(): Promise<number> {
    let sum = 0;
    for (const { client } of plane.members) {
      if ((await client.mapper.find("acme.dev/v1", "Mill")) === undefined) continue;
      const copy = await client.find(ref("acme.dev/v1 Mill", NS, "wind"));
      sum += Number(at(copy, "spec", "units") ?? 0);
    }
    return sum;
  }

  it("is divided at the first attempt", async () => {
    const commit = repository.push("Run mills", {
      "mill.yaml": yamlOf(mill(6)),
      "mills.yaml": yamlOf(definitionOf(`${MACHINE_API} Mill`), customization("mill", "Mill", MACHINE_SCRIPTS)),
      "policies.yaml": yamlOf(
        namespaceObject(NS),
        DEFINITIONS_EVERYWHERE,
        policy({ namespace: NS, selectors: SELECTORS, weights: EVEN_WEIGHTS }),
      ),
    });
    await applyAll(plane.client, namespaceObject(NS), gitRepository(NS, "mills", repository.url), sync(NS, "mills"));

    await eventually(
      async () => {
        expect(conditionOf(await readSync(plane, NS, "mills"), "Ready")).toMatchObject({
          status: "True",
          message: `Applied revision: main@sha1:${commit}`,
        });
        expect(await unitsInMembers()).toBe(6);
      },
      { withinMs: 18_000 },
    );
  });

  it("is refused with file and line when a script does not load, and goes on as it was", async () => {
    const broken = customization("mill", "Mill", {
      ...MACHINE_SCRIPTS,
      retention: "function Retain(a, b)\n  retur a\nend",
    });
    repository.push("Break it", { "mills.yaml": yamlOf(definitionOf(`${MACHINE_API} Mill`), broken) });

    await eventually(async () => {
      const ready = conditionOf(await readSync(plane, NS, "mills"), "Ready");
      expect(ready?.status).toBe("False");
      expect(ready?.message).toMatch(/mills\.yaml:\d+: spec\.customizations\.retention\.luaScript: .*line:2/);
    });
    expect(await unitsInMembers()).toBe(6);
  });

  it("is planned by its scripts, those that would change included", async () => {
    write("more/mill.yaml", mill(9));
    const more = await flaghoist("plan", "more", "-o", "json");
    expect(more.code).toBe(0);
    expect(more.out).toMatch(/"path": "spec\.units"/);
    expect(more.out).not.toContain("units is not");

    const half = "function ReviseReplica(obj, desired)\n  obj.spec.units = desired / 2\n  return obj\nend";
    write("half/mill.yaml", customization("mill", "Mill", { ...MACHINE_SCRIPTS, replicaRevision: half }));
    const { out, code } = await flaghoist("plan", "half", "--exit-code");

    expect(code).toBe(3);
    expect(out).toMatch(/spec\.units/);
  });

  it("is explained, and its scripts are run by their name", async () => {
    write("mill.yaml", mill(4));

    const explained = await flaghoist("explain", "mill/wind", "-n", NS);
    const asked = await flaghoist(
      "interpret",
      "mill",
      "--operation",
      "interpretReplica",
      "--observed-file",
      "mill.yaml",
    );
    const checked = await flaghoist("interpret", "mill", "--check");

    expect(explained).toMatchObject({ code: 0, err: "" });
    expect(asked).toEqual({
      code: 0,
      out: "---\n# [1/2] replica:\n4\n---\n# [2/2] requires:\nnull\n",
      err: "answered by ResourceInterpreterCustomization mill\n",
    });
    expect(checked.code).toBe(0);
    expect(checked.out).toMatch(/SOURCE: mill\nTARGET: acme\.dev\/v1 Mill\n/);
  });
});
