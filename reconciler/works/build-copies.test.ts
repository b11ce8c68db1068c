import { describe, expect, it } from "vitest";
import type { ClusterOverridePolicy, OverridePolicy } from "../../api/policy.ts";
import type { ResourceBinding } from "../../api/work.ts";
import type { KubeObject } from "../../kube/object.ts";
import { randomOverridable, randomOverridePolicy, randomTargetCluster } from "../../test/random/overrides.ts";
import { testSeed } from "../../test/seed.ts";
import { createInterpreter } from "../interpreter/levels.ts";
import { nativeLevel } from "../interpreter/native.ts";
import { listedOverridePolicies } from "../overrides/override-policies.ts";
import { Dice } from "../scheduler/testing/random-cases.ts";
import { readMetadataStripping } from "./tracking-metadata.ts";
import { buildCopies, buildPreparedWorks, buildWorks, prepareWorks, type WorksRequest } from "./work.ts";

const interpreter = createInterpreter({ native: nativeLevel() });
const NAMES = ["a", "b", "c", "d", "e", "f", "g"];

function randomRequest(dice: Dice): WorksRequest {
  const bare = randomOverridable(dice);
  const template: KubeObject = {
    ...bare,
    metadata: {
      ...bare.metadata,
      uid: "u",
      generation: 2,
      ...(dice.chance(0.3)
        ? { annotations: { ...bare.metadata.annotations, "argocd.argoproj.io/sync-options": "Force=true" } }
        : {}),
    },
    status: { replicas: 3 },
  };
  const policies = Array.from({ length: dice.between(0, 4) }, (_, i) => randomOverridePolicy(dice, template, `p${i}`));
  const withVariables = (policy: KubeObject): KubeObject =>
    dice.chance(0.2) ? { ...policy, spec: { ...(policy["spec"] as object), flaghoist: { variables: true } } } : policy;
  const ofKind = (kind: string): KubeObject[] => policies.filter((policy) => policy.kind === kind).map(withVariables);
  const fleet = new Map(
    NAMES.map((name) => {
      const cluster = randomTargetCluster(dice);
      return [name, { ...cluster, metadata: { ...cluster.metadata, name } }];
    }),
  );
  const { name = "", namespace } = template.metadata;
  return {
    binding: {
      apiVersion: "work.karmada.io/v1alpha2",
      kind: "ResourceBinding",
      metadata: { name: "web-deployment", namespace: namespace ?? "" },
      spec: {
        resource: {
          apiVersion: template.apiVersion,
          kind: template.kind,
          name,
          ...(namespace === undefined ? {} : { namespace }),
        },
        ...(dice.chance(0.8) ? { replicas: 7 } : {}),
        ...(dice.chance(0.3) ? { conflictResolution: "Overwrite" as const } : {}),
        clusters: [...NAMES, "gone"].map((cluster) => ({ name: cluster, replicas: dice.between(0, 2) })),
      },
    } satisfies ResourceBinding,
    template,
    clusterOf: (cluster) => fleet.get(cluster),
    overridePolicies: listedOverridePolicies(
      ofKind("ClusterOverridePolicy") as unknown as ClusterOverridePolicy[],
      ofKind("OverridePolicy") as unknown as OverridePolicy[],
    ),
    compatibility: dice.pick(["karmada", "flaghoist"]),
    interpreter,
    workIdOf: (cluster) => `id-of-${cluster}`,
    ...(dice.chance(0.5) ? { stripping: readMetadataStripping(["default"]) } : {}),
  };
}

/** Each cluster as if there were no other. */
function builtOneByOne(request: WorksRequest): ReturnType<typeof buildWorks> {
  const plans = prepareWorks(request).targets.map((target) =>
    buildPreparedWorks(prepareWorks(request), [target], request.interpreter),
  );
  return { works: plans.flatMap(({ works }) => works), failures: plans.flatMap(({ failures }) => failures) };
}

function withoutOurs(manifest: KubeObject): KubeObject {
  const others = (map: Readonly<Record<string, string>> = {}): Record<string, string> =>
    Object.fromEntries(Object.entries(map).filter(([key]) => !key.includes("karmada.io/")));
  const { labels, annotations } = manifest.metadata;
  return {
    ...manifest,
    metadata: { ...manifest.metadata, labels: others(labels), annotations: others(annotations) },
  };
}

describe("the Works of a binding, over random templates, override policies and clusters", () => {
  const dice = new Dice(testSeed());
  const requests = Array.from({ length: 400 }, () => randomRequest(dice));

  it("are what each cluster would have for itself", () => {
    for (const request of requests) expect(buildWorks(request)).toEqual(builtOneByOne(request));
  });

  it("carry the manifests of the copies, with what is written on them", () => {
    for (const request of requests) {
      const { works, failures } = builtOneByOne(request);
      const plan = buildCopies(request);
      expect(plan.failures).toEqual(failures);
      expect(
        plan.copies.map(({ cluster, manifest, overrides }) => [cluster, withoutOurs(manifest), overrides]),
      ).toEqual(
        works.map(({ cluster, work, overrides }) => [
          cluster,
          withoutOurs(work.spec.workload?.manifests?.[0] as unknown as KubeObject),
          overrides,
        ]),
      );
    }
  });

  it("come to one manifest where clusters are meant alike, and to others where they are not", () => {
    let [copies, manifests, most] = [0, 0, 0];
    for (const request of requests) {
      const plan = buildCopies(request);
      const different = new Set(plan.copies.map(({ manifest }) => manifest)).size;
      copies += plan.copies.length;
      manifests += different;
      most = Math.max(most, different);
    }
    expect(manifests).toBeLessThan(copies / 2);
    expect(most).toBeGreaterThan(3);
  });
});
