import { describe, expect, it } from "vitest";
import { jittered, nextCronTime, nextRun } from "./schedule.ts";

const noon = Date.UTC(2026, 5, 1, 12, 0, 0);
const minute = 60_000;

describe("nextRun", () => {
  it("is now for a source that never ran", () => {
    expect(nextRun({ name: "a", intervalMs: minute }, undefined, noon)).toBe(noon);
  });

  it("is one interval after the last run, moved by the name within five percent", () => {
    const next = nextRun({ name: "shop/apps", intervalMs: 100 * minute }, noon, noon);

    expect(next).toBe(noon + jittered(100 * minute, "shop/apps", 0.05));
    expect(next).toBeGreaterThanOrEqual(noon + 95 * minute);
    expect(next).toBeLessThanOrEqual(noon + 105 * minute);
  });

  it("spreads names over the whole range", () => {
    const values = Array.from({ length: 200 }, (_, i) => jittered(1000, `source-${i}`, 0.1));

    expect(Math.min(...values)).toBeLessThan(910);
    expect(Math.max(...values)).toBeGreaterThan(1090);
  });

  it("is now when a request is not handled yet, whatever its text", () => {
    const spec = { name: "a", intervalMs: 60 * minute, requestedAt: "\u0000garbage", handledRequest: "earlier" };

    expect(nextRun(spec, noon - 1, noon)).toBe(noon);
    expect(nextRun({ ...spec, handledRequest: spec.requestedAt }, noon - 1, noon)).toBeGreaterThan(noon);
  });

  it("does not wait out a clock that was set back", () => {
    expect(nextRun({ name: "a", intervalMs: minute, jitter: 0 }, noon + 86_400_000, noon)).toBe(noon + minute);
  });

  it("is the earlier of interval and cron", () => {
    expect(nextRun({ name: "a", intervalMs: 60 * minute, jitter: 0, cron: "30 * * * *" }, noon, noon)).toBe(
      noon + 30 * minute,
    );
  });

  it("is never for a source without interval and schedule", () => {
    expect(nextRun({ name: "a" }, noon, noon)).toBeUndefined();
  });
});

describe("nextCronTime", () => {
  it("reads the zone from the prefix, before the given one", () => {
    // Berlin is two hours ahead of UTC in June.
    expect(nextCronTime("CRON_TZ=Europe/Berlin 0 16 * * *", "Asia/Tokyo", noon)).toBe(noon + 120 * minute);
    expect(nextCronTime("TZ=Asia/Tokyo 0 22 * * *", undefined, noon)).toBe(noon + 60 * minute);
    expect(nextCronTime("0 14 * * *", undefined, noon)).toBe(noon + 120 * minute);
  });

  it("keeps the local hour across daylight saving", () => {
    const before = Date.UTC(2026, 2, 28, 12);

    expect(nextCronTime("0 9 * * *", "Europe/Berlin", before)).toBe(Date.UTC(2026, 2, 29, 7));
  });

  it.each(["", "61 * * * *", "* * * *", "CRON_TZ=Mars/Base 0 0 * * *", "CRON_TZ=UTC", "a b c d e"])(
    "refuses %j",
    (text) => {
      expect(() => nextCronTime(text, undefined, noon)).toThrow(expect.objectContaining({ code: "schedule-invalid" }));
    },
  );
});
