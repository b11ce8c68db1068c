import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../kube/object.ts";
import { pruneObject } from "./prune.ts";

function object(kind: string, fields: Record<string, unknown>, annotations?: Record<string, string>): KubeObject {
  return {
    apiVersion: "v1",
    kind,
    metadata: { name: "x", ...(annotations === undefined ? {} : { annotations }) },
    ...fields,
  };
}

describe("pruneObject", () => {
  it("takes out status and what the server wrote into the metadata", () => {
    const pruned = pruneObject({
      ...object("Widget", { status: {}, spec: { a: 1 } }),
      metadata: { name: "x", uid: "u", generation: 1, finalizers: ["f"], labels: { a: "b" }, creationTimestamp: null },
    });

    expect(pruned).toEqual({
      apiVersion: "v1",
      kind: "Widget",
      metadata: { name: "x", labels: { a: "b" } },
      spec: { a: 1 },
    });
  });

  it("never changes its input", () => {
    const job = object("Job", {
      spec: { ttlSecondsAfterFinished: 1, template: { metadata: { labels: { "job-name": "x" } } } },
    });
    const before = structuredClone(job);

    pruneObject(job);

    expect(job).toEqual(before);
  });

  it("takes the labels of the Job controller out, unless the author selects pods himself", () => {
    const labels = { app: "x", "controller-uid": "u", "job-name": "x", "batch.kubernetes.io/controller-uid": "u" };
    const spec = {
      ttlSecondsAfterFinished: 60,
      selector: { matchLabels: { "controller-uid": "u" } },
      template: { metadata: { labels } },
    };

    expect(pruneObject(object("Job", { spec }))["spec"]).toEqual({
      selector: { matchLabels: {} },
      template: { metadata: { labels: { app: "x" } } },
    });
    expect(pruneObject(object("Job", { spec: { ...spec, manualSelector: true } }))["spec"]).toEqual({
      manualSelector: true,
      selector: spec.selector,
      template: spec.template,
    });
  });

  it("keeps the cluster IP of headless Services only", () => {
    expect(
      pruneObject(object("Service", { spec: { clusterIP: "10.0.0.1", clusterIPs: ["10.0.0.1"], type: "ClusterIP" } }))[
        "spec"
      ],
    ).toEqual({ type: "ClusterIP" });
    expect(pruneObject(object("Service", { spec: { clusterIP: "None", clusterIPs: ["None"] } }))["spec"]).toEqual({
      clusterIP: "None",
      clusterIPs: ["None"],
    });
  });

  it("empties tokens of service accounts, and the accounts' references to them", () => {
    const token = object(
      "Secret",
      { type: "kubernetes.io/service-account-token", data: { token: "x" } },
      { "kubernetes.io/service-account.uid": "u" },
    );
    const account = object("ServiceAccount", {
      secrets: [{ name: "x-token-1" }, { name: "other" }, { name: "x-token-2" }],
    });

    expect(pruneObject(token)).toMatchObject({ data: null, metadata: { annotations: {} } });
    expect(pruneObject(account)["secrets"]).toEqual([{ name: "other" }]);
  });
});
