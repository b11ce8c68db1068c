// A custom resource that nobody told us anything about, whose controller runs only in the members: kstatus, by which Flux
// and Helm wait, must not wait for ever at the endpoint; on both engines.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KubeObject } from "../../kube/object.ts";
import { progressOf } from "../../reconciler/interpreter/third-party/rules/kstatus.ts";
import { defineEverywhere } from "./support/define-kinds.ts";
import { eventually } from "./support/eventually.ts";
import { namespaceObject, policy } from "./support/manifests.ts";
import { applyAll, engines, type Plane, ref, startPlane } from "./support/plane.ts";

const MEMBERS = { "tokyo-1": { region: "asia" }, "paris-1": { region: "europe" } };
const WIDGET = "example.com/v1 Widget";
const NOW = "2026-01-01T00:00:00Z";

describe.each(engines())("a kind that nobody knows on the %s engine", (engine) => {
  let plane: Plane;

  beforeAll(async () => {
    plane = await startPlane({ engine, members: MEMBERS });
    await defineEverywhere(plane, [WIDGET]);
    await applyAll(
      plane.client,
      namespaceObject("shop"),
      policy({
        namespace: "shop",
        name: "widgets",
        selectors: [{ apiVersion: "example.com/v1", kind: "Widget" }],
        clusters: Object.keys(MEMBERS),
      }),
      { apiVersion: "example.com/v1", kind: "Widget", metadata: { name: "web", namespace: "shop" }, spec: { size: 1 } },
    );
  });

  afterAll(() => plane.close());

  /** What the controller of a member does once it has seen the copy as it is. */
  async function work(index: number, ready: string): Promise<void> {
    const client = plane.members[index]?.client;
    await eventually(async () => {
      const copy = await client?.get<KubeObject>(ref(WIDGET, "shop", "web"));
      const generation = copy?.metadata.generation;
      const condition = { type: "Ready", status: ready, reason: "Done", message: "done", lastTransitionTime: NOW };
      await client?.patch(
        ref(WIDGET, "shop", "web"),
        { status: { observedGeneration: generation, conditions: [condition] } },
        "merge",
        { subresource: "status" },
      );
    });
  }

  const read = async (): Promise<KubeObject> => await plane.client.get<KubeObject>(ref(WIDGET, "shop", "web"));

  it("is Current at the endpoint once it is in every member", async () => {
    await work(0, "True");
    await eventually(async () => {
      expect((await read())["status"]).toMatchObject({ conditions: [{ type: "Ready", status: "Unknown" }] });
    });

    await work(1, "True");

    await eventually(async () => {
      const template = await read();
      expect(template["status"]).toMatchObject({
        observedGeneration: template.metadata.generation,
        conditions: [{ type: "Ready", status: "True", message: "done" }],
      });
      expect(progressOf(template)).toBe("Current");
    });
  });

  it("is InProgress from a change of its spec until every member has seen it", async () => {
    const { generation } = (await read()).metadata;
    await plane.client.patch(ref(WIDGET, "shop", "web"), { spec: { size: 2 } }, "merge");
    expect(progressOf(await read())).toBe("InProgress");
    for (const { client } of plane.members) {
      await eventually(async () => {
        expect((await client.get<KubeObject>(ref(WIDGET, "shop", "web")))["spec"]).toEqual({ size: 2 });
      });
    }

    await work(0, "True");
    await work(1, "True");

    await eventually(async () => {
      const template = await read();
      expect(template.metadata.generation).toBe((generation ?? 0) + 1);
      expect(progressOf(template)).toBe("Current");
    });
  });
});
