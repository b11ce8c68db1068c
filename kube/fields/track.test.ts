import { describe, expect, it } from "vitest";
import type { KubeObject, ManagedFieldsEntry } from "../object.ts";
import { setOfPaths } from "./field-set.ts";
import { trackUpdate, type UpdateRequest } from "./track.ts";
import { WIDGET_TYPE } from "./widget.test-type.ts";

const VERSION = "example.io/v1";

function widget(spec: Record<string, unknown>, managedFields?: ManagedFieldsEntry[]): KubeObject {
  const metadata = { name: "w", labels: { l: "1" }, ...(managedFields === undefined ? {} : { managedFields }) };
  return { apiVersion: VERSION, kind: "Widget", metadata, spec };
}

function timeOf(day: number): string {
  return `2026-01-${String(day).padStart(2, "0")}T00:00:00Z`;
}

function write(
  old: KubeObject | undefined,
  manager: string,
  spec: Record<string, unknown>,
  options: Partial<UpdateRequest> = {},
): KubeObject {
  const updated = widget(spec);
  const request = { old, updated, manager, apiVersion: VERSION, now: timeOf(1), type: WIDGET_TYPE };
  return widget(spec, trackUpdate({ ...request, ...options }));
}

function owned(object: KubeObject): Record<string, unknown> {
  return Object.fromEntries(
    (object.metadata.managedFields ?? []).map((entry) => [entry.manager, entry.fieldsV1?.["f:spec"]]),
  );
}

describe("trackUpdate", () => {
  it("gives the creator every field, containers included, but not the object's identity", () => {
    const object = write(undefined, "c", { plain: { x: "1" }, items: [{ name: "i" }], whole: { y: "1" } });

    expect(object.metadata.managedFields).toEqual([
      {
        manager: "c",
        operation: "Update",
        apiVersion: VERSION,
        time: timeOf(1),
        fieldsType: "FieldsV1",
        fieldsV1: {
          "f:metadata": { "f:labels": { ".": {}, "f:l": {} } },
          "f:spec": {
            ".": {},
            "f:plain": { ".": {}, "f:x": {} },
            "f:items": { ".": {}, 'k:{"name":"i"}': { ".": {}, "f:name": {} } },
            "f:whole": {},
          },
        },
      },
    ]);
  });

  it("leaves out what the empty object already has", () => {
    const object = write(undefined, "c", { size: 1 }, { empty: widget({}) });

    expect(owned(object)).toEqual({ c: { "f:size": {} } });
  });

  it("moves changed fields to the writer and forgets removed ones", () => {
    const first = write(undefined, "c", { size: 1, title: "t", plain: { x: "1", y: "1" } });

    const next = write(first, "u", { size: 2, plain: { x: "1" } }, { now: timeOf(2) });

    expect(owned(next)).toEqual({ c: { ".": {}, "f:plain": { ".": {}, "f:x": {} } }, u: { "f:size": {} } });
    expect(next.metadata.managedFields?.map(({ time }) => time)).toEqual([timeOf(1), timeOf(2)]);
  });

  it("leaves owners and times alone when nothing changes", () => {
    const first = write(undefined, "c", { size: 1 });

    expect(write(first, "u", { size: 1 }, { now: timeOf(2) }).metadata).toEqual(first.metadata);
  });

  it("ignores fields that the endpoint resets", () => {
    const first = write(undefined, "c", { size: 1 });

    const next = write(first, "u", { size: 2 }, { resetFields: setOfPaths([["f:spec"]]) });

    expect(owned(next)).toEqual({ c: { ".": {}, "f:size": {} } });
  });

  it("keeps entries of one manager apart by subresource", () => {
    const first = write(undefined, "c", { size: 1 });

    const next = write(first, "c", { size: 2 }, { subresource: "scale" });

    expect(next.metadata.managedFields?.map((entry) => entry.subresource)).toEqual([undefined, "scale"]);
  });

  it.each([[[]], [[{}]]])("clears ownership for %j, and starts anew only with an apply", (sent) => {
    const first = write(undefined, "c", { size: 1 });

    const cleared = write(first, "u", {}, { updated: widget({ size: 2 }, sent) });

    expect(cleared.metadata.managedFields).toBeUndefined();
    expect(write(cleared, "u", { size: 3 }).metadata.managedFields).toBeUndefined();
  });

  it("takes the entries that the client sends, unless they are malformed", () => {
    const first = write(undefined, "c", { size: 1 });
    const renamed = (first.metadata.managedFields ?? []).map((entry) => ({ ...entry, manager: "renamed" }));
    const malformed = renamed.map((entry) => ({ ...entry, operation: "Create" }));

    expect(Object.keys(owned(write(first, "u", {}, { updated: widget({ size: 1 }, renamed) })))).toEqual(["renamed"]);
    expect(Object.keys(owned(write(first, "u", {}, { updated: widget({ size: 1 }, malformed) })))).toEqual(["c"]);
  });

  it("merges the oldest updaters of a version beyond ten", () => {
    let object = write(undefined, "m0", { size: 0 });
    for (let index = 1; index <= 12; index++) {
      const plain = Object.fromEntries(Array.from({ length: index }, (_, key) => [`k${key}`, "1"]));
      object = write(object, `m${index}`, { size: 0, plain }, { now: timeOf(index + 1) });
    }

    const managers = object.metadata.managedFields?.map(({ manager }) => manager) ?? [];
    expect(managers).toHaveLength(10);
    expect(managers[0]).toBe("ancient-changes");
    expect(managers).not.toContain("m3");
    expect(managers).toContain("m4");
  });

  it("compares items that occur twice as a whole", () => {
    const first = write(undefined, "c", {
      items: [
        { name: "i", value: "1" },
        { name: "i", value: "2" },
      ],
    });

    const next = write(first, "u", { items: [{ name: "i", value: "1" }] });

    expect(owned(first)["c"]).toMatchObject({ "f:items": { 'k:{"name":"i"}': {} } });
    expect(owned(next)["u"]).toEqual({ "f:items": { 'k:{"name":"i"}': { ".": {}, "f:name": {}, "f:value": {} } } });
  });
});
