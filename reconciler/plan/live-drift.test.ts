import { describe, expect, it } from "vitest";
import { fieldTypeOf } from "../../fleets/apiserver/kinds/field-types.ts";
import { type KubeObject, refOf } from "../../kube/object.ts";
import { deployment } from "../../test/builders.ts";
import { type CopyState, compareCopy, groupDrift } from "./live-drift.ts";

const type = fieldTypeOf("apps/v1.Deployment");

/** A Deployment with its one container at hand. */
interface Opened {
  readonly object: KubeObject;
  readonly container: Record<string, unknown>;
}

function open(object: KubeObject): Opened {
  const copy = structuredClone(object);
  // The builder makes a Deployment with one container.
  const spec = copy["spec"] as { template: { spec: { containers: [Record<string, unknown>] } } };
  return { object: copy, container: spec.template.spec.containers[0] };
}

/** A live object as a server keeps it: with defaults beside what we applied. */
function live(
  change: (opened: Opened) => void = () => {},
  managedFields: KubeObject["metadata"]["managedFields"] = [],
): KubeObject {
  const opened = open(deployment());
  opened.object["spec"] = { ...(opened.object["spec"] as object), strategy: { type: "RollingUpdate" } };
  opened.container["imagePullPolicy"] = "IfNotPresent";
  change(opened);
  return { ...opened.object, metadata: { ...opened.object.metadata, managedFields } };
}

describe("compareCopy", () => {
  it("finds nothing where only defaults were added", () => {
    expect(compareCopy(deployment(), live(), type, "flaghoist")).toEqual([]);
  });

  it("names the field, both values, and who changed it since when", () => {
    const others = [
      {
        manager: "kubectl-edit",
        operation: "Update",
        apiVersion: "apps/v1",
        time: "2026-01-01T00:00:00Z",
        fieldsType: "FieldsV1",
        fieldsV1: {
          "f:spec": { "f:template": { "f:spec": { "f:containers": { 'k:{"name":"web"}': { "f:image": {} } } } } },
        },
      },
    ];
    const edited = live(({ container }) => {
      container["image"] = "evil:1";
    }, others);

    expect(compareCopy(deployment(), edited, type, "flaghoist")).toEqual([
      {
        path: "spec.template.spec.containers[web].image",
        fieldPath: ["f:spec", "f:template", "f:spec", "f:containers", 'k:{"name":"web"}', "f:image"],
        mode: "correct",
        wanted: "shop/web:1",
        found: "evil:1",
        manager: "kubectl-edit",
        since: "2026-01-01T00:00:00Z",
      },
    ]);
  });

  it("finds a label that was taken away", () => {
    const edited = live(({ object }) => {
      object.metadata.labels = {};
    });

    expect(compareCopy(deployment(), edited, type, "flaghoist")).toMatchObject([
      { path: "metadata.labels.app", wanted: "web", found: undefined },
    ]);
  });

  it("takes the same amount in other words as equal", () => {
    const wanted = open(deployment());
    wanted.container["resources"] = { limits: { cpu: "1000m" } };
    const there = live(({ container }) => {
      container["resources"] = { limits: { cpu: "1" } };
    });

    expect(compareCopy(wanted.object, there, type, "flaghoist")).toEqual([]);
  });

  it("never shows a Secret's values", () => {
    const secret = (token: string): KubeObject => ({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "s", namespace: "shop" },
      data: { token },
    });

    const drift = compareCopy(secret("b2xk"), secret("bmV3"), fieldTypeOf("core/v1.Secret"), "flaghoist");

    expect(drift).toMatchObject([{ path: "data.token", wanted: "(hidden)", found: "(hidden)" }]);
  });
});

describe("groupDrift", () => {
  it("joins the same difference over clusters and keeps the earliest time", () => {
    const copy = (cluster: string, since: string): CopyState => ({
      cluster,
      object: refOf(deployment()),
      state: "drifted",
      fields: [{ path: "spec.replicas", wanted: 2, found: 5, manager: "kubectl", since }],
      mode: "report",
      sync: undefined,
      message: undefined,
    });

    const groups = groupDrift([copy("b", "2026-01-02T00:00:00Z"), copy("a", "2026-01-01T00:00:00Z")]);

    expect(groups).toMatchObject([{ path: "spec.replicas", clusters: ["a", "b"], since: "2026-01-01T00:00:00Z" }]);
  });
});
