import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../kube/object.ts";
import { refOf } from "../../kube/object.ts";
import { deployment } from "../../test/builders.ts";
import { RUN_MASK } from "./diff/mask.ts";
import type { CopyState, DriftedField } from "./live-drift.ts";
import { threeWayDrift } from "./three-way-drift.ts";

const web = deployment({ replicas: 2 });
const replicas: DriftedField = {
  path: "spec.replicas",
  fieldPath: ["f:spec", "f:replicas"],
  mode: "correct",
  wanted: 2,
  found: 5,
  manager: "kubectl-scale",
  since: "2026-01-01T00:00:00Z",
};

function copy(parts: Partial<CopyState> = {}, field: Partial<DriftedField> = {}): CopyState {
  const common = { cluster: "a", object: refOf(web), state: "drifted", mode: "correct", sync: undefined } as const;
  return { ...common, message: undefined, fields: [{ ...replicas, ...field }], ...parts };
}

function outcomes(copies: readonly CopyState[], head: KubeObject | undefined, base: KubeObject | undefined = web) {
  return threeWayDrift(copies, { base: () => base, head: () => head });
}

describe("threeWayDrift", () => {
  it("says what the base wants, what the head wants, what is live, and what becomes of it", () => {
    expect(outcomes([copy()], web)).toEqual([
      {
        object: { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "web" },
        path: "spec.replicas",
        base: 2,
        head: 2,
        live: 5,
        outcome: "undone",
        manager: "kubectl-scale",
        since: "2026-01-01T00:00:00Z",
        clusters: ["a"],
      },
    ]);
  });

  it.each([
    ["undone where the head says nothing new and drift is mended", 2, "correct", "undone"],
    ["kept where it says nothing new and drift is only told of", 2, "report", "kept"],
    ["adopted where it wants what is live", 5, "report", "adopted"],
    ["overwritten where it wants a third value, even if drift is only told of", 3, "report", "overwritten"],
  ] as const)("is %s", (_, wanted, mode, outcome) => {
    expect(outcomes([copy({}, { mode })], deployment({ replicas: wanted }))).toMatchObject([
      { base: 2, head: wanted, live: 5, outcome },
    ]);
  });

  it("goes with an object that goes", () => {
    const [drift] = outcomes([copy()], undefined);

    expect(drift).toMatchObject({ outcome: "undone" });
    expect(drift).not.toHaveProperty("head");
  });

  it("keeps what the head leaves to others", () => {
    const { replicas: _, ...spec } = web["spec"] as Record<string, unknown>;
    const rules = JSON.stringify([{ mode: "ignore", jsonPointers: ["/spec/replicas"] }]);
    const annotations = { "gitops.flaghoist.io/drift-rules": rules };

    expect(outcomes([copy()], { ...web, spec })).toMatchObject([{ outcome: "kept" }]);
    expect(outcomes([copy()], { ...web, metadata: { ...web.metadata, annotations } })).toMatchObject([
      { outcome: "kept" },
    ]);
  });

  it("goes by the mode that the head brings", () => {
    const told = { ...web, metadata: { ...web.metadata, annotations: { "gitops.flaghoist.io/drift": "report" } } };

    expect(outcomes([copy()], told)).toMatchObject([{ outcome: "kept" }]);
    expect(outcomes([copy({}, { mode: "report" })], web, told)).toMatchObject([{ outcome: "undone" }]);
  });

  it("tells of objects that are missing", () => {
    const missing = copy({ state: "missing", fields: [] });

    expect(outcomes([missing], web)).toMatchObject([{ path: "", base: "present", head: "present", outcome: "undone" }]);
    expect(outcomes([{ ...missing, mode: "report" }], web)).toMatchObject([{ outcome: "kept" }]);
    expect(outcomes([missing], undefined)).toMatchObject([{ outcome: "adopted" }]);
  });

  it("joins what is equal over clusters, with the earliest time", () => {
    const copies = [
      copy({ cluster: "b" }),
      copy({ cluster: "a" }, { since: "2025-12-31T00:00:00Z" }),
      copy({ cluster: "c" }, { found: 7 }),
      copy({ cluster: "d", state: "waiting" }),
    ];

    expect(outcomes(copies, web)).toMatchObject([
      { live: 5, clusters: ["a", "b"], since: "2025-12-31T00:00:00Z" },
      { live: 7, clusters: ["c"] },
    ]);
  });

  it("shows of a Secret only whether values are the same", () => {
    const secret = (token: string): KubeObject => ({ ...web, apiVersion: "v1", kind: "Secret", data: { token } });
    const fieldPath = ["f:data", "f:token"];
    const edited = copy(
      { object: refOf(secret("")) },
      {
        path: "data.token",
        fieldPath,
        wanted: "(hidden)",
        found: "(hidden)",
        mark: RUN_MASK.atFields("Secret", fieldPath, "bGl2ZQ=="),
      },
    );

    const adopted = outcomes([edited], secret("bGl2ZQ=="), secret("YmFzZQ=="));
    const overwritten = outcomes([edited], secret("aGVhZA=="), secret("YmFzZQ=="));

    expect(adopted).toMatchObject([{ outcome: "adopted", live: adopted[0]?.head }]);
    expect(overwritten).toMatchObject([{ outcome: "overwritten" }]);
    expect(JSON.stringify([adopted, overwritten])).not.toMatch(/bGl2ZQ|aGVhZA|YmFzZQ/);
  });

  it("hides variables that are called like a credential", () => {
    const fieldPath = ["f:spec", 'k:{"name":"DB_PASSWORD"}', "f:value"];

    const [drift] = outcomes([copy({}, { fieldPath, path: "p", wanted: "hunter1", found: "hunter2" })], web, undefined);

    expect(JSON.stringify(drift)).not.toContain("hunter");
  });
});
