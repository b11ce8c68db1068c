// Kinds of one's own, understood by the scripts of ResourceInterpreterCustomizations; on both engines.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { featureGates } from "../../api/feature-gates.ts";
import type { KubeObject } from "../../kube/object.ts";
import { defineEverywhere } from "./support/define-kinds.ts";
import { eventually } from "./support/eventually.ts";
import { customization, customizationRef, MACHINE_API, MACHINE_SCRIPTS, machine } from "./support/machines.ts";
import { configMap, deployment, EVEN_WEIGHTS, namespaceObject, policy } from "./support/manifests.ts";
import { applyAll, engines, type Plane, ref, startPlane, THREE_CLUSTERS } from "./support/plane.ts";
import { at, readBinding, readDeployment, targetsOf } from "./support/reading.ts";

const POD = { spec: { containers: [{ name: "main", resources: { requests: { cpu: "250m", memory: "64Mi" } } }] } };

describe.each(engines())("customizations, store: %s", (engine) => {
  let plane: Plane;

  beforeAll(async () => {
    plane = await startPlane({
      engine,
      members: THREE_CLUSTERS,
      profile: { featureGates: featureGates({ MultiplePodTemplatesScheduling: true }) },
    });
    await defineEverywhere(plane, [`${MACHINE_API} Machine`]);
    await applyAll(plane.client, customization("machine", "Machine", MACHINE_SCRIPTS));
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
  });

  function machinesOf(kind = "Machine"): Record<string, unknown>[] {
    return [{ apiVersion: "acme.dev/v1", kind }];
  }

  async function deployMachine(namespace: string, spec: Record<string, unknown> = {}): Promise<void> {
    await applyAll(
      plane.client,
      namespaceObject(namespace),
      policy({ namespace, selectors: machinesOf(), weights: EVEN_WEIGHTS, spec: { propagateDeps: true } }),
      configMap(namespace, "conf"),
      machine(namespace, "press", { units: 6, config: "conf", template: POD, ...spec }),
    );
    await eventually(async () => {
      expect(await inMembers(namespace, "spec", "units")).toEqual([2, 2, 2]);
    });
  }

  function copy(member: string, namespace: string, name = "press", kind = "Machine"): Promise<KubeObject> {
    return plane.member(member).client.get(ref(`acme.dev/v1 ${kind}`, namespace, name));
  }

  /** A field of the copy in each member. */
  async function inMembers(namespace: string, ...path: string[]): Promise<unknown[]> {
    const copies = await Promise.all(plane.members.map(({ name }) => copy(name, namespace)));
    return copies.map((object) => at(object, ...path));
  }

  async function report(namespace: string, status: Record<string, unknown>): Promise<void> {
    for (const { client } of plane.members)
      await client.patch(ref("acme.dev/v1 Machine", namespace, "press"), { status }, "merge", {
        subresource: "status",
      });
  }

  function healthOf(binding: unknown): unknown[] {
    const items = at(binding, "status", "aggregatedStatus");
    return Array.isArray(items) ? items.map((item) => at(item, "health")) : [];
  }

  async function messagesOf(namespace: string, kind: string, reason: string): Promise<string[]> {
    const { items } = await plane.client.list("v1", "Event", {
      namespace,
      fieldSelector: `involvedObject.kind=${kind},reason=${reason}`,
    });
    return items.map((event) => String(event["message"]));
  }

  it("divides a workload by its scripts, and sums up status and health", async () => {
    await deployMachine("divided");

    const binding = await readBinding(plane, "divided", "press-machine");
    expect(binding.spec).toMatchObject({
      replicas: 6,
      replicaRequirements: { resourceRequest: { cpu: "250m", memory: "64Mi" } },
    });
    expect(targetsOf(binding)).toEqual({ "tokyo-1": 2, "paris-1": 2, "paris-2": 2 });

    await report("divided", { ready: 2, phase: "Up", noise: "not collected" });

    await eventually(async () => {
      const template = await plane.client.get(ref("acme.dev/v1 Machine", "divided", "press"));
      expect(template["status"]).toEqual({ ready: 6, clusters: "paris-1 paris-2 tokyo-1" });
      expect(at(template, "spec")).toEqual({ units: 6, config: "conf", template: POD });
    });
    const reported = await readBinding(plane, "divided", "press-machine");
    expect(at(reported, "status", "aggregatedStatus", 0, "status")).toEqual({ ready: 2, phase: "Up" });
    expect(healthOf(reported)).toEqual(["Healthy", "Healthy", "Healthy"]);
  });

  it("sends along what a script names as needed", async () => {
    await deployMachine("needing");

    await eventually(async () => {
      for (const { client } of plane.members) await client.get(ref("v1 ConfigMap", "needing", "conf"));
    });
  });

  it("leaves to the member what a script retains, and undoes other changes", async () => {
    await deployMachine("retained", { paused: false });

    const { client } = plane.member("paris-1");
    const change = { spec: { paused: true, units: 9 } };
    await client.patch(ref("acme.dev/v1 Machine", "retained", "press"), change, "merge", { fieldManager: "operator" });

    await eventually(async () => {
      expect(at(await copy("paris-1", "retained"), "spec")).toMatchObject({ paused: true, units: 2 });
    });
    // Also when the template changes otherwise.
    await plane.client.patch(ref("acme.dev/v1 Machine", "retained", "press"), { spec: { speed: 3 } }, "merge");
    await eventually(async () => {
      expect(at(await copy("paris-1", "retained"), "spec")).toMatchObject({ paused: true, units: 2, speed: 3 });
    });
  });

  it("takes the parts of a workload with several pod templates from a script", async () => {
    await defineEverywhere(plane, [`${MACHINE_API} Pipeline`]);
    const componentResource = `
local kube = require("kube")
function GetComponents(obj)
  local parts = {}
  for i, part in ipairs(obj.spec.parts) do
    parts[i] = {name = part.name, replicas = part.count, replicaRequirements = kube.accuratePodRequirements(part.template)}
  end
  return parts
end`;
    const parts = [
      { name: "manager", count: 1, template: POD },
      { name: "worker", count: 4, template: POD },
    ];

    await applyAll(
      plane.client,
      customization("pipeline", "Pipeline", { componentResource }),
      namespaceObject("parts"),
      policy({
        namespace: "parts",
        selectors: machinesOf("Pipeline"),
        placement: { spreadConstraints: [{ spreadByField: "cluster", minGroups: 1, maxGroups: 1 }] },
      }),
      machine("parts", "etl", { parts }, "Pipeline"),
    );

    const binding = await eventually(async () => {
      const found = await readBinding(plane, "parts", "etl-pipeline");
      expect(found.spec.clusters).toHaveLength(1);
      return found;
    });
    const replicaRequirements = { resourceRequest: { cpu: "250m", memory: "64Mi" } };
    expect(binding.spec.components).toEqual([
      { name: "manager", replicas: 1, replicaRequirements },
      { name: "worker", replicas: 4, replicaRequirements },
    ]);
    expect(binding.spec.replicas).toBeUndefined();
    const target = binding.spec.clusters?.[0]?.name ?? "";
    await eventually(async () => {
      expect(at(await copy(target, "parts", "etl", "Pipeline"), "spec", "parts")).toEqual(parts);
    });
  });

  it("goes before the built-in rules, and leaves to them when it is gone", async () => {
    const judged = [{ apiVersion: "apps/v1", kind: "Deployment" }];
    await applyAll(
      plane.client,
      namespaceObject("judged"),
      policy({ namespace: "judged", selectors: judged }),
      deployment({ namespace: "judged", replicas: 1 }),
    );
    const health = async (): Promise<unknown[]> => healthOf(await readBinding(plane, "judged", "web-deployment"));
    await eventually(async () => expect(await health()).toEqual(["Healthy", "Healthy", "Healthy"]));

    const healthInterpretation = 'function InterpretHealth(observed) return observed.metadata.name ~= "web" end';
    await applyAll(plane.client, customization("stern", "Deployment", { healthInterpretation }, "apps/v1"));
    await eventually(async () => expect(await health()).toEqual(["Unhealthy", "Unhealthy", "Unhealthy"]));

    await plane.client.delete(customizationRef("stern"));
    await eventually(async () => expect(await health()).toEqual(["Healthy", "Healthy", "Healthy"]));
    // Every cluster has a whole copy, and all of them are ready.
    expect(at(await readDeployment(plane.client, "judged"), "status", "readyReplicas")).toBe(1);
  });

  it("is refused where a script cannot be loaded, with its line, or another has the operation", async () => {
    const broken = customization("broken", "Robot", { retention: "function Retain(a, b)\n  return a b\nend" });
    const second = customization("second", "Machine", { retention: MACHINE_SCRIPTS.retention ?? "" });

    await expect(plane.client.create(broken)).rejects.toThrow(
      /spec\.customizations\.retention\.luaScript: Invalid value: .*line:2/,
    );
    await eventually(async () => {
      await expect(plane.client.create(second, { dryRun: true })).rejects.toThrow(
        /spec\.customizations\.retention: Forbidden: acme\.dev\/v1 Machine has it already, by machine/,
      );
    });
  });

  it("tells of a script that fails, and leaves what runs as it is", async () => {
    await defineEverywhere(plane, [`${MACHINE_API} Lathe`]);
    const { replicaResource = "", replicaRevision = "" } = MACHINE_SCRIPTS;
    await applyAll(
      plane.client,
      customization("lathe", "Lathe", { replicaResource, replicaRevision }),
      namespaceObject("failing"),
      policy({ namespace: "failing", selectors: machinesOf("Lathe"), weights: EVEN_WEIGHTS }),
      machine("failing", "old", { units: 3, template: POD }, "Lathe"),
    );
    const old = async (): Promise<unknown> => at(await copy("tokyo-1", "failing", "old", "Lathe"), "spec");
    await eventually(async () => expect(await old()).toEqual({ units: 1, template: POD }));

    const failing = "function GetReplicas(obj)\n  return obj.spec.missing.units\nend";
    await applyAll(plane.client, customization("lathe", "Lathe", { replicaResource: failing, replicaRevision }));
    await plane.client.patch(ref("acme.dev/v1 Lathe", "failing", "old"), { spec: { units: 9 } }, "merge");

    await eventually(async () => {
      const [message] = await messagesOf("failing", "Lathe", "GetReplicasFailed");
      expect(message).toMatch(/ResourceInterpreterCustomization lathe, line 2: attempt to index .* 'units'/);
    });
    await eventually(async () => {
      const messages = await messagesOf("default", "ResourceInterpreterCustomization", "ScriptFailed");
      expect(messages).toContainEqual(expect.stringMatching(/^InterpretReplica, line 2: attempt to index .* 'units'/));
    });
    expect((await readBinding(plane, "failing", "old-lathe")).spec.replicas).toBe(3);
    expect(await old()).toEqual({ units: 1, template: POD });
    // The rest of the fleet goes on.
    await applyAll(
      plane.client,
      policy({ namespace: "failing", name: "deployments", weights: EVEN_WEIGHTS }),
      deployment({ namespace: "failing", replicas: 3 }),
    );
    await eventually(async () => {
      expect(at(await readDeployment(plane.client, "failing"), "status", "readyReplicas")).toBe(3);
    });
    // Mended, the change that waited is taken up.
    await applyAll(plane.client, customization("lathe", "Lathe", { replicaResource, replicaRevision }));
    await eventually(async () => expect((await readBinding(plane, "failing", "old-lathe")).spec.replicas).toBe(9));
  });

  it("stops a script without end, while everything else goes on", async () => {
    await defineEverywhere(plane, [`${MACHINE_API} Robot`]);
    const healthInterpretation = "function InterpretHealth(observed)\n  while true do end\nend";
    await applyAll(
      plane.client,
      customization("robot", "Robot", { healthInterpretation }),
      namespaceObject("hostile"),
      policy({ namespace: "hostile", selectors: machinesOf("Robot") }),
      policy({ namespace: "hostile", name: "deployments", weights: EVEN_WEIGHTS }),
      ...Array.from({ length: 20 }, (_, index) => machine("hostile", `bot-${index}`, { index }, "Robot")),
      deployment({ namespace: "hostile", replicas: 3 }),
    );

    await eventually(async () => {
      expect(at(await readDeployment(plane.client, "hostile"), "status", "readyReplicas")).toBe(3);
    });
    // The copies are made all the same; only how they are is not known.
    await eventually(
      async () => {
        for (const index of [0, 19]) {
          expect(at(await copy("paris-2", "hostile", `bot-${index}`, "Robot"), "spec", "index")).toBe(index);
          expect(healthOf(await readBinding(plane, "hostile", `bot-${index}-robot`))).toEqual([
            "Unknown",
            "Unknown",
            "Unknown",
          ]);
        }
        const [message] = await messagesOf("hostile", "Robot", "InterpretHealthFailed");
        expect(message).toContain("ResourceInterpreterCustomization robot");
      },
      { withinMs: 40_000 },
    );
  });
});
