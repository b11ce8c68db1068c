import { describe, expect, it } from "vitest";
import type { AggregatedStatusItem } from "../../../../api/work.ts";
import type { KubeObject } from "../../../../kube/object.ts";
import type { Fields } from "../../field-access.ts";
import { aggregatingAgreement } from "./agreement.ts";
import { progressOf } from "./kstatus.ts";

const BEFORE = "2025-01-01T00:00:00Z";
const NOW = "2026-01-01T00:00:00Z";
const aggregate = aggregatingAgreement({
  decisive: ["Ready"],
  unobserved: -1,
  sums: ["failures"],
});

function template(status?: Fields): KubeObject {
  return { apiVersion: "example.io/v1", kind: "Thing", metadata: { name: "web", generation: 3 }, status };
}

function condition(type: string, status: string, more: Fields = {}): Fields {
  return { type, status, reason: "Because", message: "done", lastTransitionTime: BEFORE, ...more };
}

function item(clusterName: string, ...conditions: Fields[]): AggregatedStatusItem {
  const status = { conditions, generation: 7, observedGeneration: 7, resourceTemplateGeneration: 3 };
  return { clusterName, applied: true, status };
}

function conditionsOf(items: readonly AggregatedStatusItem[], old?: Fields): readonly Fields[] {
  const { conditions } = aggregate(template(old), items, NOW)["status"] as { conditions: Fields[] };
  return conditions;
}

function statuses(...items: AggregatedStatusItem[]): Record<string, unknown> {
  return Object.fromEntries(conditionsOf(items).map(({ type, status }) => [String(type), status]));
}

describe("the conditions of a fleet", () => {
  it("are one of each type, the worst: False for what should be, True for what should not be", () => {
    expect(
      statuses(
        item("a", condition("Ready", "True"), condition("FetchFailed", "False"), condition("Healthy", "Unknown")),
        item("b", condition("Ready", "False"), condition("FetchFailed", "True"), condition("Healthy", "True")),
      ),
    ).toEqual({ Ready: "False", FetchFailed: "True", Healthy: "Unknown" });
  });

  it("leave what decides Unknown while a cluster is silent, and other types to those that have them", () => {
    expect(
      statuses(item("a", condition("Ready", "True"), condition("Released", "True")), { clusterName: "b" }),
    ).toEqual({ Ready: "Unknown", Released: "True" });
    expect(conditionsOf([item("a", condition("Ready", "True")), { clusterName: "b" }])[0]).toMatchObject({
      reason: "AwaitingReport",
      message: "b: nothing reported yet",
    });
  });

  it("say that there is nothing to be said before any cluster has a copy", () => {
    expect(conditionsOf([])).toEqual([
      {
        type: "Ready",
        status: "Unknown",
        reason: "NotPlaced",
        message: "no cluster has a copy yet",
        lastTransitionTime: NOW,
      },
    ]);
  });

  it("tell what the deciding clusters say, once where they say the same, and name them where others say otherwise", () => {
    const ready = (...items: AggregatedStatusItem[]): unknown => conditionsOf(items)[0]?.["message"];
    const bad = condition("Ready", "False", { message: "no such chart" });

    expect(ready(item("a", condition("Ready", "True")), item("b", condition("Ready", "True")))).toBe("done");
    expect(ready(item("a", condition("Ready", "True")), item("b", bad))).toBe("b: no such chart");
    expect(ready(item("a", bad), item("b", bad), item("c", condition("Ready", "False", { message: "denied" })))).toBe(
      "a, b: no such chart; c: denied",
    );
  });

  it("stay short however many clusters there are", () => {
    const many = Array.from({ length: 1000 }, (_, index) =>
      item(`member-${index}`, condition("Ready", "False", { message: `failed ${index % 500}` })),
    );
    const same = [...many.map(({ clusterName }) => item(clusterName, condition("Ready", "False"))), item("good")];

    expect(String(conditionsOf(many)[0]?.["message"]).length).toBe(1024);
    expect(conditionsOf([...same, item("last", condition("Ready", "True"))])[0]?.["message"]).toBe(
      "member-0, member-1, member-2, member-3, member-4 and 995 more: done",
    );
  });

  it("change their time only with their status", () => {
    const old = { conditions: [condition("Ready", "True")] };
    const later = item("a", condition("Ready", "True", { message: "new", lastTransitionTime: NOW }));

    expect(conditionsOf([later], old)[0]).toMatchObject({ message: "new", lastTransitionTime: BEFORE });
    expect(conditionsOf([item("a", condition("Ready", "False"))], old)[0]).toMatchObject({ lastTransitionTime: NOW });
  });

  it("are of the template's generation once every cluster has seen it", () => {
    const ready = condition("Ready", "True", { observedGeneration: 7 });
    const old = { conditions: [condition("Ready", "True", { observedGeneration: 2 })] };
    const behind = { clusterName: "b", status: { ...item("b", ready).status, resourceTemplateGeneration: 2 } };

    expect(conditionsOf([item("a", ready)], old)[0]).toMatchObject({ observedGeneration: 3 });
    expect(conditionsOf([item("a", ready), behind], old)[0]).toMatchObject({ observedGeneration: 2 });
    expect(conditionsOf([item("a", condition("Ready", "True"))])[0]).not.toHaveProperty("observedGeneration");
  });

  it("give the same status when nothing has changed", () => {
    const items = [item("a", condition("Ready", "True")), item("b", condition("Ready", "Unknown"))];
    const once = aggregate(template(), items, BEFORE);

    expect(aggregate(once, items, NOW)).toBe(once);
  });
});

describe("how kstatus reads the status of a fleet", () => {
  const read = (...items: AggregatedStatusItem[]): string => progressOf(aggregate(template(), items, NOW));
  const good = item("a", condition("Ready", "True"));

  it("is Current when every cluster is", () => {
    expect(read(good, item("b", condition("Ready", "True")))).toBe("Current");
  });

  it("is InProgress before the first copy, while a cluster is silent, behind, reconciling or not ready", () => {
    const behind = { clusterName: "b", status: { ...good.status, observedGeneration: 6 } };

    expect(read()).toBe("InProgress");
    expect(read(good, { clusterName: "b" })).toBe("InProgress");
    expect(read(good, behind)).toBe("InProgress");
    expect(read(good, item("b", condition("Ready", "True"), condition("Reconciling", "True")))).toBe("InProgress");
    expect(read(good, item("b", condition("Ready", "False")))).toBe("InProgress");
  });

  it("is Failed once a cluster stands still, wherever else it goes on", () => {
    expect(
      read(
        item("a", condition("Reconciling", "True"), condition("Ready", "Unknown")),
        item("b", condition("Stalled", "True"), condition("Ready", "False")),
      ),
    ).toBe("Failed");
  });

  it("names a field that is malformed", () => {
    expect(() => read({ clusterName: "a", status: { conditions: {} } })).toThrow("field conditions is not a list");
  });
});

describe("an agreement", () => {
  it("sums what is counted, and counts nothing where nobody does", () => {
    const counted = { clusterName: "a", status: { failures: 2 } };

    expect(aggregate(template(), [counted, counted, { clusterName: "c" }], NOW)["status"]).toMatchObject({
      failures: 4,
    });
    expect(aggregate(template(), [good()], NOW)["status"]).not.toHaveProperty("failures");
  });

  it("holds to what was last agreed while clusters differ", () => {
    const of = aggregatingAgreement({ agreed: ["revision"], agreedBy: { artifact: ["digest"] } });
    const member = (revision: string, digest: string, time: string): AggregatedStatusItem => ({
      clusterName: time,
      status: { revision, artifact: { digest, time } },
    });
    const status = { revision: "v1", artifact: { digest: "1" } };

    expect(of(template(status), [member("v2", "2", "x"), member("v2", "2", "y")], NOW)["status"]).toEqual({
      revision: "v2",
      artifact: { digest: "2", time: "x" },
    });
    expect(of(template(status), [member("v2", "2", "x"), member("v1", "1", "y")], NOW)["status"]).toEqual(status);
    expect(of(template(status), [member("v2", "2", "x"), { clusterName: "y" }], NOW)["status"]).toEqual(status);
  });

  it("takes the worst, the earliest and the latest where that is what counts", () => {
    const of = aggregatingAgreement({
      worst: { phase: ["Failed", "Running"] },
      earliest: ["notAfter"],
      latestTimes: ["notBefore"],
    });
    const member = (phase: string, notAfter: string): AggregatedStatusItem => ({
      clusterName: phase,
      status: { phase, notAfter, notBefore: notAfter },
    });

    expect(of(template(), [member("Running", NOW), member("Failed", BEFORE)], NOW)["status"]).toEqual({
      phase: "Failed",
      notAfter: BEFORE,
      notBefore: NOW,
    });
  });

  const good = (): AggregatedStatusItem => item("a", condition("Ready", "True"));
});
