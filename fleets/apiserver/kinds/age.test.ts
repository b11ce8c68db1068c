import { describe, expect, it } from "vitest";
import { ageOf, shortDuration } from "./age.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe("shortDuration", () => {
  it.each([
    [0, "0s"],
    [119 * SECOND, "119s"],
    [120 * SECOND, "2m"],
    [150 * SECOND, "2m30s"],
    [10 * MINUTE + 5 * SECOND, "10m"],
    [179 * MINUTE, "179m"],
    [3 * HOUR, "3h"],
    [3 * HOUR + 20 * MINUTE, "3h20m"],
    [8 * HOUR + 20 * MINUTE, "8h"],
    [47 * HOUR, "47h"],
    [2 * DAY + 5 * HOUR, "2d5h"],
    [8 * DAY + 5 * HOUR, "8d"],
    [2 * 365 * DAY + 45 * DAY, "2y45d"],
    [8 * 365 * DAY + 45 * DAY, "8y"],
    [-1 * SECOND, "0s"],
    [-5 * SECOND, "<invalid>"],
  ])("prints %d ms as %s", (span, text) => {
    expect(shortDuration(span)).toBe(text);
  });

  it("has no age without a time", () => {
    expect(ageOf(undefined, 0)).toBe("<unknown>");
    expect(ageOf("1970-01-01T00:00:00Z", 5 * SECOND)).toBe("5s");
  });
});
