import { describe, expect, it } from "vitest";
import { formatDuration, formatGoDuration, isDuration, parseDuration } from "./duration.ts";

describe("parseDuration", () => {
  it.each([
    ["0", 0],
    ["0s", 0],
    ["300ms", 300],
    ["1h30m", 5_400_000],
    ["1.5h", 5_400_000],
    [".5s", 500],
    ["2us", 0.002],
    ["-1m", -60_000],
    ["+1m", 60_000],
    ["1m1m", 120_000],
    ["9223372036s", 9_223_372_036_000],
  ])("reads %s", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each([
    "",
    "5",
    "1d",
    "m",
    "1 h",
    "1h ",
    "--1s",
    "1e3s",
    "∞",
    "s5",
    "9223372037s",
    "1.2.3s",
    `${"9".repeat(400)}h`,
  ])("refuses %j", (text) => {
    expect(isDuration(text)).toBe(false);
    expect(() => parseDuration(text)).toThrow(expect.objectContaining({ code: "duration-invalid" }));
  });
});

describe("formatDuration", () => {
  it.each([
    [0, "0s", "0s"],
    [30_000, "30s", "30s"],
    [300_000, "5m", "5m0s"],
    [5_400_000, "1h30m", "1h30m0s"],
    [3_600_000, "1h", "1h0m0s"],
    [1500, "1.5s", "1.5s"],
    [300, "300ms", "300ms"],
    [-60_000, "-1m", "-1m0s"],
  ])("writes %d ms as %s for people and %s as Go does", (ms, short, go) => {
    expect(formatDuration(ms)).toBe(short);
    expect(formatGoDuration(ms)).toBe(go);
    expect(parseDuration(go)).toBe(ms);
  });
});
