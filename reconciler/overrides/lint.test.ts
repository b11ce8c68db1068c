import { describe, expect, it } from "vitest";
import type { Cluster } from "../../api/cluster.ts";
import type { OverridePolicy, Overriders, OverrideSpec } from "../../api/policy.ts";
import type { KubeObject } from "../../kube/object.ts";
import { lintOverrides } from "./lint.ts";
import type { Placed } from "./lint-effects.ts";

function cluster(name: string): Cluster {
  return {
    apiVersion: "cluster.karmada.io/v1alpha1",
    kind: "Cluster",
    metadata: { name },
    spec: { syncMode: "Push", region: "eu" },
  };
}

const [a, b] = [cluster("a"), cluster("b")];

const web: KubeObject = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web", namespace: "shop", labels: { app: "web" } },
  spec: { replicas: 1, template: { spec: { containers: [{ name: "app", image: "nginx:1" }] } } },
};
const nightly: KubeObject = {
  apiVersion: "batch/v1",
  kind: "CronJob",
  metadata: { name: "nightly", namespace: "shop" },
  spec: {},
};

function op(overriders: Overriders, spec: Partial<OverrideSpec> = {}, name = "p"): OverridePolicy {
  return {
    apiVersion: "policy.karmada.io/v1alpha1",
    kind: "OverridePolicy",
    metadata: { name, namespace: "shop" },
    spec: { overrideRules: [{ overriders }], ...spec },
  };
}

const WEB = [{ apiVersion: "apps/v1", kind: "Deployment", name: "web" }];
const ADD_LABEL: Overriders = { labelsOverrider: [{ operator: "add", value: { x: "y" } }] };

function found(
  policies: readonly OverridePolicy[],
  objects: readonly Placed[] = [
    { object: web, clusters: [a] },
    { object: nightly, clusters: [a] },
  ],
): string[] {
  return lintOverrides({ policies, clusters: [a, b], objects, compatibility: "flaghoist" }).map(
    ({ policy, code, field, words }) => `${policy.name} ${code} ${field}: ${words}`,
  );
}

describe("lintOverrides", () => {
  it("finds nothing where everything has an effect, or is as it is asked for already", () => {
    expect(
      found([
        op(ADD_LABEL),
        op(
          { imageOverrider: [{ component: "Registry", operator: "add", value: "eu.example" }] },
          { resourceSelectors: WEB },
        ),
        op({ labelsOverrider: [{ operator: "replace", value: { app: "web" } }] }, { resourceSelectors: WEB }, "q"),
        op({ argsOverrider: [{ containerName: "app", operator: "remove", value: ["-v"] }] }, {}, "r"),
      ]),
    ).toEqual([]);
  });

  it("finds selectors that select nothing, and says nothing of their rules", () => {
    const resourceSelectors = [{ apiVersion: "apps/v1", kind: "Deployment", name: "wbe" }];

    expect(found([op({ argsOverrider: [{ containerName: "x", operator: "add" }] }, { resourceSelectors })])).toEqual([
      "p selects-nothing spec.resourceSelectors[0]: selects nothing: there is no apps/v1 Deployment wbe in namespace shop",
    ]);
  });

  it("finds rules for clusters that are not there, or where the object is not", () => {
    const rules = (clusterNames: string[]) => ({
      resourceSelectors: WEB,
      overrideRules: [{ targetCluster: { clusterNames }, overriders: ADD_LABEL }],
    });

    expect(found([op({}, rules(["c"]))])).toEqual([
      "p no-cluster spec.overrideRules[0].targetCluster: means no cluster of the fleet",
    ]);
    expect(found([op({}, rules(["b"]))])).toEqual([
      "p not-there spec.overrideRules[0].targetCluster: has no effect: Deployment shop/web is not in b",
    ]);
    expect(found([op({}, rules(["b"]))], [{ object: web, clusters: [] }])).toEqual([]);
  });

  it("finds overriders that their objects cannot feel", () => {
    const both = { resourceSelectors: [...WEB, { apiVersion: "batch/v1", kind: "CronJob" }] };
    const cron = { resourceSelectors: [{ apiVersion: "batch/v1", kind: "CronJob" }] };

    const findings = found([
      op({ imageOverrider: [{ component: "Tag", operator: "replace", value: "2" }] }, both, "fine"),
      op({ imageOverrider: [{ component: "Tag", operator: "replace", value: "2" }] }, cron, "cron"),
      op(
        { commandOverrider: [{ containerName: "ap", operator: "add", value: ["x"] }] },
        { resourceSelectors: WEB },
        "name",
      ),
      op(
        {
          labelsOverrider: [{ operator: "replace", value: { none: "x" } }],
          annotationsOverrider: [{ operator: "remove", value: { none: "x" } }],
          imageOverrider: [{ component: "Tag", operator: "replace", value: "not a tag" }],
        },
        { resourceSelectors: WEB },
        "odd",
      ),
    ]);

    expect(findings.map((finding) => finding.split(":")[0])).toEqual([
      "cron no-containers spec.overrideRules[0].overriders.imageOverrider[0]",
      "name no-effect spec.overrideRules[0].overriders.commandOverrider[0]",
      "odd no-tag spec.overrideRules[0].overriders.imageOverrider[0].value",
      "odd no-effect spec.overrideRules[0].overriders.labelsOverrider[0]",
      "odd no-effect spec.overrideRules[0].overriders.annotationsOverrider[0]",
    ]);
    expect(findings[1]).toContain("no container is called ap; there are app");
  });

  it("finds what fails, with the object and the clusters", () => {
    const overriders: Overriders = {
      imageOverrider: [{ component: "Tag", operator: "remove", predicate: { path: "/spec/x" } }],
    };

    expect(found([op(overriders, { resourceSelectors: WEB })], [{ object: web, clusters: [a, b] }])).toEqual([
      "p fails spec.overrideRules[0].overriders.imageOverrider[0]: cannot be carried out for Deployment shop/web in a, b: failed to convert path(/spec/x) to string",
    ]);
  });

  it("finds what another policy writes over everywhere", () => {
    const replicas = (value: number): Overriders => ({
      plaintext: [{ path: "/spec/replicas", operator: "replace", value }],
    });

    expect(
      found(
        [op(replicas(2), {}, "a"), op(replicas(3), { resourceSelectors: WEB }, "b")],
        [{ object: web, clusters: [a] }],
      ),
    ).toEqual([
      "a shadowed spec.overrideRules[0].overriders.plaintext[0]: never shows: OverridePolicy shop/b, spec.overrideRules[0].overriders.plaintext[0], writes over it",
    ]);
  });

  it("finds the superseded form, and what nobody checked in it", () => {
    const { overrideRules: _, ...spec } = op({}).spec;
    const overriders: Overriders = { labelsOverrider: [{ operator: "add", value: { "a b": "c" } }] };

    const findings = found([{ ...op({}), spec: { ...spec, overriders } }]);

    expect(findings[0]).toContain("p superseded spec.overriders");
    expect(findings[1]).toContain("p invalid spec.overriders.labelsOverrider[0].value");
  });

  it("finds variables in a policy that does not ask for them, and what would be another object", () => {
    expect(
      found([
        op(
          {
            annotationsOverrider: [{ operator: "add", value: { at: "${cluster.name}" } }],
            plaintext: [{ path: "/metadata/name", operator: "replace", value: "web" }],
          },
          { resourceSelectors: WEB },
        ),
      ]).map((finding) => finding.split(" ")[1]),
    ).toEqual(["identity", "plain-variable"]);
  });
});
