import { describe, expect, it } from "vitest";
import { formatCheck } from "./formats.ts";

describe("formats", () => {
  it.each<[format: string, good: readonly string[], bad: readonly string[]]>([
    ["date", ["2024-02-29"], ["2023-02-29", "2024-13-01", "24-1-1"]],
    ["date-time", ["2024-01-01T00:00:00Z", "2024-01-01T00:00:00.5+02:00"], ["2024-01-01", "2024-01-01T25:00:00Z"]],
    ["ipv4", ["1.2.3.4"], ["1.2.3", "1.2.3.256", "01.2.3.4"]],
    ["ipv6", ["::1", "2001:db8::1", "::ffff:1.2.3.4"], ["zz", "1:2", ":::", "1.2.3.4", "1:2:3:4:5:6:7:8:9"]],
    ["cidr", ["1.2.3.0/24", "::/0"], ["1.2.3.4", "1.2.3.0/33"]],
    ["uri", ["https://x.io/a", "urn:x", "/abs"], ["not a uri", "x", "http://x/%zz"]],
    ["email", ["a@b.io"], ["nope", "a@b@c"]],
    ["uuid", ["123e4567-e89b-12d3-a456-426614174000"], ["x"]],
    ["byte", ["aGk="], ["%%%", "a"]],
    ["duration", ["5m", "1h30m", "1.5s", "2 days"], ["soon", "5"]],
    ["mac", ["00:11:22:33:44:55"], ["zz", "00:11:22"]],
    ["hostname", ["a.example.com", "localhost"], ["-a", "a b"]],
  ])("%s", (format, good, bad) => {
    const check = formatCheck(format)!;

    expect(good.filter((text) => !check(text))).toEqual([]);
    expect(bad.filter((text) => check(text))).toEqual([]);
  });

  it("are not checked when they are unknown or mere hints", () => {
    expect(formatCheck("password")).toBeUndefined();
    expect(formatCheck("fancy")).toBeUndefined();
  });
});
