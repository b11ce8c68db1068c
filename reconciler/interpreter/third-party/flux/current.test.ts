import { describe, expect, it } from "vitest";
import type { AggregatedStatusItem } from "../../../../api/work.ts";
import type { KubeObject } from "../../../../kube/object.ts";
import { standardInterpreter } from "../../standard-interpreter.ts";
import { progressOf } from "../rules/kstatus.ts";
import { CURRENT_FLUX_RULES } from "./current.ts";

const NOW = "2026-01-01T00:00:00Z";
const interpreter = standardInterpreter("flaghoist");

function object(key: string, fields: Record<string, unknown> = {}, annotations?: Record<string, string>): KubeObject {
  const [group, version, kind = ""] = key.split("/");
  const metadata = {
    name: "web",
    namespace: "shop",
    generation: 2,
    ...(annotations === undefined ? {} : { annotations }),
  };
  return { apiVersion: `${group}/${version}`, kind, metadata, ...fields };
}

const RELEASE = "helm.toolkit.fluxcd.io/v2/HelmRelease";
const KUSTOMIZATION = "kustomize.toolkit.fluxcd.io/v1/Kustomization";
const REPOSITORY = "source.toolkit.fluxcd.io/v1/GitRepository";

function condition(type: string, status: string, reason = "Succeeded"): Record<string, unknown> {
  return { type, status, reason, message: reason, lastTransitionTime: NOW, observedGeneration: 2 };
}

/** A copy as a cluster reports it, made from the second generation of the template. */
function report(clusterName: string, key: string, status: Record<string, unknown>): AggregatedStatusItem {
  const copy = object(
    key,
    { status: { observedGeneration: 2, ...status } },
    {
      "resourcetemplate.karmada.io/generation": "2",
    },
  );
  return { clusterName, applied: true, status: { ...interpreter.reflectStatus(copy) } };
}

describe("a Flux object of any version", () => {
  const withStatus = Object.entries(CURRENT_FLUX_RULES).filter(([, rules]) => rules.aggregateStatus !== undefined);

  it.each(withStatus.map(([key]) => key))("%s is read by Flux as its copies are", (key) => {
    const good = report("a", key, { conditions: [condition("Ready", "True")] });
    const other = (...conditions: unknown[]): AggregatedStatusItem => report("b", key, { conditions });
    const read = (...items: AggregatedStatusItem[]): string =>
      progressOf(interpreter.aggregateStatus(object(key, { status: { observedGeneration: -1 } }), items, NOW));

    expect(read(good, other(condition("Ready", "True", "UpgradeSucceeded")))).toBe("Current");
    expect(read(good, other(condition("Reconciling", "True"), condition("Ready", "Unknown")))).toBe("InProgress");
    expect(read(good, other(condition("Stalled", "True"), condition("Ready", "False")))).toBe("Failed");
    expect(read(good, { clusterName: "b" })).toBe("InProgress");
    expect(read()).toBe("InProgress");
  });

  it("is healthy when Ready for this generation, whatever the reason, and neither reconciling nor stalled", () => {
    const health = (status?: Record<string, unknown>): boolean =>
      interpreter.interpretHealth(object(RELEASE, { status }));

    expect(health({ observedGeneration: 2, conditions: [condition("Ready", "True", "InstallSucceeded")] })).toBe(true);
    expect(health({ observedGeneration: 1, conditions: [condition("Ready", "True")] })).toBe(false);
    expect(
      health({ observedGeneration: 2, conditions: [condition("Ready", "True"), condition("Stalled", "True")] }),
    ).toBe(false);
    expect(health({ observedGeneration: 2 })).toBe(false);
    expect(health()).toBe(false);
  });
});

describe("what people ask of Flux in a member", () => {
  const REQUESTED = "reconcile.fluxcd.io/requestedAt";
  const FORCED = "reconcile.fluxcd.io/forceAt";
  const EARLIER = "2026-01-01T10:00:00.123456789+01:00";
  const LATER = "2026-01-01T10:00:00.5Z";
  const annotationsOf = (mine?: Record<string, string>, theirs?: Record<string, string>): unknown =>
    interpreter.retain(object(RELEASE, {}, mine), object(RELEASE, {}, theirs)).metadata.annotations;

  it("stays asked: suspension, and requests later than those of the template", () => {
    const desired = object(RELEASE, { spec: { suspend: false } });

    expect(interpreter.retain(desired, object(RELEASE, { spec: { suspend: true } }))["spec"]).toEqual({
      suspend: true,
    });
    expect(annotationsOf({ [REQUESTED]: EARLIER, team: "a" }, { [REQUESTED]: LATER, [FORCED]: LATER })).toEqual({
      [REQUESTED]: LATER,
      [FORCED]: LATER,
      team: "a",
    });
    expect(annotationsOf(undefined, { [REQUESTED]: LATER })).toEqual({ [REQUESTED]: LATER });
  });

  it("gives way to a later request of the template, and to one that is no time", () => {
    expect(annotationsOf({ [REQUESTED]: LATER }, { [REQUESTED]: EARLIER })).toEqual({ [REQUESTED]: LATER });
    expect(annotationsOf({ [REQUESTED]: "now" }, { [REQUESTED]: LATER })).toEqual({ [REQUESTED]: "now" });
  });

  it("is handled once every cluster has handled it, as `flux reconcile` on the template waits for", () => {
    const handled = (clusterName: string, at: string): AggregatedStatusItem =>
      report(clusterName, KUSTOMIZATION, { lastHandledReconcileAt: at });
    const of = (...items: AggregatedStatusItem[]): unknown =>
      interpreter.aggregateStatus(object(KUSTOMIZATION), items, NOW)["status"];

    expect(of(handled("a", LATER), handled("b", LATER))).toMatchObject({ lastHandledReconcileAt: LATER });
    expect(of(handled("a", LATER), handled("b", EARLIER))).not.toHaveProperty("lastHandledReconcileAt");
  });
});

describe("the status of a Flux template", () => {
  it("names the revision that is in place everywhere, and the one that is attempted", () => {
    const template = object(KUSTOMIZATION, { status: { lastAppliedRevision: "main@sha1:1" } });
    const items = [
      report("a", KUSTOMIZATION, { lastAppliedRevision: "main@sha1:2", lastAttemptedRevision: "main@sha1:2" }),
      report("b", KUSTOMIZATION, { lastAppliedRevision: "main@sha1:1", lastAttemptedRevision: "main@sha1:2" }),
    ];

    expect(interpreter.aggregateStatus(template, items, NOW)["status"]).toMatchObject({
      lastAppliedRevision: "main@sha1:1",
      lastAttemptedRevision: "main@sha1:2",
    });
  });

  it("counts the failures there are, not those that were counted before", () => {
    const template = object(RELEASE, { status: { failures: 5 } });
    const items = [report("a", RELEASE, { failures: 1 }), report("b", RELEASE, { failures: 2 })];

    expect(interpreter.aggregateStatus(template, items, NOW)["status"]).toMatchObject({ failures: 3 });
  });

  it("has the artifact that every cluster has fetched, wherever it is stored", () => {
    const artifact = (url: string): Record<string, unknown> => ({ artifact: { revision: "r", digest: "d", url } });
    const items = [report("a", REPOSITORY, artifact("http://a")), report("b", REPOSITORY, artifact("http://b"))];

    expect(interpreter.aggregateStatus(object(REPOSITORY), items, NOW)["status"]).toMatchObject(artifact("http://a"));
  });

  it("leaves out what is large: the inventory of a Kustomization stays in its cluster", () => {
    const copy = object(KUSTOMIZATION, { status: { observedGeneration: 2, inventory: { entries: [{ id: "x" }] } } });

    expect(interpreter.reflectStatus(copy)).toEqual({ observedGeneration: 2, generation: 2 });
  });
});

describe("what a Flux object needs", () => {
  const names = (key: string, spec?: Record<string, unknown>): string[] =>
    interpreter
      .getDependencies(object(key, spec === undefined ? {} : { spec }))
      .map(({ apiVersion, kind, namespace, name }) => `${apiVersion} ${kind} ${namespace}/${name}`);

  it("is the source of a HelmRelease, in the version that Flux has it in, beside values and Secrets", () => {
    const chart = { spec: { chart: "web", sourceRef: { kind: "HelmRepository", name: "acme" } } };

    expect(names(RELEASE, { chart, valuesFrom: [{ kind: "ConfigMap", name: "vals", optional: true }] })).toEqual([
      "source.toolkit.fluxcd.io/v1 HelmRepository shop/acme",
      "v1 ConfigMap shop/vals",
    ]);
    expect(names("helm.toolkit.fluxcd.io/v2beta1/HelmRelease", { chart })).toEqual([
      "source.toolkit.fluxcd.io/v1beta2 HelmRepository shop/acme",
    ]);
    expect(names(RELEASE, { chartRef: { kind: "OCIRepository", name: "charts", namespace: "shop" } })).toEqual([
      "source.toolkit.fluxcd.io/v1 OCIRepository shop/charts",
    ]);
  });

  it("is the source, the keys and the variables of a Kustomization", () => {
    const spec = {
      sourceRef: { kind: "GitRepository", name: "repo" },
      decryption: { provider: "sops", secretRef: { name: "sops" } },
      postBuild: { substituteFrom: [{ kind: "Secret", name: "vars" }] },
      kubeConfig: { configMapRef: { name: "workload" } },
    };

    expect(names(KUSTOMIZATION, spec)).toEqual([
      "source.toolkit.fluxcd.io/v1 GitRepository shop/repo",
      "v1 ConfigMap shop/workload",
      "v1 Secret shop/sops",
      "v1 Secret shop/vars",
    ]);
  });

  it("is nothing of another namespace, whose objects have bindings of their own", () => {
    const sourceRef = { kind: "GitRepository", name: "repo", namespace: "flux-system" };

    expect(names(KUSTOMIZATION, { sourceRef })).toEqual([]);
  });

  it("is what sources, notifications and image policies name", () => {
    expect(
      names(REPOSITORY, { proxySecretRef: { name: "proxy" }, include: [{ repository: { name: "lib" } }] }),
    ).toEqual(["source.toolkit.fluxcd.io/v1 GitRepository shop/lib", "v1 Secret shop/proxy"]);
    expect(names("source.toolkit.fluxcd.io/v1/Bucket", { sts: { secretRef: { name: "sts" } } })).toEqual([
      "v1 Secret shop/sts",
    ]);
    expect(names("notification.toolkit.fluxcd.io/v1beta3/Alert", { providerRef: { name: "slack" } })).toEqual([
      "notification.toolkit.fluxcd.io/v1beta3 Provider shop/slack",
    ]);
    expect(names("image.toolkit.fluxcd.io/v1/ImagePolicy", { imageRepositoryRef: { name: "app" } })).toEqual([
      "image.toolkit.fluxcd.io/v1 ImageRepository shop/app",
    ]);
  });

  it("is nothing where there is no spec, for every kind", () => {
    for (const [key, rules] of Object.entries(CURRENT_FLUX_RULES)) {
      if (rules.getDependencies !== undefined) expect(names(key)).toEqual([]);
    }
  });
});

describe("with compatibility karmada", () => {
  it("the kinds that Karmada knows are answered as it answers, and the others not at all", () => {
    const karmada = standardInterpreter("karmada");
    const copy = object(KUSTOMIZATION, { status: { conditions: [condition("Ready", "True", "InstallSucceeded")] } });

    expect(karmada.interpretHealth(copy)).toBe(false);
    expect(karmada.hookEnabled({ group: "helm.toolkit.fluxcd.io", version: "v2", kind: "HelmRelease" }, "Retain")).toBe(
      false,
    );
  });
});
