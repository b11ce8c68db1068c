import { describe, expect, it } from "vitest";
import type { FieldDrift } from "../../../fleets/drift.ts";
import { driftMessage } from "./drift-events.ts";
import { type DriftFinding, DriftJournal, describeField } from "./drift-journal.ts";

function field(path: string, wanted: unknown, found: unknown, manager?: string): FieldDrift {
  return { path, wanted, found, manager, time: undefined };
}

function finding(words: Partial<DriftFinding> = {}): DriftFinding {
  return {
    cluster: "paris-1",
    object: { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "web" },
    fields: [field("spec.replicas", 2, 5, "kubectl-scale")],
    foundAt: 0,
    corrected: true,
    ...words,
  };
}

describe("describeField", () => {
  it.each([
    [field("spec.replicas", 2, 5, "kubectl-scale"), "spec.replicas wanted 2, found 5, by kubectl-scale"],
    [field("data.color", "blue", undefined), 'data.color wanted "blue", found nothing'],
    [field("spec.big", 2n ** 60n, 1), "spec.big wanted 1152921504606846976, found 1"],
  ])("says what was wanted, what was found, and who did it", (drift, text) => {
    expect(describeField(drift, "ConfigMap")).toBe(text);
  });

  it.each([
    "data.password",
    'data["tls.key"]',
    "data",
    "stringData.password",
    'metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"]',
    "metadata.annotations",
    "anything.else",
  ])("hides %s of a Secret", (path) => {
    const text = describeField(field(path, "c2VjcmV0", "b3RoZXI=", "someone"), "Secret");

    expect(text).toBe(`${path} wanted (hidden), found (hidden), by someone`);
  });

  it.each(["type", "immutable", "metadata.labels.app"])("shows %s of a Secret", (path) => {
    expect(describeField(field(path, "a", "b"), "Secret")).toBe(`${path} wanted "a", found "b"`);
  });
});

describe("driftMessage", () => {
  it("shows the first five fields and counts the others", () => {
    const fields = Array.from({ length: 7 }, (_, i) => field(`data.k${i}`, i, undefined));

    expect(driftMessage(finding({ fields }))).toBe(
      "cluster paris-1: data.k0 wanted 0, found nothing; data.k1 wanted 1, found nothing; " +
        "data.k2 wanted 2, found nothing; data.k3 wanted 3, found nothing; data.k4 wanted 4, found nothing; " +
        "and 2 more fields",
    );
  });
});

describe("DriftJournal", () => {
  it("keeps the most recent thousand findings and tells listeners of each", () => {
    const journal = new DriftJournal();
    let heard = 0;
    journal.subscribe(() => {
      heard++;
    });

    for (let i = 0; i < 1_100; i++) journal.record(finding({ foundAt: i }));

    expect(journal.all()).toHaveLength(1_000);
    expect(journal.all()[0]?.foundAt).toBe(100);
    expect(heard).toBe(1_100);
  });

  it("tells once of drift that stands, until it changes or was gone in between", () => {
    const journal = new DriftJournal();
    const standing = finding({ corrected: false });

    journal.record(standing);
    journal.record({ ...standing, foundAt: 1 });
    expect(journal.all()).toHaveLength(1);

    journal.record({ ...standing, fields: [field("spec.replicas", 2, 7, "kubectl-scale")] });
    expect(journal.all()).toHaveLength(2);

    journal.settle(standing.cluster, standing.object);
    journal.record(standing);
    expect(journal.all()).toHaveLength(3);
  });

  it("knows since when a field has stood, also when its value changed and when another process had seen it first", () => {
    const journal = new DriftJournal();
    const { cluster, object } = finding();
    const first = "2025-12-31T00:00:00Z";
    journal.remember(cluster, object, [
      { object: "apps/v1/Deployment/shop/web", path: "spec.replicas", wanted: "2", found: "5", since: first },
    ]);

    journal.record(finding({ corrected: false, fields: [field("spec.replicas", 2, 9, "kubectl-scale")], foundAt: 5 }));

    expect(journal.standing(cluster, object)).toMatchObject([{ path: "spec.replicas", found: "9", since: first }]);
  });

  it("keeps no values of Secrets", () => {
    const journal = new DriftJournal();
    const object = { apiVersion: "v1", kind: "Secret", namespace: "shop", name: "s" };

    journal.record(finding({ object, corrected: false, fields: [field("data.password", "b2xk", "bmV3", "x")] }));

    expect(JSON.stringify([...journal.allStanding()])).not.toMatch(/b2xk|bmV3/);
  });
});
