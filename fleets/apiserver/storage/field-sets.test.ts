import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../../kube/object.ts";
import { readObject } from "./field-sets.ts";
import { encodeJson } from "./json-text.ts";

const ENTRY = {
  manager: "flaghoist",
  operation: "Apply",
  apiVersion: "v1",
  time: "2026-01-02T03:04:05Z",
  fieldsType: "FieldsV1",
};
const FIELDS = {
  "f:metadata": { "f:labels": { 'f:odd"}{\\': {} } },
  "f:spec": { "f:ports": { ".": {}, 'k:{"port":80,"protocol":"TCP"}': { "f:port": {} } } },
};

function stored(metadata: object, rest: object = {}): string {
  return encodeJson({ apiVersion: "v1", kind: "Service", metadata, ...rest });
}

function expectSame(text: string): KubeObject {
  const object = readObject(text);
  expect(object).toEqual(JSON.parse(text));
  // Order of keys included.
  expect(encodeJson(object)).toBe(text);
  return object;
}

describe("readObject", () => {
  it("gives equal sets of owned fields as one frozen object", () => {
    const entries = [
      { ...ENTRY, fieldsV1: FIELDS },
      { ...ENTRY, fieldsV1: { "f:status": {} }, subresource: "status" },
    ];

    const first = expectSame(stored({ name: "a", managedFields: entries, uid: "1" }, { spec: { ports: [] } }));
    const second = expectSame(stored({ name: "b", managedFields: entries.toReversed() }));

    const set = first.metadata.managedFields?.[0]?.fieldsV1;
    expect(Object.isFrozen(set)).toBe(true);
    expect(second.metadata.managedFields?.[1]?.fieldsV1).toBe(set);
  });

  it.each([
    ["no managed fields", stored({ name: "a" }, { data: { a: "b" } })],
    ["none of them", stored({ name: "a", managedFields: [] })],
    ["entries without a set", stored({ name: "a", managedFields: [ENTRY, { ...ENTRY, fieldsV1: FIELDS }] })],
    ["a manager whose name has quotes", stored({ managedFields: [{ ...ENTRY, manager: 'a"b', fieldsV1: FIELDS }] })],
    ["a field of that name elsewhere", stored({ name: "a" }, { spec: { managedFields: [{ fieldsV1: FIELDS }] } })],
    [
      "a key that ends in that name",
      stored({ annotations: { 'x"managedFields': "y" }, managedFields: [{ fieldsV1: FIELDS }] }),
    ],
    [
      "an annotation that quotes an object",
      stored({
        annotations: { "kubectl.kubernetes.io/last-applied-configuration": stored({ managedFields: [ENTRY] }) },
        managedFields: [{ ...ENTRY, fieldsV1: FIELDS }],
      }),
    ],
  ])("reads an object with %s as it is", (_what, text) => {
    expectSame(text);
  });

  it("keeps integers beyond 2^53", () => {
    const text = stored({ managedFields: [{ ...ENTRY, fieldsV1: FIELDS }] }, { spec: { at: 9007199254740993n } });

    const object = readObject(text);

    expect(object["spec"]).toEqual({ at: 9007199254740993n });
    expect(encodeJson(object)).toBe(text);
  });
});
