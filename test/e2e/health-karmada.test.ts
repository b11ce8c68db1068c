// With `compatibility: karmada` templates say what Karmada says, its gaps included; on both engines.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KubeObject } from "../../kube/object.ts";
import { refOf } from "../../kube/object.ts";
import { argoHealth } from "../health/argocd.ts";
import { kstatus } from "../health/kstatus.ts";
import { eventually } from "./support/eventually.ts";
import { namespaceObject, policy } from "./support/manifests.ts";
import { healthCases } from "./support/member-states.ts";
import { applyAll, engines, type Plane, startPlane } from "./support/plane.ts";
import { at } from "./support/reading.ts";

const NAMESPACE = "plain";
const MEMBERS = ["paris-1", "tokyo-1"] as const;
const { Deployment, StatefulSet, PodDisruptionBudget, HorizontalPodAutoscaler } = healthCases(NAMESPACE);
const CASES = [Deployment, StatefulSet, PodDisruptionBudget, HorizontalPodAutoscaler].filter(
  (one) => one !== undefined,
);
const MARKS = { "argocd.argoproj.io/tracking-id": "web:apps/Deployment:plain/web" };

describe.each(engines())("compatibility karmada, store: %s", (engine) => {
  let plane: Plane;

  beforeAll(async () => {
    plane = await startPlane({
      engine,
      members: { "paris-1": {}, "tokyo-1": {} },
      memberLevel: "idle",
      profile: { compatibility: "karmada" },
    });
    const objects = CASES.map(({ object }) => object);
    const selectors = objects.map(({ apiVersion, kind }) => ({ apiVersion, kind }));
    const marked = objects.map((one) => ({ ...one, metadata: { ...one.metadata, annotations: MARKS } }));
    await applyAll(plane.client, namespaceObject(NAMESPACE), policy({ namespace: NAMESPACE, selectors }), ...marked);
    for (const { object, well } of CASES) {
      for (const member of MEMBERS) {
        const { client } = plane.member(member);
        const copy = await eventually(async () => {
          const found = await client.find(refOf(object));
          expect(found).toBeDefined();
          return found as KubeObject;
        });
        await client.update({ ...copy, status: well(copy) }, { subresource: "status" });
      }
    }
  }, 120_000);

  afterAll(async () => {
    await plane?.close();
  });

  /** The template of a kind once both clusters have been counted. */
  async function template(kind: string, counter: string, sum: number): Promise<KubeObject> {
    const { object } = CASES.find((one) => one.object.kind === kind) ?? CASES[0] ?? { object: undefined };
    return eventually(async () => {
      const found = await plane.client.get(refOf(object as KubeObject));
      expect(at(found, "status", counter)).toBe(sum);
      return found;
    });
  }

  it("adds up copies, and gives a Deployment no conditions, so that Flux waits for ever", async () => {
    const web = await template("Deployment", "readyReplicas", 4);

    expect(at(web, "status")).toEqual({
      observedGeneration: web.metadata.generation,
      replicas: 4,
      updatedReplicas: 4,
      readyReplicas: 4,
      availableReplicas: 4,
    });
    expect(kstatus(web)).toBe("InProgress");
  });

  it("never observes a StatefulSet", async () => {
    const web = await template("StatefulSet", "readyReplicas", 4);

    expect(at(web, "status", "observedGeneration") ?? 0).toBe(0);
    expect(argoHealth(web)).toBe("Progressing");
  });

  it("drops the conditions of budgets and autoscalers", async () => {
    const budget = await template("PodDisruptionBudget", "currentHealthy", 4);
    const scaler = await template("HorizontalPodAutoscaler", "currentReplicas", 4);

    expect([budget, scaler].map((one) => at(one, "status", "conditions") ?? [])).toEqual([[], []]);
    expect([budget, scaler].map(argoHealth)).toEqual(["Progressing", "Progressing"]);
  });

  it("propagates what other tools write on templates", async () => {
    const copy = await plane.member("paris-1").client.get(refOf((Deployment ?? CASES[0])?.object as KubeObject));

    expect(copy.metadata.annotations).toMatchObject(MARKS);
  });
});
