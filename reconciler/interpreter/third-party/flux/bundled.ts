// The kinds of Flux that Karmada ships customizations for, answered as those answer.

import type { MemberStatus } from "../../aggregation.ts";
import { type Fields, fieldsAt } from "../../field-access.ts";
import type { KindRules, RulesByKind } from "../../kind-rules.ts";
import { aggregating, lastFilledOf, lastOf, observedGenerationOf, type Report, sumOf } from "../rules/aggregation.ts";
import { hasConditionWith, mergedConditions } from "../rules/conditions.ts";
import { retaining } from "../rules/fields.ts";
import { numberAt } from "../rules/numbers.ts";
import { reflectingWithGenerations } from "../rules/reflection.ts";
import { dependenciesOf, secretAt, serviceAccount, valuesFrom } from "./references.ts";

interface FluxKind {
  /** The reasons with which a Ready copy is taken for healthy. */
  readonly healthyReasons: readonly string[];
  /** What is collected of a copy's status, beside its conditions. */
  readonly reflected: readonly string[];
  /** Of the last cluster that says anything; what the template said before stays when none does. */
  readonly latestOrOld?: readonly string[];
  /** Of the last cluster that says anything, else empty. */
  readonly latest?: readonly string[];
  /** Of the last cluster that has the field at all; what the template said before stays when none has. */
  readonly lastPresent?: readonly string[];
  /** Added to what the template said before; left out where it said nothing. */
  readonly counters?: readonly string[];
  readonly hasArtifact?: boolean;
  readonly dependencies: NonNullable<KindRules["getDependencies"]>;
}

export const BUNDLED_FLUX_RULES: RulesByKind = {
  "helm.toolkit.fluxcd.io/v2beta1/HelmRelease": rulesOf({
    healthyReasons: ["ReconciliationSucceeded"],
    reflected: [
      "observedGeneration",
      "lastAttemptedRevision",
      "lastAppliedRevision",
      "lastAttemptedValuesChecksum",
      "helmChart",
      "lastReleaseRevision",
      "failures",
      "upgradeFailures",
      "installFailures",
    ],
    latestOrOld: ["lastAttemptedRevision", "lastAppliedRevision", "lastAttemptedValuesChecksum", "helmChart"],
    lastPresent: ["lastReleaseRevision"],
    // As Karmada: every aggregation adds the failures of the copies to those already there.
    counters: ["failures", "upgradeFailures", "installFailures"],
    dependencies: dependenciesOf(
      valuesFrom("valuesFrom"),
      secretAt("chart", "spec", "verify", "secretRef"),
      secretAt("kubeConfig", "secretRef"),
      serviceAccount,
    ),
  }),
  "kustomize.toolkit.fluxcd.io/v1/Kustomization": rulesOf({
    healthyReasons: ["ReconciliationSucceeded"],
    reflected: ["observedGeneration", "lastAppliedRevision", "lastAttemptedRevision"],
    latestOrOld: ["lastAppliedRevision", "lastAttemptedRevision"],
    dependencies: dependenciesOf(
      secretAt("decryption", "secretRef"),
      secretAt("kubeConfig", "secretRef"),
      serviceAccount,
    ),
  }),
  "source.toolkit.fluxcd.io/v1/GitRepository": rulesOf({
    healthyReasons: ["Succeeded"],
    reflected: ["artifact", "observedGeneration", "observedIgnore", "observedRecurseSubmodules"],
    hasArtifact: true,
    dependencies: dependenciesOf(secretAt("secretRef"), secretAt("verify", "secretRef")),
  }),
  "source.toolkit.fluxcd.io/v1beta2/Bucket": rulesOf({
    healthyReasons: ["Succeeded"],
    reflected: ["artifact", "observedGeneration", "observedIgnore", "url"],
    latest: ["url"],
    hasArtifact: true,
    dependencies: dependenciesOf(secretAt("secretRef")),
  }),
  "source.toolkit.fluxcd.io/v1beta2/HelmChart": rulesOf({
    healthyReasons: ["Succeeded", "ChartPullSucceeded"],
    // As Karmada: the observed generation is not collected, which keeps that of the template from ever following.
    reflected: ["artifact", "observedChartName", "observedSourceArtifactRevision", "url"],
    latest: ["observedChartName", "observedSourceArtifactRevision", "url"],
    hasArtifact: true,
    dependencies: dependenciesOf(secretAt("verify", "secretRef")),
  }),
  "source.toolkit.fluxcd.io/v1beta2/HelmRepository": rulesOf({
    healthyReasons: ["Succeeded"],
    reflected: ["artifact", "observedGeneration", "url"],
    latest: ["url"],
    hasArtifact: true,
    dependencies: dependenciesOf(secretAt("secretRef")),
  }),
  "source.toolkit.fluxcd.io/v1beta2/OCIRepository": rulesOf({
    healthyReasons: ["Succeeded"],
    reflected: ["artifact", "observedGeneration", "observedIgnore", "observedLayerSelector", "url"],
    latest: ["url"],
    hasArtifact: true,
    dependencies: dependenciesOf(
      secretAt("secretRef"),
      secretAt("verify", "secretRef"),
      secretAt("certSecretRef"),
      serviceAccount,
    ),
  }),
};

function rulesOf(kind: FluxKind): KindRules {
  return {
    interpretHealth: (object) => hasConditionWith(fieldsAt(object, "status"), "Ready", "True", kind.healthyReasons),
    retain: retaining(["spec", "suspend"]),
    getDependencies: kind.dependencies,
    reflectStatus: reflectingWithGenerations(["conditions", ...kind.reflected]),
    aggregateStatus: aggregating(
      (report) => statusOf(report, kind),
      (report) => emptyStatus(report, kind),
    ),
  };
}

function statusOf(report: Report, kind: FluxKind): Fields {
  const { members, old } = report;
  const status: Record<string, unknown> = {
    conditions: mergedConditions(members),
    observedGeneration: observedGenerationOf(report),
  };
  for (const field of kind.latestOrOld ?? []) status[field] = lastFilledOf(members, field) ?? old[field];
  for (const field of kind.latest ?? []) status[field] = lastFilledOf(members, field) ?? "";
  for (const field of kind.lastPresent ?? []) status[field] = lastOf(members, field) ?? old[field];
  for (const field of kind.counters ?? []) status[field] = grown(old[field], members, field);
  if (kind.hasArtifact === true) status["artifact"] = lastOf(members, "artifact");
  return status;
}

/** As Karmada: a template that has no copies at all is finished, and says nothing of them. */
function emptyStatus({ template }: Report, kind: FluxKind): Fields {
  const texts = [...(kind.latestOrOld ?? []), ...(kind.latest ?? []), ...(kind.lastPresent ?? [])];
  return {
    conditions: undefined,
    ...(kind.hasArtifact === true ? { artifact: undefined } : {}),
    ...Object.fromEntries(texts.map((field) => [field, ""])),
    ...Object.fromEntries((kind.counters ?? []).map((field) => [field, 0])),
    observedGeneration: template.metadata.generation ?? 0,
  };
}

/** What the template counted before and what the copies count now; undefined when it counted nothing before. */
function grown(before: unknown, members: readonly MemberStatus[], field: string): unknown {
  const counting = members.filter(({ status }) => (status[field] ?? undefined) !== undefined);
  if (before === undefined || before === null || counting.length === 0) return before;
  return numberAt({ [field]: before }, field) + sumOf(counting, field);
}
