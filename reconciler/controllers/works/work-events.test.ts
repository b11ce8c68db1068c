import { describe, expect, it } from "vitest";
import type { Work } from "../../../api/work.ts";
import type { KubeObject } from "../../../kube/object.ts";
import type { EventSubject } from "../events.ts";
import { WorkEvents } from "./work-events.ts";

const work: Work = {
  apiVersion: "work.karmada.io/v1alpha1",
  kind: "Work",
  metadata: { namespace: "karmada-es-paris-1", name: "web-1", uid: "work-uid" },
  spec: {},
};
const copy: KubeObject = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: {
    namespace: "shop",
    name: "web",
    uid: "uid in the member",
    annotations: { "resourcetemplate.karmada.io/uid": "template-uid" },
  },
};

function told(tell: (events: WorkEvents) => void): string[] {
  const lines: string[] = [];
  const record = (subject: EventSubject, type: string, reason: string, message: string): void => {
    lines.push(`${subject.kind} ${subject.uid} ${type} ${reason}: ${message}`);
  };
  tell(new WorkEvents({ record }, "paris-1", work));
  return lines;
}

describe("WorkEvents", () => {
  it("tells on the Work in Karmada's words, and on the template with the cluster, what cannot be read", () => {
    const problem =
      "Reflect status for object(Deployment/shop/web) failed, err: field status.replicas is not an integer.";

    expect(told((events) => events.failedToReflect(copy, "field status.replicas is not an integer"))).toEqual([
      `Work work-uid Warning ReflectStatusFailed: ${problem}`,
      `Deployment template-uid Warning ReflectStatusFailed: cluster paris-1: ${problem}`,
    ]);
    expect(told((events) => events.failedToJudge(copy, "no"))[0]).toBe(
      "Work work-uid Warning InterpretHealthFailed: Interpret health of object(Deployment/shop/web) failed, err: no.",
    );
  });

  it("tells what came of applying, as Karmada does", () => {
    expect(told((events) => events.failedToApply(copy, "no"))).toEqual([
      "Deployment template-uid Warning SyncFailed: Failed to create or update resource(shop/web) in member cluster(paris-1): no",
    ]);
    expect(told((events) => events.applied(copy))).toEqual([
      "Deployment template-uid Normal SyncSucceed: Successfully applied resource(shop/web) to cluster paris-1",
    ]);
    expect(told((events) => events.failedToSync("no"))).toEqual([
      "Work work-uid Warning SyncFailed: Failed to sync work(karmada-es-paris-1/web-1) to cluster(paris-1), err: no",
    ]);
    expect(told((events) => events.synced())).toEqual([
      "Work work-uid Normal SyncSucceed: Sync work(karmada-es-paris-1/web-1) to cluster(paris-1) successful.",
    ]);
  });
});
