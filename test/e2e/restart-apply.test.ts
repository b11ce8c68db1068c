// What the members are asked when the control plane starts anew over the same store.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Work } from "../../api/work.ts";
import type { ApiRequest } from "../../kube/client/transport.ts";
import { findCondition, isConditionTrue } from "../../kube/conditions.ts";
import type { KubeObject } from "../../kube/object.ts";
import { eventually } from "./support/eventually.ts";
import { applyAll, engines, type Plane, ref, startPlane } from "./support/plane.ts";

const POLICY = {
  apiVersion: "policy.karmada.io/v1alpha1",
  kind: "PropagationPolicy",
  metadata: { name: "everything", namespace: "default" },
  spec: {
    resourceSelectors: [
      { apiVersion: "v1", kind: "ConfigMap" },
      { apiVersion: "apps/v1", kind: "Deployment" },
    ],
    placement: { clusterAffinity: {} },
  },
};

function settings(color: string): KubeObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "settings", namespace: "default" }, data: { color } };
}

const WEB: KubeObject = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web", namespace: "default" },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: "web" } },
    template: {
      metadata: { labels: { app: "web" } },
      spec: { containers: [{ name: "web", image: "web:1", ports: [{ containerPort: 80 }] }] },
    },
  },
};

describe.each(engines())("a control plane that starts anew, on %s", (engine) => {
  let plane: Plane;

  beforeEach(async () => {
    plane = await startPlane({ engine, members: { "paris-1": {} } });
    await applyAll(plane.client, POLICY, settings("blue"), WEB);
    await eventually(async () => {
      const works = await worksOf();
      return (
        works.length === 2 &&
        works.every(
          ({ metadata, status }) =>
            isConditionTrue(status?.conditions, "Applied") &&
            findCondition(status?.conditions, "Applied")?.observedGeneration === metadata.generation,
        )
      );
    });
  });

  afterEach(() => plane.close());

  async function worksOf(): Promise<Work[]> {
    const { items } = await plane.client.list<Work>("work.karmada.io/v1alpha1", "Work", {
      namespace: "karmada-es-paris-1",
    });
    return items.filter(({ metadata }) => /^(settings|web)-/.test(metadata.name ?? ""));
  }

  /** Writes to the member from now on, dry runs among them. */
  function watchWrites(): string[] {
    const writes: string[] = [];
    const member = plane.member("paris-1");
    const { transport } = member;
    // Whoever connects from now on goes this way.
    Object.assign(member, {
      transport: (request: ApiRequest) => {
        if (request.method !== "GET") writes.push(`${request.method} ${request.path.split("?")[0]}`);
        return transport(request);
      },
    });
    return writes;
  }

  /** Whether the new process has looked at both copies. */
  function hasLooked(): boolean {
    const member = plane.control.fleet.get("paris-1")?.member;
    const copies = [ref("v1 ConfigMap", "default", "settings"), ref("apps/v1 Deployment", "default", "web")];
    return copies.every((copy) => member?.applied(copy) !== undefined);
  }

  it("sends nothing that has not changed", async () => {
    const writes = watchWrites();

    await plane.restart();
    await eventually(hasLooked);

    expect(writes).toEqual([]);
  });

  it("sends what changed meanwhile, in the store and in the member", async () => {
    const writes = watchWrites();

    await plane.restart(async (store) => {
      await store.apply(settings("green"), { fieldManager: "e2e-user", force: true });
      writes.length = 0;
      await plane
        .member("paris-1")
        .client.patch(ref("apps/v1 Deployment", "default", "web"), { spec: { replicas: 5 } }, "merge");
    });

    await eventually(async () => {
      const member = plane.member("paris-1").client;
      const data = (await member.get(ref("v1 ConfigMap", "default", "settings")))["data"];
      const spec = (await member.get(ref("apps/v1 Deployment", "default", "web")))["spec"] as { replicas: number };
      return (data as { color: string }).color === "green" && spec.replicas === 1;
    });
  });
});
