import { describe, expect, it } from "vitest";
import type { AggregatedStatusItem } from "../../../../api/work.ts";
import type { KubeObject } from "../../../../kube/object.ts";
import { NOTHING_REPORTED } from "../../interpreter.ts";
import { rulesLevel } from "../../kind-rules.ts";
import { createInterpreter } from "../../levels.ts";
import { BUNDLED_FLUX_RULES } from "./bundled.ts";

const NOW = "2026-01-01T00:00:00Z";
const level = rulesLevel(BUNDLED_FLUX_RULES);
const interpreter = createInterpreter({ native: level });

function object(kind: string, fields: Record<string, unknown> = {}): KubeObject {
  const apiVersion = Object.keys(BUNDLED_FLUX_RULES)
    .find((key) => key.endsWith(`/${kind}`))
    ?.slice(0, -kind.length - 1);
  return { apiVersion: apiVersion ?? "", kind, metadata: { name: "web", namespace: "shop", generation: 2 }, ...fields };
}

function ready(status: string, reason: string, message = "done"): Record<string, unknown> {
  return { type: "Ready", status, reason, message, lastTransitionTime: NOW };
}

function item(clusterName: string, status?: Record<string, unknown>): AggregatedStatusItem {
  return { clusterName, applied: true, ...(status === undefined ? {} : { status }) };
}

function aggregated(template: KubeObject, ...items: AggregatedStatusItem[]): unknown {
  return interpreter.aggregateStatus(template, items, NOW)["status"];
}

describe("health of the Flux kinds that Karmada knows", () => {
  it.each([
    ["Kustomization", "ReconciliationSucceeded"],
    ["HelmRelease", "ReconciliationSucceeded"],
    ["GitRepository", "Succeeded"],
    ["HelmChart", "ChartPullSucceeded"],
  ])("takes a %s for healthy that is Ready because of %s", (kind, reason) => {
    const health = (...conditions: unknown[]): boolean =>
      interpreter.interpretHealth(object(kind, { status: { conditions } }));

    expect(health(ready("True", reason))).toBe(true);
    expect(health(ready("False", reason))).toBe(false);
    expect(health(null, ready("True", "Other"))).toBe(false);
  });

  it("takes one without a status for unhealthy, and names the field of one that is malformed", () => {
    expect(interpreter.interpretHealth(object("Bucket"))).toBe(false);
    expect(() => interpreter.interpretHealth(object("Bucket", { status: { conditions: "none" } }))).toThrow(
      expect.objectContaining({
        code: "interpreter-field-malformed",
        details: expect.objectContaining({ field: "conditions" }),
      }),
    );
  });
});

describe("dependencies of the Flux kinds that Karmada knows", () => {
  const names = (kind: string, spec?: Record<string, unknown>): string[] =>
    interpreter
      .getDependencies(object(kind, spec === undefined ? {} : { spec }))
      .map((dependency) => `${dependency.kind} ${dependency.namespace}/${dependency.name}`);

  it("are the values, Secrets and account of a HelmRelease, each once", () => {
    const spec = {
      valuesFrom: [{ kind: "ConfigMap", name: "vals" }, { kind: "Secret", name: "remote" }, { kind: "Secret" }, null],
      chart: { spec: { verify: { secretRef: { name: "cosign" } } } },
      kubeConfig: { secretRef: { name: "remote" } },
      serviceAccountName: "helm",
    };

    expect(names("HelmRelease", spec)).toEqual([
      "ConfigMap shop/vals",
      "Secret shop/cosign",
      "Secret shop/remote",
      "ServiceAccount shop/helm",
    ]);
  });

  // Karmada's script fails on an OCIRepository without an account.
  it("are the three Secrets of an OCIRepository, with or without an account", () => {
    const spec = { secretRef: { name: "a" }, verify: { secretRef: { name: "b" } }, certSecretRef: { name: "c" } };

    expect(names("OCIRepository", spec)).toEqual(["Secret shop/a", "Secret shop/b", "Secret shop/c"]);
    expect(names("OCIRepository", { serviceAccountName: "oci" })).toEqual(["ServiceAccount shop/oci"]);
  });

  it("are none where the spec names none or is missing", () => {
    for (const kind of ["HelmRelease", "Kustomization", "GitRepository", "Bucket", "HelmChart", "OCIRepository"]) {
      expect(names(kind)).toEqual([]);
      expect(names(kind, { secretRef: {}, verify: null, decryption: {}, kubeConfig: {}, valuesFrom: [] })).toEqual([]);
    }
  });

  it("are unknown, with the path of the field, when a reference is malformed", () => {
    expect(() => names("Kustomization", { decryption: { secretRef: "sops" } })).toThrow(
      "field spec.decryption.secretRef is not an object",
    );
    expect(() => names("Kustomization", { decryption: { secretRef: { name: 5 } } })).toThrow(
      "field spec.decryption.secretRef.name is not a text",
    );
  });
});

describe("retention of the Flux kinds that Karmada knows", () => {
  it("obeys whoever suspended or resumed the copy", () => {
    const desired = object("Kustomization", { spec: { path: "./", suspend: true } });

    expect(interpreter.retain(desired, object("Kustomization", { spec: { suspend: false } }))["spec"]).toEqual({
      path: "./",
      suspend: false,
    });
    expect(interpreter.retain(desired, object("Kustomization", { spec: {} }))["spec"]).toEqual(desired["spec"]);
  });
});

describe("aggregation of the Flux kinds that Karmada knows", () => {
  const current = { resourceTemplateGeneration: 2, generation: 5, observedGeneration: 5 };

  it("joins equal conditions, and observes the generation that every cluster has seen", () => {
    const conditions = [ready("True", "ReconciliationSucceeded")];

    expect(
      aggregated(
        object("Kustomization"),
        item("a", { ...current, conditions, lastAppliedRevision: "main@sha1:1" }),
        item("b", { ...current, conditions, lastAppliedRevision: "" }),
      ),
    ).toEqual({
      conditions: [{ ...conditions[0], message: "a=done, b=done" }],
      lastAppliedRevision: "main@sha1:1",
      observedGeneration: 2,
    });
  });

  it("keeps the observed generation and the revisions while a cluster is silent", () => {
    const status = { observedGeneration: 1, lastAppliedRevision: "main@sha1:0" };

    expect(aggregated(object("Kustomization", { status }), item("a", current), item("b"))).toEqual(status);
  });

  it("empties what was said of copies once a template has none", () => {
    const status = { observedGeneration: 1, failures: 3, conditions: [ready("True", "Any")], helmChart: "shop/web" };

    expect(interpreter.aggregateStatus(object("HelmRelease", { status }), NOTHING_REPORTED, NOW)["status"]).toEqual({
      observedGeneration: 2,
      failures: 0,
      installFailures: 0,
      upgradeFailures: 0,
      helmChart: "",
      lastAttemptedRevision: "",
      lastAppliedRevision: "",
      lastAttemptedValuesChecksum: "",
      lastReleaseRevision: "",
    });
  });

  it("adds the failures of a HelmRelease to those already counted, if any were", () => {
    const items = [item("a", { failures: 1, upgradeFailures: 2 }), item("b", { failures: 3 })];

    expect(aggregated(object("HelmRelease", { status: { failures: 1 } }), ...items)).toEqual({
      failures: 5,
      observedGeneration: 0,
    });
  });

  it("takes the artifact and the address of a source from the last cluster that has them", () => {
    const items = [item("a", { artifact: { revision: "1" }, url: "u" }), item("b", { artifact: { revision: "2" } })];

    expect(aggregated(object("Bucket"), ...items)).toEqual({
      artifact: { revision: "2" },
      url: "u",
      observedGeneration: 0,
    });
  });
});
