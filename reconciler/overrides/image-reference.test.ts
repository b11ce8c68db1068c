import { describe, expect, it } from "vitest";
import { formatImage, parseImage } from "./image-reference.ts";

const hex = "9b2a28eb47540823042a2ba401386845089bb7b62a9637d55816132c4c3c36eb";

describe("parseImage", () => {
  it.each([
    ["nginx", { hostname: "", repository: "nginx", tag: "", digest: "" }],
    ["library/nginx:1.19", { hostname: "", repository: "library/nginx", tag: "1.19", digest: "" }],
    ["a.io/x/y:1", { hostname: "a.io", repository: "x/y", tag: "1", digest: "" }],
    ["localhost/x", { hostname: "localhost", repository: "x", tag: "", digest: "" }],
    ["b:5000/x:1", { hostname: "b:5000", repository: "x", tag: "1", digest: "" }],
    ["[::1]:5000/x", { hostname: "[::1]:5000", repository: "x", tag: "", digest: "" }],
    ["UPPER/case:1", { hostname: "", repository: "UPPER/case", tag: "1", digest: "" }],
    [`x/y@sha256:${hex}`, { hostname: "", repository: "x/y", tag: "", digest: `sha256:${hex}` }],
  ])("takes %s apart", (text, expected) => {
    expect(parseImage(text)).toEqual(expected);
    expect(formatImage(parseImage(text) ?? expected)).toBe(text);
  });

  it("keeps the tag only of a reference with tag and digest", () => {
    expect(parseImage(`repo/app:1@sha256:${hex}`)).toMatchObject({ tag: "1", digest: "" });
  });

  it.each([
    "",
    "Nginx",
    "a//b",
    "x:",
    "/nginx",
    `x@sha256:${hex.slice(1)}`,
    `x@sha1:${hex}`,
    "x y",
    `${"a".repeat(256)}`,
  ])("refuses %j", (text) => {
    expect(parseImage(text)).toBeUndefined();
  });
});
