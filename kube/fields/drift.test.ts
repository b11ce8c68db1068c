import { describe, expect, it } from "vitest";
import type { KubeObject } from "../object.ts";
import { applyServerSide } from "./apply.ts";
import { type DriftOptions, diffOwned, fieldOwners, ownersOf } from "./drift.ts";
import { setOfPaths } from "./field-set.ts";
import { trackUpdate } from "./track.ts";
import { WIDGET_TYPE } from "./widget.test-type.ts";

const VERSION = "example.io/v1";
const APPLIED = "2026-01-01T00:00:00Z";
const EDITED = "2026-01-02T00:00:00Z";

function widget(spec: Record<string, unknown>): KubeObject {
  return { apiVersion: VERSION, kind: "Widget", metadata: { name: "w" }, spec };
}

function applied(spec: Record<string, unknown>): KubeObject {
  const request = { manager: "gitops", apiVersion: VERSION, force: true, now: APPLIED, type: WIDGET_TYPE };
  return applyServerSide({ ...request, live: undefined, config: widget(spec) }).object;
}

function edited(live: KubeObject, manager: string, spec: Record<string, unknown>): KubeObject {
  const updated = widget(spec);
  const request = { manager, apiVersion: VERSION, now: EDITED, type: WIDGET_TYPE };
  const managedFields = trackUpdate({ ...request, old: live, updated });
  return { ...updated, metadata: { ...updated.metadata, managedFields: managedFields ?? [] } };
}

function drift(desired: Record<string, unknown>, live: KubeObject, options?: DriftOptions): string[] {
  return diffOwned(widget(desired), live, WIDGET_TYPE, options).map(
    ({ change, field, desired: wanted, actual, owners }) =>
      `${change} ${field} ${JSON.stringify(wanted) ?? "-"} -> ${JSON.stringify(actual) ?? "-"} by ${owners.map(({ manager, operation, time }) => `${manager}/${operation}@${time?.slice(8, 10)}`).join(",")}`,
  );
}

describe("diffOwned", () => {
  const desired = { size: 3, items: [{ name: "i", value: "1" }], list: ["a"], set: ["x"] };

  it("finds none in what was just applied, whatever others add", () => {
    const live = edited(applied(desired), "u", { ...desired, title: "theirs", set: ["y", "x"] });

    expect(drift(desired, live, { manager: "gitops" })).toEqual([]);
  });

  it("names the field, both values, and who changed it when", () => {
    const live = edited(applied(desired), "kubectl-edit", {
      size: 5,
      items: [{ name: "i", value: "9" }],
      list: ["a", "b"],
      set: ["x"],
    });

    expect(drift(desired, live)).toEqual([
      'changed .spec.items[name="i"].value "1" -> "9" by kubectl-edit/Update@02',
      'changed .spec.list ["a"] -> ["a","b"] by kubectl-edit/Update@02',
      "changed .spec.size 3 -> 5 by kubectl-edit/Update@02",
    ]);
  });

  it("says what is missing, leaf by leaf", () => {
    const live = edited(applied(desired), "u", { size: 3, list: ["a"] });

    expect(drift(desired, live)).toEqual([
      'missing .spec.items[name="i"].name "i" -> - by ',
      'missing .spec.items[name="i"].value "1" -> - by ',
      'missing .spec.set[="x"] "x" -> - by ',
    ]);
  });

  it("finds fields that we still own and no longer want, but not those that others own too", () => {
    const first = applied({ ...desired, title: "t", on: true });
    const config = widget({ on: true });
    const live = applyServerSide({
      live: first,
      config,
      manager: "other",
      apiVersion: VERSION,
      force: false,
      now: EDITED,
      type: WIDGET_TYPE,
    }).object;

    expect(drift(desired, live, { manager: "gitops" })).toEqual(['extra .spec.title - -> "t" by gitops/Apply@01']);
    expect(drift(desired, live)).toEqual([]);
  });

  it("takes other text of the same quantity, nulls and empty values the server drops for no drift", () => {
    const live = applied({ cpu: "1" });

    expect(drift({ cpu: "1000m", plain: {}, nested: { a: null } }, live)).toEqual([]);
    expect(drift({ cpu: 1 }, live)).toEqual([]);
    expect(drift({ cpu: "2" }, live)).toEqual(['changed .spec.cpu "2" -> "1" by gitops/Apply@01']);
  });

  it("leaves out ignored fields", () => {
    const live = edited(applied(desired), "hpa", { ...desired, size: 9 });

    expect(drift(desired, live, { ignored: setOfPaths([["f:spec", "f:size"]]) })).toEqual([]);
  });
});

describe("ownersOf", () => {
  it("answers for a part of an atomic value with the owners of the whole, latest first", () => {
    const live = edited(applied({ whole: { x: "1" }, size: 1 }), "u", { whole: { x: "1" }, size: 2 });
    const shared = applyServerSide({
      live,
      config: widget({ size: 2 }),
      manager: "z",
      apiVersion: VERSION,
      force: false,
      now: APPLIED,
      type: WIDGET_TYPE,
    }).object;
    const entries = shared.metadata.managedFields;

    expect(ownersOf(entries, ["f:spec", "f:whole", "f:x"]).map(({ manager }) => manager)).toEqual(["gitops"]);
    expect(ownersOf(entries, ["f:spec", "f:size"]).map(({ manager }) => manager)).toEqual(["u", "z"]);
    expect(ownersOf(entries, ["f:spec", "f:title"])).toEqual([]);
  });
});

describe("fieldOwners", () => {
  it("lists the owned fields below a path", () => {
    const live = edited(applied({ size: 1, plain: { x: "1" } }), "u", { size: 2, plain: { x: "1" } });

    const owners = fieldOwners(live, ["f:spec", "f:plain"]);

    expect(owners.map(({ field, owners: list }) => [field, list.map(({ manager }) => manager)])).toEqual([
      [".spec.plain.x", ["gitops"]],
    ]);
    expect(fieldOwners(live)).toHaveLength(2);
  });
});
