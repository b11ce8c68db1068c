import { describe, expect, it } from "vitest";
import { compareVersions, parseRange, parseVersion } from "./semver.ts";

function matches(range: string, version: string): boolean {
  const parsed = parseVersion(version);
  const test = parseRange(range);
  if (parsed === undefined || test === undefined) throw new Error(`${range} or ${version} cannot be read`);
  return test(parsed);
}

describe("parseRange", () => {
  it.each([
    ["1.2.3", "1.2.3 v1.2.3", "1.2.4 1.2.3-rc.1"],
    [">=1.2.3", "1.2.3 9.0.0", "1.2.2 2.0.0-beta"],
    [">=1.0.0-0", "1.0.0-rc.1 1.0.0 2.0.0-beta", "0.9.9"],
    [">1.2", "1.3.0 2.0.0", "1.2.9 1.2.0"],
    [">1.2.3", "1.2.4", "1.2.3"],
    ["<2", "1.9.9 0.0.1", "2.0.0"],
    ["<=1.2", "1.2.9 1.0.0", "1.3.0"],
    ["1.x", "1.0.0 1.9.9", "2.0.0 0.9.0"],
    ["1.2.*", "1.2.0 1.2.9", "1.3.0"],
    ["*", "0.0.1 99.0.0", "1.0.0-rc.1"],
    ["~1.2.3", "1.2.3 1.2.9", "1.3.0 1.2.2"],
    ["~1", "1.0.0 1.9.0", "2.0.0"],
    ["~> 1.2", "1.2.0 1.2.9", "1.3.0"],
    ["^1.2.3", "1.2.3 1.9.0", "2.0.0 1.2.2 2.0.0-rc.1"],
    ["^0.2.3", "0.2.3 0.2.9", "0.3.0"],
    ["^0.0.3", "0.0.3", "0.0.4"],
    ["^0", "0.0.1 0.9.0", "1.0.0"],
    ["^1.0.0-0", "1.0.0-rc.1 1.5.0", "2.0.0-rc.1"],
    ["1.2 - 1.4.5", "1.2.0 1.4.5", "1.1.9 1.4.6"],
    [">=1.0 <1.5, !=1.2.0", "1.0.0 1.4.9", "1.2.0 1.5.0"],
    ["1.x || >=3.0.0", "1.1.0 3.0.0", "2.0.0"],
  ])("%s takes %s and not %s", (range, yes, no) => {
    expect(yes.split(" ").filter((version) => !matches(range, version))).toEqual([]);
    expect(no.split(" ").filter((version) => matches(range, version))).toEqual([]);
  });

  it.each(["", "latest", ">=", "1.2.3.4", "1 ||", "~~1", "a".repeat(300)])("refuses %j", (text) => {
    expect(parseRange(text)).toBeUndefined();
  });
});

describe("compareVersions", () => {
  it("orders as the standard's example does", () => {
    const ordered =
      "1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0 1.0.1 1.10.0";
    const versions = ordered.split(" ").map((text) => parseVersion(text) ?? expect.fail(text));

    const shuffled = [...versions].reverse().sort(compareVersions);

    expect(shuffled).toEqual(versions);
  });

  it("reads only what is a version", () => {
    expect(["release-1", "1.2.3.4", "v", "1..2", "nightly"].map(parseVersion)).toEqual(Array(5).fill(undefined));
    expect(parseVersion("v1.2+build.5")).toEqual({ numbers: [1, 2, 0], prerelease: [] });
  });
});
