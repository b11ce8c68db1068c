// What we made in the store comes back when somebody deletes it.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ResourceBinding, Work } from "../../../api/work.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { deployment, policy } from "../../../test/builders.ts";
import { eventually } from "../../../test/e2e/support/eventually.ts";
import { applyAll, type Plane, ref, startPlane } from "../../../test/e2e/support/plane.ts";

let plane: Plane;

beforeAll(async () => {
  plane = await startPlane({ engine: "embedded", members: { "paris-1": {} } });
  const rule = policy({ name: "web", clusters: ["paris-1"] });
  await applyAll(
    plane.client,
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } },
    { ...rule, metadata: { name: "web", namespace: "shop" } },
    template(),
  );
  await eventually(async () => expect(await copy()).toBeDefined());
});

afterAll(() => plane?.close());

const WEB = ref("apps/v1 Deployment", "shop", "web");
const BINDING = ref("work.karmada.io/v1alpha2 ResourceBinding", "shop", "web-deployment");

function template(): KubeObject {
  const made = deployment({ replicas: 1 });
  return { ...made, metadata: { name: "web", namespace: "shop" } };
}

function copy(): Promise<KubeObject | undefined> {
  return plane.member("paris-1").client.find(WEB);
}

async function workOfWeb(): Promise<Work | undefined> {
  const { items } = await plane.client.list<Work>("work.karmada.io/v1alpha1", "Work", {
    namespace: "karmada-es-paris-1",
  });
  return items.find((work) => work.spec.workload?.manifests?.some((manifest) => manifest["kind"] === "Deployment"));
}

describe("self-healing", () => {
  it("makes a deleted Work anew, and with it the copy", async () => {
    const before = await workOfWeb();
    await plane.client.delete(ref("work.karmada.io/v1alpha1 Work", "karmada-es-paris-1", before?.metadata.name ?? ""));

    await eventually(async () => {
      const work = await workOfWeb();
      expect(work).toBeDefined();
      expect(work?.metadata.uid).not.toBe(before?.metadata.uid);
      expect(await copy()).toBeDefined();
    });
  });

  it("makes a deleted binding anew, and with it the copy", async () => {
    const before = await plane.client.get<ResourceBinding>(BINDING);
    await plane.client.delete(BINDING);

    await eventually(async () => {
      const now = await plane.client.find<ResourceBinding>(BINDING);
      expect(now?.metadata.uid).not.toBe(before.metadata.uid);
      expect(now?.spec.clusters).toEqual([{ name: "paris-1", replicas: 1 }]);
      expect((await copy())?.metadata.deletionTimestamp).toBeUndefined();
      expect(await copy()).toBeDefined();
    });
  });

  it("places a template that is made anew while the end of the old one is under way", async () => {
    for (let round = 0; round < 5; round++) {
      await plane.client.delete(WEB);
      // Each round meets the clearing away at another step.
      for (let turn = 0; turn < round * 3; turn++) await new Promise((resolve) => setImmediate(resolve));
      const anew = await plane.client.apply(template(), { fieldManager: "e2e-user", force: true });

      await eventually(async () => {
        const binding = await plane.client.find<ResourceBinding>(BINDING);
        expect(binding?.metadata.deletionTimestamp).toBeUndefined();
        expect(binding?.spec.resource.uid).toBe(anew.metadata.uid);
        expect(await copy()).toMatchObject({ status: { readyReplicas: 1 } });
      });
    }
  });
});
