import { describe, expect, it } from "vitest";
import {
  describeStanding,
  readStanding,
  type StandingField,
  shownValue,
  updateStanding,
  writeStanding,
} from "./drift-record.ts";

const WEB = "apps/v1/Deployment/shop/web";

function field(words: Partial<StandingField> = {}): StandingField {
  return {
    object: WEB,
    path: "spec.replicas",
    wanted: "2",
    found: "5",
    manager: "kubectl-scale",
    since: "2026-01-01T00:00:00Z",
    ...words,
  };
}

describe("updateStanding", () => {
  it("keeps since when a field differs, whatever others made of it meanwhile", () => {
    const { since: _, ...now } = field({ found: "7", manager: "someone" });

    expect(updateStanding([field()], [now], "2026-02-02T00:00:00Z")).toEqual([{ ...now, since: field().since }]);
  });

  it("begins anew for another field, and for another object", () => {
    const { since: _, ...now } = field();
    const time = "2026-02-02T00:00:00Z";

    expect(updateStanding([field({ path: "spec.paused" }), field({ object: "x" })], [now], time)[0]?.since).toBe(time);
  });
});

describe("the annotation", () => {
  it("is read as it was written", () => {
    expect(readStanding(writeStanding([field(), field({ path: "spec.paused", found: undefined })]))).toMatchObject([
      field(),
      { path: "spec.paused" },
    ]);
  });

  it("is absent when nothing stands", () => {
    expect(writeStanding([])).toBeUndefined();
    expect(readStanding(undefined)).toEqual([]);
  });

  it("stays small however much differs", () => {
    const long = shownValue("x".repeat(100_000), false);
    const fields = Array.from({ length: 1_000 }, (_, i) => field({ path: `data.k${i}`, wanted: long, found: long }));
    const text = writeStanding(fields) ?? "";

    expect(text.length).toBeLessThan(32_768);
    expect(JSON.parse(text)).toMatchObject({ more: 960 });
  });

  it.each([
    "",
    "{",
    "null",
    "[]",
    '{"fields":{}}',
    '{"fields":[{"object":1}]}',
    '{"fields":[{"object":"a","path":"b","since":"no time"}]}',
  ])("counts as absent when it is garbage: %s", (text) => {
    expect(readStanding(text)).toEqual([]);
  });
});

describe("shownValue", () => {
  it("hides what is secret and cuts what is long", () => {
    expect(shownValue("s3cret", true)).toBe("(hidden)");
    expect(shownValue("x".repeat(1_000), false)).toHaveLength(257);
    expect(shownValue(undefined, true)).toBeUndefined();
  });
});

describe("describeStanding", () => {
  it("names the first fields and counts the others", () => {
    const fields = Array.from({ length: 5 }, (_, i) => field({ path: `data.k${i}` }));

    expect(describeStanding(fields)).toMatch(/^5 fields are not as wanted, and left so .*data\.k2 .*; and 2 more$/);
    expect(describeStanding([field()])).toBe(
      "1 field is not as wanted, and left so (drift: report): spec.replicas wanted 2, found 5, by kubectl-scale",
    );
  });
});
