import { describe, expect, it } from "vitest";
import { missedTimes, NEVER_DUE, untilNextMs } from "./missed-times.ts";
import { readSchedule } from "./schedule.ts";
import { TimeZone } from "./time-zone.ts";

function next(schedule: string, after: string, zone = ""): string | undefined {
  const timeZone = new TimeZone(zone);
  const time = readSchedule(schedule, timeZone).next(Date.parse(after));
  return time === undefined ? undefined : timeZone.rfc3339(time);
}

describe("a schedule", () => {
  it.each([
    ["*/15 * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:15:00Z"],
    ["0 9 * * mon-fri", "2026-01-02T09:00:00Z", "2026-01-05T09:00:00Z"],
    ["0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"],
    ["30 6-16/4 * * *", "2026-01-01T10:30:00Z", "2026-01-01T14:30:00Z"],
    ["@hourly", "2026-01-01T00:00:30Z", "2026-01-01T01:00:00Z"],
    ["@weekly", "2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z"],
    ["@yearly", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"],
    ["@every 90s", "2026-01-01T00:00:10Z", "2026-01-01T00:01:40Z"],
  ])("%s comes up after %s at %s", (schedule, after, time) => {
    expect(next(schedule, after)).toBe(time);
  });

  it("takes either day when both fields for days say something, and both when one is a star", () => {
    expect(next("0 0 13 * fri", "2026-01-01T00:00:00Z")).toBe("2026-01-02T00:00:00Z");
    expect(next("0 0 13 * *", "2026-01-01T00:00:00Z")).toBe("2026-01-13T00:00:00Z");
    expect(next("0 0 */2 * fri", "2026-01-02T00:00:00Z")).toBe("2026-01-03T00:00:00Z");
  });

  it("goes by the wall clock of its time zone", () => {
    expect(next("0 3 * * *", "2026-01-01T12:00:00Z", "America/New_York")).toBe("2026-01-02T03:00:00-05:00");
    expect(next("0 3 * * *", "2026-07-01T12:00:00Z", "America/New_York")).toBe("2026-07-02T03:00:00-04:00");
    expect(next("0 3 * * *", "2026-01-01T12:00:00Z", "Asia/Kolkata")).toBe("2026-01-02T03:00:00+05:30");
  });

  it("leaves an hour out that clocks skip, and comes up twice in one that they show twice", () => {
    expect(next("30 2 * * *", "2026-03-07T12:00:00Z", "America/New_York")).toBe("2026-03-09T02:30:00-04:00");
    expect(next("30 1 * * *", "2026-11-01T05:30:00Z", "America/New_York")).toBe("2026-11-01T01:30:00-05:00");
  });

  it("never comes up on a day that no month has", () => {
    expect(next("59 23 31 2 *", "2026-01-01T00:00:00Z")).toBeUndefined();
    const schedule = readSchedule("59 23 31 2 *", new TimeZone(""));
    const state = { createdMs: 0, lastScheduleMs: undefined, startingDeadlineSeconds: undefined };
    expect(missedTimes(state, schedule, Date.UTC(2026, 0, 1), true)).toBe(NEVER_DUE);
  });

  it("says what is wrong with a text that is none", () => {
    expect(() => readSchedule("61 * * * *", new TimeZone(""))).toThrow("end of range (61) above maximum (59): 61");
    expect(() => new TimeZone("Mars/Olympus")).toThrow(RangeError);
  });
});

describe("missed times", () => {
  const at = (text: string): number => Date.parse(`2026-01-01T${text}Z`);
  const hourly = readSchedule("0 * * * *", new TimeZone(""));
  const state = { createdMs: at("00:10:00"), lastScheduleMs: undefined, startingDeadlineSeconds: undefined };

  it("are none before the first, which is then only late", () => {
    expect(missedTimes(state, hourly, at("00:59:59"), true)).toMatchObject({ latestMs: undefined, count: 0 });
    expect(missedTimes(state, hourly, at("01:00:00"), true)).toMatchObject({ latestMs: at("01:00:00"), count: 0 });
  });

  it("are counted from the second on, and only the last is made up for", () => {
    expect(missedTimes(state, hourly, at("05:30:00"), true)).toMatchObject({ latestMs: at("05:00:00"), count: 5 });
  });

  it("do not count before the deadline for a start", () => {
    const late = { ...state, startingDeadlineSeconds: 600 };
    expect(missedTimes(late, hourly, at("05:30:00"), true)).toMatchObject({ latestMs: undefined });
  });

  it("make the controller look again a tenth of a second after the next", () => {
    expect(untilNextMs({ ...state, lastScheduleMs: at("05:00:00") }, hourly, at("05:30:00"))).toBe(1_800_100);
  });
});
