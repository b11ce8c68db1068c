import { describe, expect, it } from "vitest";
import { isExtendedResource, isScalarResource } from "./resource-names.ts";

describe("resource names", () => {
  it.each<[string, boolean, boolean]>([
    ["nvidia.com/gpu", true, true],
    ["hugepages-2Mi", false, true],
    ["attachable-volumes-aws-ebs", false, true],
    ["node.kubernetes.io/something", false, true],
    ["requests.nvidia.com/gpu", false, false],
    ["cpu", false, false],
    ["pods", false, false],
    ["gpu", false, false],
    ["a/b/c", false, false],
    ["Upper.Case/gpu", false, false],
  ])("takes %s for an extended resource: %s, for one that nodes count: %s", (name, extended, scalar) => {
    expect(isExtendedResource(name)).toBe(extended);
    expect(isScalarResource(name)).toBe(scalar);
  });
});
