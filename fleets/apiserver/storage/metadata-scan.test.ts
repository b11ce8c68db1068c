import { describe, expect, it } from "vitest";
import { scanMetadata } from "./metadata-scan.ts";

function scan(metadata: unknown, rest: object = {}): ReturnType<typeof scanMetadata> {
  return scanMetadata(Buffer.from(JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata, ...rest })));
}

const NOTHING = { labels: undefined, hasOwners: false, isDeleting: false };

describe("scanMetadata", () => {
  it("finds labels, owners and a deletion among the other fields", () => {
    const metadata = {
      name: "x",
      annotations: { a: 'with "quotes", braces }] and a backslash \\' },
      labels: { app: "wéb", "a.b/c": "" },
      ownerReferences: [{ kind: "Deployment", name: "x", uid: "1" }],
      deletionTimestamp: "2026-01-01T00:00:00Z",
      generation: 3,
    };

    expect(scan(metadata)).toEqual({ labels: JSON.stringify(metadata.labels), hasOwners: true, isDeleting: true });
  });

  it.each([
    ["empty metadata", {}, {}],
    ["empty labels and owners", { labels: {}, ownerReferences: [] }, {}],
    ["fields of the same names elsewhere", { name: "x" }, { spec: { labels: { a: "b" }, ownerReferences: [1] } }],
    ["field names as values and as names of annotations", { name: "labels", annotations: { labels: '{"a":"b"}' } }, {}],
    ["owned fields", { managedFields: [{ fieldsV1: { "f:metadata": { "f:labels": { "f:app": {} } } } }] }, {}],
  ])("is not taken in by %s", (_name, metadata, rest) => {
    expect(scan(metadata, rest)).toEqual(NOTHING);
  });

  it("answers nothing when metadata comes later, so that the object is parsed", () => {
    const bytes = Buffer.from(JSON.stringify({ apiVersion: "v1", kind: "X", spec: {}, metadata: { name: "x" } }));

    expect(scanMetadata(bytes)).toBeUndefined();
  });

  it("agrees with the parser on random metadata", () => {
    const seed = 20_261_128;
    let state = seed;
    const random = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return (state >>> 8) % below;
    };
    const text = (): string =>
      Array.from(
        { length: random(6) },
        () => ['"', "\\", "{", "}", "[", "]", ",", ":", "é", "a", "labels"][random(11)],
      ).join("");
    for (let round = 0; round < 2000; round++) {
      const metadata: Record<string, unknown> = {};
      for (let field = random(6); field > 0; field--) {
        const name = ["labels", "annotations", "ownerReferences", "deletionTimestamp", "x", text()][random(6)]!;
        metadata[name] =
          name === "labels" || name === "annotations"
            ? Object.fromEntries(Array.from({ length: random(3) }, () => [text(), text()]))
            : name === "ownerReferences"
              ? Array.from({ length: random(3) }, () => ({ uid: text() }))
              : text();
      }
      const labels = metadata["labels"] as object | undefined;
      const owners = metadata["ownerReferences"] as unknown[] | undefined;

      expect(scan(metadata), `seed ${seed}, round ${round}`).toEqual({
        labels: labels === undefined || Object.keys(labels).length === 0 ? undefined : JSON.stringify(labels),
        hasOwners: (owners?.length ?? 0) > 0,
        isDeleting: metadata["deletionTimestamp"] !== undefined,
      });
    }
  });
});
