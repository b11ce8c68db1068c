import { describe, expect, it } from "vitest";
import { encodeSafe, fnv1a32, hashSuffix } from "./hash.ts";

describe("hashes in names", () => {
  it.each([
    ["", 2166136261],
    ["a", 3826002220],
    ["default-nginx-deployment", 2439396529],
    ["test-ns/rb", 2343020160],
    ["default", 2470140894],
  ])("fnv1a32 of %j is %i", (text, hash) => {
    expect(fnv1a32(text)).toBe(hash);
  });

  it("encodes digits without making words", () => {
    expect(encodeSafe("0123456789")).toBe("456789bcdf");
    expect(hashSuffix("default")).toBe("68c4584df8");
  });
});
