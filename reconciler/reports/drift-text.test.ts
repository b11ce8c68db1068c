import { describe, expect, it } from "vitest";
import { refOf } from "../../kube/object.ts";
import { deployment } from "../../test/builders.ts";
import type { CopyState } from "../plan/live-drift.ts";
import { type DriftReport, driftText } from "./drift-text.ts";

const now = Date.parse("2026-01-04T00:00:00Z");
const plain = {
  bold: (text: string) => text,
  dim: (text: string) => text,
  green: (text: string) => text,
  yellow: (text: string) => text,
  red: (text: string) => text,
};

function copy(words: Partial<CopyState>): CopyState {
  return {
    cluster: "a",
    object: refOf(deployment()),
    state: "as-wanted",
    fields: [],
    mode: "correct",
    sync: undefined,
    message: undefined,
    ...words,
  };
}

function textOf(report: Partial<DriftReport>): string {
  return driftText(
    { copies: [], clusters: ["a", "b"], unreachable: [], leftOver: [], past: [], ...report },
    now,
    plain,
  );
}

describe("driftText", () => {
  it("says that all is well", () => {
    expect(textOf({ copies: [copy({})] })).toBe("✔ No drift: 1 copy in 2 clusters is as wanted.");
  });

  it("tells what is left over", () => {
    const leftOver = [{ cluster: "b", message: "1 object is left over" }];

    expect(textOf({ copies: [copy({})], leftOver })).toContain("\n  ⚠ left over in b: 1 object is left over");
  });

  it("groups the same drift over clusters and says who and since when", () => {
    const field = {
      path: "spec.replicas",
      wanted: 2,
      found: 5,
      manager: "kubectl-edit",
      since: "2026-01-01T00:00:00Z",
      firstSeen: "2026-01-02T00:00:00Z",
    };
    const copies = Array.from({ length: 7 }, (_, i) =>
      copy({ cluster: `edge-${i + 1}`, state: "drifted", fields: [field], mode: "report", sync: "shop/apps" }),
    );

    expect(textOf({ copies, clusters: copies.map((one) => one.cluster) })).toBe(
      [
        "1 field in 1 object differs from what is wanted, in 7 of 7 clusters. Correcting is off for Sync shop/apps (drift: report).",
        "",
        "  Deployment shop/web",
        "    spec.replicas",
        "      wanted 2   found 5   in edge-1 … edge-7 (7)   by kubectl-edit, 3 days ago   first seen 2 days ago",
        "",
        "  keep theirs: flaghoist drift adopt deployment/web -n shop     let clusters decide: flaghoist drift ignore deployment/web -n shop",
      ].join("\n"),
    );
  });

  it("tells of missing copies, of those not applied yet, and of clusters that do not answer", () => {
    const text = textOf({
      copies: [copy({ state: "missing" }), copy({ cluster: "b", state: "waiting", message: "quota exceeded" })],
      unreachable: [{ cluster: "c", reason: "no answer" }],
      clusters: ["a", "b", "c"],
    });

    expect(text).toContain("1 object is missing, in 1 of 2 clusters. It is undone as soon as it is noticed.");
    expect(text).toContain("⚠ Deployment shop/web in b is not applied: quota exceeded");
    expect(text).toContain("⚠ cluster c could not be asked: no answer");
  });

  it("shows what was undone lately", () => {
    const past = {
      object: refOf(deployment()),
      message: "cluster a: spec.replicas wanted 2, found 5, by kubectl",
      corrected: true,
      at: "2026-01-03T23:59:50Z",
      times: 3,
    };

    expect(textOf({ past: [past] })).toContain(
      "10s ago, 3 times  Deployment shop/web  cluster a: spec.replicas wanted 2, found 5, by kubectl  → undone",
    );
  });
});
