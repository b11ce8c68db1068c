import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../kube/object.ts";
import { decodeKind } from "./builtin-kind.ts";
import { decodeProtobuf, isProtobuf } from "./protobuf.ts";

interface Recorded {
  readonly name: string;
  readonly json: JsonObject & { apiVersion: string; kind: string };
  readonly protobuf: string;
}

const file = new URL("../../../test/conformance/vectors/apiserver/protobuf.json", import.meta.url);
const { cases } = JSON.parse(readFileSync(file, "utf8")) as { cases: readonly Recorded[] };

describe("decodeProtobuf", () => {
  it.each(cases.map((each) => [each.name, each] as const))("reads %s as the server prints it", (_name, recorded) => {
    const decoded = decodeProtobuf(Buffer.from(recorded.protobuf, "base64"));

    expect(decodeKind(recorded.json.apiVersion, recorded.json.kind, decoded)).toEqual({
      object: recorded.json,
      strictErrors: [],
    });
  });

  it("refuses bytes cut short within a field", () => {
    const whole = Buffer.from(cases[0]!.protobuf, "base64");

    expect(() => decodeProtobuf(whole.subarray(0, whole.length - 1))).toThrow("unexpected EOF");
    expect(() => decodeProtobuf(whole.subarray(0, 10))).toThrow("unexpected EOF");
    expect(() => decodeProtobuf(whole.subarray(0, 3))).toThrow("does not appear to be a protobuf message");
  });

  it("refuses an unknown kind by name, and says which", () => {
    // Unknown{ typeMeta{ apiVersion "v9", kind "X" } }
    const bytes = Uint8Array.from([0x6b, 0x38, 0x73, 0, 0x0a, 7, 0x0a, 2, 0x76, 0x39, 0x12, 1, 0x58]);

    expect(() => decodeProtobuf(bytes)).toThrow('no kind "X" is registered for version "v9"');
  });

  it("reads options that are named by the group of their object", () => {
    const meta = [0x0a, 8, ...Buffer.from("batch/v1"), 0x12, 13, ...Buffer.from("DeleteOptions")];
    const raw = [0x22, 10, ...Buffer.from("Background")];
    const bytes = [0x6b, 0x38, 0x73, 0, 0x0a, meta.length, ...meta, 0x12, raw.length, ...raw];

    expect(decodeProtobuf(Uint8Array.from(bytes))["propagationPolicy"]).toBe("Background");
  });

  it.each([
    ["a negative length, which leads back for ever", "12f5ffffffffffffffff01", "negative length"],
    ["a number of more than 64 bits", "12ffffffffffffffffffff01", "integer overflow"],
    ["a field of number zero", "0201", "proto: Unknown: illegal tag 0 (wire type 2)"],
    ["the end of a group that did not start", "1c", "proto: Unknown: wiretype end group for non-group"],
    ["a wire type that does not exist", "1f", "proto: illegal wireType 7"],
  ])("refuses %s", (_what, hex, message) => {
    expect(() => decodeProtobuf(Buffer.from(`6b387300${hex}`, "hex"))).toThrow(message);
  });

  it("keeps keys that are names of every object", () => {
    // ConfigMap{ data{ "__proto__": "x" } }
    const bytes = "6b3873000a0f0a0276311209436f6e6669674d61701210120e0a095f5f70726f746f5f5f120178";

    const { data } = decodeProtobuf(Buffer.from(bytes, "hex"));

    expect(Object.entries(data as object)).toEqual([["__proto__", "x"]]);
  });

  it("tells protobuf from JSON by the first bytes", () => {
    expect(isProtobuf(Buffer.from('{"kind":"x"}'))).toBe(false);
    expect(isProtobuf(Buffer.from(cases[0]!.protobuf, "base64"))).toBe(true);
  });

  it("reads negative numbers and numbers beyond 32 bits", () => {
    // DeleteOptions{ gracePeriodSeconds: -1 } and { gracePeriodSeconds: 2^40 }
    const head = [0x6b, 0x38, 0x73, 0, 0x0a, 0x13, 0x0a, 2, 0x76, 0x31, 0x12, 13, ...Buffer.from("DeleteOptions")];
    const minusOne = [0x08, ...new Array<number>(9).fill(0xff), 0x01];
    const large = [0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20];

    expect(decodeProtobuf(Uint8Array.from([...head, 0x12, minusOne.length, ...minusOne]))["gracePeriodSeconds"]).toBe(
      -1,
    );
    expect(decodeProtobuf(Uint8Array.from([...head, 0x12, large.length, ...large]))["gracePeriodSeconds"]).toBe(
      2 ** 40,
    );
  });
});
