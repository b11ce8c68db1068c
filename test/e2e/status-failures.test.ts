// A member whose copy says what nobody understands, on both engines.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KubeObject } from "../../kube/object.ts";
import { eventually } from "./support/eventually.ts";
import { deployment, namespaceObject, policy } from "./support/manifests.ts";
import { applyAll, engines, type Plane, ref, startPlane } from "./support/plane.ts";
import { at, readBinding, worksOf } from "./support/reading.ts";

const NAMESPACE = "unread";
const GENERATION = "resourcetemplate.karmada.io/generation";
const WEB = ref("apps/v1 Deployment", NAMESPACE, "web");

describe.each(engines())("a status that means nothing, store: %s", (engine) => {
  let plane: Plane;

  beforeAll(async () => {
    plane = await startPlane({ engine, members: { "paris-1": {}, "tokyo-1": {} }, memberLevel: "idle" });
    await applyAll(
      plane.client,
      namespaceObject(NAMESPACE),
      policy({ namespace: NAMESPACE, weights: { "paris-1": 1, "tokyo-1": 1 } }),
      // What others change in the members stays, so that the copy can be spoilt.
      deployment({ namespace: NAMESPACE, replicas: 4, annotations: { "gitops.flaghoist.io/drift": "pause" } }),
    );
    for (const member of ["paris-1", "tokyo-1"]) await report(member, 2);
    await eventually(async () => {
      expect(at(await plane.client.get(WEB), "status")).toMatchObject({ readyReplicas: 4 });
    });
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
  });

  async function report(member: string, ready: number): Promise<void> {
    const { client } = plane.member(member);
    const copy = await eventually(async () => {
      const found = await client.find(WEB);
      expect(found).toBeDefined();
      return found as KubeObject;
    });
    const counts = { replicas: 2, updatedReplicas: 2, readyReplicas: ready, availableReplicas: ready };
    const status = { observedGeneration: copy.metadata.generation, ...counts };
    await client.update({ ...copy, status }, { subresource: "status" });
  }

  async function messages(kind: string, namespace: string): Promise<string[]> {
    const { items } = await plane.client.list("v1", "Event", {
      namespace,
      fieldSelector: `involvedObject.kind=${kind}`,
    });
    return items.filter((event) => event["reason"] === "ReflectStatusFailed").map((event) => String(event["message"]));
  }

  it("is told of on the Work and on the template, and what was last read stays", async () => {
    await plane.member("paris-1").client.patch(WEB, { metadata: { annotations: { [GENERATION]: "many" } } }, "merge", {
      fieldManager: "somebody",
    });

    const problem = `annotation ${GENERATION} is not an integer: "many"`;
    await eventually(async () => {
      const [told] = await messages("Work", "karmada-es-paris-1");
      expect(told).toMatch(/^Reflect status for object\(Deployment\/unread\/web\) failed, err: /);
      expect(told).toContain(problem);
      expect((await messages("Deployment", NAMESPACE)).join()).toContain(`cluster paris-1: Reflect status for object`);
    });
    const [paris] = (await worksOf(plane, NAMESPACE)).filter(
      (work) => work.metadata.namespace === "karmada-es-paris-1",
    );
    expect(at(paris, "status", "manifestStatuses", 0, "status")).toMatchObject({ readyReplicas: 2 });
    expect(at(paris, "status", "manifestStatuses", 0, "health")).toBe("Healthy");
  });

  it("leaves the other cluster alone", async () => {
    await report("tokyo-1", 1);

    await eventually(async () => {
      expect(at(await plane.client.get(WEB), "status")).toMatchObject({ readyReplicas: 3 });
    });
    expect(await messages("Work", "karmada-es-tokyo-1")).toEqual([]);
  });

  it("is read again once it means something", async () => {
    await plane.member("paris-1").client.patch(WEB, { metadata: { annotations: { [GENERATION]: "1" } } }, "merge", {
      fieldManager: "somebody",
    });
    await report("paris-1", 0);

    await eventually(async () => {
      const binding = await readBinding(plane, NAMESPACE, "web-deployment");
      expect(at(binding, "status", "aggregatedStatus", 0)).toMatchObject({
        clusterName: "paris-1",
        health: "Unhealthy",
      });
    });
  });
});
