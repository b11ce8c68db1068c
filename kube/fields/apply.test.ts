import { describe, expect, it } from "vitest";
import type { KubeObject, ManagedFieldsEntry } from "../object.ts";
import { type ApplyRequest, applyServerSide, equalIgnoringTimes } from "./apply.ts";
import { ApplyConflictError } from "./errors.ts";
import { setOfPaths } from "./field-set.ts";
import { fieldTypeFromSchema } from "./structural.ts";
import { trackUpdate } from "./track.ts";
import { METADATA_SCHEMA, TEXT_MAP, WIDGET_SCHEMA, WIDGET_TYPE } from "./widget.test-type.ts";

const VERSION = "example.io/v1";
const T1 = "2026-01-01T00:00:00Z";
const T2 = "2026-01-02T00:00:00Z";

type Spec = Record<string, unknown>;

function widget(spec: Spec | undefined, metadata: Record<string, unknown> = {}): KubeObject {
  const object: KubeObject = { apiVersion: VERSION, kind: "Widget", metadata: { name: "w", ...metadata } };
  return spec === undefined ? object : { ...object, spec };
}

function apply(
  live: KubeObject | undefined,
  manager: string,
  spec: Spec | undefined,
  options: Partial<ApplyRequest> = {},
): KubeObject {
  const request = {
    live,
    config: widget(spec),
    manager,
    apiVersion: VERSION,
    force: false,
    now: T1,
    type: WIDGET_TYPE,
  };
  const { object } = applyServerSide({ ...request, ...options });
  return object;
}

function update(live: KubeObject | undefined, manager: string, spec: Spec | undefined, now = T2): KubeObject {
  const updated = widget(spec);
  const managedFields = trackUpdate({ old: live, updated, manager, apiVersion: VERSION, now, type: WIDGET_TYPE });
  if (managedFields !== undefined) updated.metadata.managedFields = managedFields;
  return updated;
}

function ownership(object: KubeObject): Record<string, unknown> {
  const entries: readonly ManagedFieldsEntry[] = object.metadata.managedFields ?? [];
  return Object.fromEntries(
    entries.map((entry) => [`${entry.manager} ${entry.operation}`, entry.fieldsV1?.["f:spec"]]),
  );
}

function conflictOf(run: () => unknown): ApplyConflictError {
  try {
    run();
  } catch (error) {
    if (error instanceof ApplyConflictError) return error;
    throw error;
  }
  throw new Error("no conflict");
}

describe("applyServerSide", () => {
  it("owns leaves, list items with their keys, and empty maps, but not structs", () => {
    const object = apply(undefined, "a", {
      nested: { a: "1" },
      plain: {},
      whole: { x: "1" },
      list: ["1"],
      set: ["s"],
      items: [{ name: "i", value: "1" }],
      ports: [{ port: 80 }],
      free: { deep: { x: 1 } },
    });

    expect(ownership(object)["a Apply"]).toEqual({
      "f:nested": { "f:a": {} },
      "f:plain": {},
      "f:whole": {},
      "f:list": {},
      "f:set": { 'v:"s"': {} },
      "f:items": { 'k:{"name":"i"}': { ".": {}, "f:name": {}, "f:value": {} } },
      "f:ports": { 'k:{"port":80,"protocol":"TCP"}': { ".": {}, "f:port": {} } },
      "f:free": { "f:deep": { ".": {}, "f:x": {} } },
    });
  });

  it("changes nothing when the same configuration comes again", () => {
    const live = apply(undefined, "a", { size: 1, set: ["x"] });

    const again = applyServerSide({
      live,
      config: widget({ size: 1, set: ["x"] }),
      manager: "a",
      apiVersion: VERSION,
      force: false,
      now: T2,
      type: WIDGET_TYPE,
    });

    expect(again).toEqual({ object: live, changed: false });
  });

  it("takes the time of an apply only when it changes the object", () => {
    const live = apply(undefined, "a", { size: 1 });

    const shared = apply(live, "b", { size: 1 }, { now: T2 });
    const changed = apply(live, "a", { size: 2 }, { now: T2 });

    expect(shared.metadata.managedFields?.map(({ time }) => time)).toEqual([undefined, T1]);
    expect(changed.metadata.managedFields?.map(({ time }) => time)).toEqual([T2]);
  });

  it("removes what the manager no longer applies and nobody else owns", () => {
    const first = apply(undefined, "a", { size: 1, plain: { x: "1", y: "1" }, items: [{ name: "i" }, { name: "j" }] });
    const shared = apply(first, "b", { plain: { x: "1" } });

    const next = apply(shared, "a", { size: 1, items: [{ name: "j" }] });

    expect(next["spec"]).toEqual({ size: 1, plain: { x: "1" }, items: [{ name: "j" }] });
    expect(ownership(next)["b Apply"]).toEqual({ "f:plain": { "f:x": {} } });
  });

  it("leaves null where the last part of a map is pruned", () => {
    const live = apply(undefined, "a", { plain: { x: "1" } });

    expect(apply(live, "a", { plain: {} })["spec"]).toEqual({ plain: null });
    expect(apply(live, "a", undefined)["spec"]).toBeUndefined();
  });

  it("keeps an item while somebody owns a field of it", () => {
    const first = apply(undefined, "a", { items: [{ name: "i", value: "1" }] });
    const both = apply(first, "b", { items: [{ name: "i", tags: ["t"] }] });

    const next = apply(both, "a", { items: [] });

    expect(next["spec"]).toEqual({ items: [{ name: "i", tags: ["t"] }] });
  });

  it("names the owner of each field in a conflict", () => {
    const first = apply(undefined, "a", { size: 1, items: [{ name: "i", value: "1" }] });
    const live = update(first, "u", { size: 1, title: "t", items: [{ name: "i", value: "1" }] });

    const single = conflictOf(() => apply(live, "z", { size: 2 }));
    const several = conflictOf(() => apply(live, "z", { title: "x", items: [{ name: "i", value: "2" }] }));

    expect(single.message).toBe('Apply failed with 1 conflict: conflict with "a": .spec.size');
    expect(several.message).toBe(
      'Apply failed with 2 conflicts: conflicts with "a":\n- .spec.items[name="i"].value\nconflicts with "u" using example.io/v1:\n- .spec.title',
    );
    expect(several.conflicts.map(({ field, message }) => ({ field, message }))).toEqual([
      { field: '.spec.items[name="i"].value', message: 'conflict with "a"' },
      { field: ".spec.title", message: 'conflict with "u" using example.io/v1' },
    ]);
  });

  it("takes fields by force and shares equal ones", () => {
    const first = apply(undefined, "a", { size: 1, title: "t" });

    const forced = apply(first, "b", { size: 2, title: "t" }, { force: true });

    expect(ownership(forced)).toEqual({
      "a Apply": { "f:title": {} },
      "b Apply": { "f:size": {}, "f:title": {} },
    });
  });

  it("gives fields that nobody owned to before-first-apply", () => {
    const live = widget({ size: 1, plain: { x: "1" } });

    const next = apply(live, "a", { size: 1 });

    expect(ownership(next)).toEqual({
      "a Apply": { "f:size": {} },
      "before-first-apply Update": { ".": {}, "f:size": {}, "f:plain": { ".": {}, "f:x": {} } },
    });
    expect(conflictOf(() => apply(next, "b", { size: 2 })).message).toContain(
      '"before-first-apply" using example.io/v1',
    );
  });

  it("neither owns nor contests fields that the endpoint resets", () => {
    const live = apply(undefined, "a", { size: 1 }, { resetFields: setOfPaths([["f:status"]]) });
    const config = { ...widget({ size: 2 }), status: { phase: "x" } };

    const next = apply(live, "s", undefined, { config, subresource: "status", resetFields: setOfPaths([["f:spec"]]) });

    const entry = next.metadata.managedFields?.find(({ manager }) => manager === "s");
    expect(entry).toMatchObject({ subresource: "status", fieldsV1: { "f:status": { "f:phase": {} } } });
  });

  it("drops entries of versions that no longer exist", () => {
    const live = apply(
      undefined,
      "a",
      { size: 1 },
      { apiVersion: "example.io/v0", config: { ...widget({ size: 1 }), apiVersion: "example.io/v0" } },
    );

    const next = apply(
      live,
      "b",
      { title: "t" },
      { typeAt: (version) => (version === VERSION ? WIDGET_TYPE : undefined) },
    );

    expect(Object.keys(ownership(next))).toEqual(["b Apply"]);
  });

  it("gives the whole to who owned a part of what has become atomic", () => {
    const granular = { ...WIDGET_SCHEMA, properties: { spec: { type: "object", properties: { whole: TEXT_MAP } } } };
    const metadata = fieldTypeFromSchema(METADATA_SCHEMA);
    const live = apply(undefined, "a", { whole: { x: "1" } }, { type: fieldTypeFromSchema(granular, { metadata }) });

    const conflict = conflictOf(() => apply(live, "b", { whole: { y: "1" } }));

    expect(conflict.message).toContain('conflict with "a": .spec.whole');
  });

  it.each<[Spec, string]>([
    [{ size: "big" }, ".spec.size: expected numeric (int or float), got string"],
    [{ title: 1 }, ".spec.title: expected string, got &value.valueUnstructured{Value:1}"],
    [
      { title: { a: [true] } },
      '.spec.title: expected string, got &value.valueUnstructured{Value:map[string]interface {}{"a":[]interface {}{true}}}',
    ],
    [{ on: "yes" }, ".spec.on: expected boolean, got &{yes}"],
    [{ cpu: { a: 1 } }, ".spec.cpu: expected any scalar, got &{map[a:1]}"],
    [{ nested: [1] }, ".spec.nested: expected map, got &{[1]}"],
    [{ list: "x" }, ".spec.list: expected list, got &{x}"],
    [
      { size: true, title: 1 },
      "errors:\n  .spec.size: expected numeric (int or float), got bool\n  .spec.title: expected string, got &value.valueUnstructured{Value:1}",
    ],
    [{ nope: 1 }, ".spec.nope: field not declared in schema"],
    [{ set: ["1", "1"] }, '.spec.set: duplicate entries for key [="1"]'],
    [{ items: [{ name: "x" }, { name: "x" }] }, '.spec.items: duplicate entries for key [name="x"]'],
    [
      { items: [{ value: "x" }] },
      '.spec.items: element 0: associative list with keys has an element that omits all key fields ["name"] (and doesn\'t have default values for any key fields)',
    ],
    [{ items: [{ name: "x", tags: ["a", "a"] }] }, '.spec.items[name="x"].tags: duplicate entries for key [="a"]'],
  ])("refuses %j in the server's words", (spec, problem) => {
    expect(() => apply(undefined, "a", spec)).toThrow(
      expect.objectContaining({
        code: "typed-object-invalid",
        message: `failed to create typed patch object (/w; example.io/v1, Kind=Widget): ${problem}`,
      }),
    );
  });

  it("refuses managedFields in the configuration", () => {
    const config = widget({}, { managedFields: [] });

    expect(() => apply(undefined, "a", undefined, { config })).toThrow("metadata.managedFields must be nil");
  });

  it.each<[string[], string[], string]>([
    [["a", "b"], ["b", "a"], "ba"],
    [["a", "b", "c"], ["c", "n"], "abcn"],
    [["a", "b", "c"], ["c", "a"], "bca"],
    [["a"], ["n"], "an"],
    [["x", "a", "y", "b", "z"], ["b", "n", "a"], "xybzna"],
  ])("merges %j with %j into %s", (live, config, order) => {
    const before = apply(undefined, "a", { set: live });

    const after = apply(before, "b", { set: config })["spec"] as { set: string[] };

    expect(after.set.join("")).toBe(order);
  });
});

describe("apply as kubectl", () => {
  const annotation = "kubectl.kubernetes.io/last-applied-configuration";
  const clientSide = (spec: Spec): KubeObject => {
    const annotations = { [annotation]: JSON.stringify(widget(spec)) };
    const updated = { ...widget(spec), metadata: { name: "w", annotations } };
    const managedFields = trackUpdate({
      old: undefined,
      updated,
      manager: "kubectl-client-side-apply",
      apiVersion: VERSION,
      now: T1,
      type: WIDGET_TYPE,
    });
    return { ...updated, metadata: { ...updated.metadata, managedFields: managedFields ?? [] } };
  };

  it("takes over what it applied client-side and keeps the annotation up to date", () => {
    const next = apply(clientSide({ title: "a&b", size: 1 }), "kubectl", { title: "c&d" });

    expect(next["spec"]).toEqual({ title: "c&d", size: 1 });
    expect(next.metadata.annotations?.[annotation]).toBe(
      '{"apiVersion":"example.io/v1","kind":"Widget","metadata":{"name":"w"},"spec":{"title":"c\\u0026d"}}\n',
    );
  });

  it("still contests what changed since", () => {
    const live = clientSide({ size: 1 });
    const changed = { ...live, spec: { size: 5 } };
    const managedFields = trackUpdate({
      old: live,
      updated: changed,
      manager: "hpa",
      apiVersion: VERSION,
      now: T2,
      type: WIDGET_TYPE,
    });
    const current = { ...changed, metadata: { ...changed.metadata, managedFields: managedFields ?? [] } };

    expect(conflictOf(() => apply(current, "kubectl", { size: 2 })).message).toContain('"hpa"');
  });
});

describe("equalIgnoringTimes", () => {
  it("sees owners but not times", () => {
    const a = apply(undefined, "a", { size: 1 });
    const later = apply(undefined, "a", { size: 1 }, { now: T2 });
    const other = apply(undefined, "b", { size: 1 });

    expect(equalIgnoringTimes(a, later)).toBe(true);
    expect(equalIgnoringTimes(a, other)).toBe(false);
  });
});

describe("properties of apply", () => {
  const seed = Number(process.env["SEED"] ?? 7);
  let state = seed;
  const random = (bound: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) % bound;
  };
  // Never empty: what loses its last part to an empty map or list becomes null, which the server refuses.
  const subset = (values: readonly string[]): string[] => {
    const chosen = values.filter(() => random(2) === 0);
    return chosen.length === 0 ? values.slice(0, 1) : chosen;
  };
  const maybe = (spec: Spec, key: string, value: () => unknown): void => {
    if (random(2) === 0) spec[key] = value();
  };
  const randomSpec = (): Spec => {
    const spec: Spec = { size: random(3) };
    const map = (): Record<string, string> =>
      Object.fromEntries(subset(["x", "y", "z"]).map((key) => [key, String(random(2))]));
    maybe(spec, "title", () => `t${random(2)}`);
    maybe(spec, "plain", map);
    maybe(spec, "whole", map);
    maybe(spec, "list", () => subset(["p", "q", "r"]));
    maybe(spec, "set", () => subset(["p", "q", "r"]).sort(() => random(3) - 1));
    maybe(spec, "items", () =>
      subset(["i", "j", "k"]).map((name) => {
        const item: Spec = { name };
        maybe(item, "value", () => String(random(2)));
        maybe(item, "tags", () => subset(["t", "u"]));
        return item;
      }),
    );
    maybe(spec, "free", () => ({ [`k${random(2)}`]: random(2) === 0 ? random(2) : { d: [random(2)] } }));
    return spec;
  };
  const writers = ["a", "b", "c"];

  it(`applying twice is applying once, and one's own whole object never conflicts (seed ${seed})`, () => {
    for (let round = 0; round < 300; round++) {
      let live: KubeObject | undefined;
      for (let step = 0; step < 6; step++) {
        const manager = writers[random(3)] ?? "a";
        const spec = randomSpec();
        if (live !== undefined && random(4) === 0) {
          live = update(live, `${manager}-update`, spec);
          continue;
        }
        const once: KubeObject = apply(live, manager, spec, { force: true });
        const twice = applyServerSide({
          live: once,
          config: widget(spec),
          manager,
          apiVersion: VERSION,
          force: false,
          now: T2,
          type: WIDGET_TYPE,
        });

        expect(twice.changed, `round ${round} step ${step}`).toBe(false);
        live = once;
      }
      const { managedFields: _, ...metadata } = live?.metadata ?? {};
      const whole = { ...(live as KubeObject), metadata };
      const adopted = apply(live, "d", undefined, { config: whole });
      expect(equalIgnoringTimes({ ...adopted, metadata }, whole)).toBe(true);
    }
  });
});
