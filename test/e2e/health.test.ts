// Whether Argo CD and Flux, looking at the endpoint, see how an object fares in its clusters: every built-in kind, on both
// engines.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type KubeObject, refOf } from "../../kube/object.ts";
import { argoHealth } from "../health/argocd.ts";
import { kstatus } from "../health/kstatus.ts";
import { eventually } from "./support/eventually.ts";
import { namespaceObject } from "./support/manifests.ts";
import { type HealthCase, healthCases } from "./support/member-states.ts";
import { applyAll, engines, type Plane, startPlane } from "./support/plane.ts";

const NAMESPACE = "health";
const MEMBERS = ["paris-1", "tokyo-1"] as const;
const CASES = healthCases(NAMESPACE);

/** A policy for all the objects, without a word of replicas: every cluster gets a whole copy. */
function everywhere(objects: readonly KubeObject[]): KubeObject {
  return {
    apiVersion: "policy.karmada.io/v1alpha1",
    kind: "ClusterPropagationPolicy",
    metadata: { name: "everywhere" },
    spec: {
      resourceSelectors: objects.map(({ apiVersion, kind, metadata }) => ({ apiVersion, kind, name: metadata.name })),
      placement: { clusterAffinity: { clusterNames: [...MEMBERS] } },
    },
  };
}

describe.each(engines())("health on the endpoint, store: %s", (engine) => {
  let plane: Plane;

  beforeAll(async () => {
    plane = await startPlane({ engine, members: { "paris-1": {}, "tokyo-1": {} }, memberLevel: "idle" });
    const objects = Object.values(CASES).map(({ object }) => object);
    await applyAll(plane.client, namespaceObject(NAMESPACE), everywhere(objects), ...objects);
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
  });

  /** Writes what a controller in that member would. */
  async function report({ object, isSilent }: HealthCase, member: string, status: HealthCase["well"]): Promise<void> {
    const { client } = plane.member(member);
    const copy = await eventually(async () => {
      const found = await client.find(refOf(object));
      expect(found).toBeDefined();
      return found as KubeObject;
    });
    if (isSilent !== true) await client.update({ ...copy, status: status(copy) }, { subresource: "status" });
  }

  async function shows({ object }: HealthCase, argo: string, flux: string): Promise<void> {
    await eventually(async () => {
      const template = await plane.client.get(refOf(object));
      const seen = { argo: argoHealth(template), flux: kstatus(template), status: template["status"] };
      expect(seen).toEqual({ argo, flux, status: template["status"] });
    });
  }

  describe.each(Object.entries(CASES))("%s", (_kind, one) => {
    const { underway, stuck } = one;
    const states = [
      ...(underway === undefined ? [] : [{ name: "is under way while it is so in one cluster", ...underway }]),
      ...(stuck === undefined ? [] : [{ name: "is in trouble once it is so in one cluster", ...stuck }]),
    ];

    it.each(states)("$name", async ({ status, argo, flux }) => {
      await report(one, "paris-1", one.well);
      await report(one, "tokyo-1", status);

      await shows(one, argo, flux);
    });

    it("is well once it is so in every cluster", async () => {
      for (const member of MEMBERS) await report(one, member, one.well);

      await shows(one, "Healthy", "Current");
    });
  });
});
