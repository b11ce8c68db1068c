import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Cluster } from "../../api/cluster.ts";
import type { ClusterOverridePolicy, OverridePolicy } from "../../api/policy.ts";
import { applyJsonPatch, type JsonPatchOperation } from "../../kube/json-patch.ts";
import type { KubeObject } from "../../kube/object.ts";
import { applyOverrides } from "./apply-overrides.ts";
import type { OverrideChange } from "./override-result.ts";

interface RecordedCase {
  readonly id: string;
  readonly input: {
    readonly object: KubeObject;
    readonly cluster: Cluster;
    readonly policies: readonly (OverridePolicy | ClusterOverridePolicy)[];
  };
  readonly expected: { readonly error?: string };
}

const file = join(import.meta.dirname, "../../test/conformance/vectors/karmada/override.json");
const cases = (JSON.parse(readFileSync(file, "utf8")) as readonly RecordedCase[]).filter(
  ({ expected }) => expected.error === undefined,
);

function asOperation({ path, old, value }: OverrideChange): JsonPatchOperation {
  if (value === undefined) return { op: "remove", path };
  return { op: old === undefined ? "add" : "replace", path, value };
}

describe("the provenance of overrides", () => {
  it("tells the whole story: replaying it over the template gives the result", () => {
    for (const { id, input } of cases) {
      const { object, provenance } = applyOverrides({
        object: input.object,
        cluster: input.cluster,
        clusterOverridePolicies: input.policies.filter((policy) => policy.kind === "ClusterOverridePolicy"),
        overridePolicies: input.policies.filter((policy) => policy.kind === "OverridePolicy"),
      });

      expect(applyJsonPatch(input.object, provenance.map(asOperation)), id).toEqual(object);
    }
  });
});
