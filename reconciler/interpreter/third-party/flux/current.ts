// All kinds and versions of Flux 2, so that Flux reads a template as it reads its copies: Current when every cluster is,
// InProgress while any is not, Failed once one stands still.

import type { KindRules, RulesByKind } from "../../kind-rules.ts";
import { type AgreementRule, aggregatingAgreement, namedFields } from "../rules/agreement.ts";
import { isCurrentWith } from "../rules/kstatus.ts";
import { reflectingWithGenerations } from "../rules/reflection.ts";
import {
  configMapAt,
  dependenciesOf,
  includedRepositories,
  objectAt,
  secretAt,
  serviceAccount,
  valuesFrom,
} from "./references.ts";
import { retainRequests } from "./requests.ts";

type Dependencies = NonNullable<KindRules["getDependencies"]>;

/** An artifact is the same one wherever it is stored, whenever it was fetched. */
const ARTIFACT = { artifact: ["revision", "digest"] };
const HANDLED = ["lastHandledReconcileAt"];

export const CURRENT_FLUX_RULES: RulesByKind = {
  ...inVersions("helm.toolkit.fluxcd.io", ["v2", "v2beta2", "v2beta1"], "HelmRelease", (apiVersion) =>
    rulesOf(
      {
        agreed: [...HANDLED, "lastHandledForceAt", "lastHandledResetAt", "lastAppliedRevision", "helmChart"],
        // A release is the same one wherever it was made, whenever and however often.
        agreedBy: { history: [] },
        latest: [
          "lastAttemptedRevision",
          "lastAttemptedRevisionDigest",
          "lastAttemptedConfigDigest",
          "lastAttemptedValuesChecksum",
          "lastAttemptedReleaseAction",
          "lastReleaseRevision",
          "storageNamespace",
        ],
        sums: ["failures", "installFailures", "upgradeFailures"],
      },
      dependenciesOf(
        valuesFrom("valuesFrom"),
        objectAt(sourceVersion(apiVersion), ["chart", "spec", "sourceRef"]),
        objectAt(sourceVersion(apiVersion), ["chartRef"]),
        secretAt("chart", "spec", "verify", "secretRef"),
        secretAt("kubeConfig", "secretRef"),
        configMapAt("kubeConfig", "configMapRef"),
        serviceAccount,
      ),
    ),
  ),
  ...inVersions("kustomize.toolkit.fluxcd.io", ["v1", "v1beta2"], "Kustomization", (apiVersion) =>
    rulesOf(
      {
        // The last revision that is in place everywhere; which are on their way, the attempted one tells.
        agreed: [...HANDLED, "lastAppliedRevision", "lastAppliedOriginRevision"],
        latest: ["lastAttemptedRevision"],
      },
      dependenciesOf(
        objectAt(sourceVersion(apiVersion), ["sourceRef"]),
        secretAt("decryption", "secretRef"),
        secretAt("kubeConfig", "secretRef"),
        configMapAt("kubeConfig", "configMapRef"),
        valuesFrom("postBuild", "substituteFrom"),
        serviceAccount,
      ),
    ),
  ),
  ...sourceKind("GitRepository", ["observedIgnore", "observedRecurseSubmodules", "sourceVerificationMode"], () =>
    dependenciesOf(
      secretAt("secretRef"),
      secretAt("verify", "secretRef"),
      secretAt("proxySecretRef"),
      includedRepositories,
      serviceAccount,
    ),
  ),
  ...sourceKind("Bucket", ["observedIgnore"], () =>
    dependenciesOf(
      secretAt("secretRef"),
      secretAt("certSecretRef"),
      secretAt("proxySecretRef"),
      secretAt("sts", "secretRef"),
      secretAt("sts", "certSecretRef"),
      serviceAccount,
    ),
  ),
  ...sourceKind("HelmChart", ["observedChartName", "observedSourceArtifactRevision"], (apiVersion) =>
    dependenciesOf(objectAt(sourceVersion(apiVersion), ["sourceRef"]), secretAt("verify", "secretRef")),
  ),
  ...sourceKind("HelmRepository", [], () => dependenciesOf(secretAt("secretRef"), secretAt("certSecretRef"))),
  ...sourceKind("OCIRepository", ["observedIgnore"], () =>
    dependenciesOf(
      secretAt("secretRef"),
      secretAt("verify", "secretRef"),
      secretAt("certSecretRef"),
      secretAt("proxySecretRef"),
      serviceAccount,
    ),
  ),
  // Made by the controllers of others, who keep its status; there is nothing to suspend.
  "source.toolkit.fluxcd.io/v1/ExternalArtifact": withoutSpecRules({ agreedBy: ARTIFACT }),
  ...inVersions("notification.toolkit.fluxcd.io", ["v1", "v1beta2", "v1beta3"], "Receiver", () =>
    rulesOf({ agreed: HANDLED, latest: ["webhookPath"] }, dependenciesOf(secretAt("secretRef"))),
  ),
  ...inVersions("notification.toolkit.fluxcd.io", ["v1beta2", "v1beta3", "v1"], "Alert", (apiVersion) =>
    stateless(dependenciesOf(objectAt(() => apiVersion, ["providerRef"], "Provider"))),
  ),
  ...inVersions("notification.toolkit.fluxcd.io", ["v1beta2", "v1beta3", "v1"], "Provider", () =>
    stateless(
      dependenciesOf(secretAt("secretRef"), secretAt("certSecretRef"), secretAt("proxySecretRef"), serviceAccount),
    ),
  ),
  ...inVersions("image.toolkit.fluxcd.io", ["v1", "v1beta2"], "ImageRepository", () =>
    rulesOf(
      { agreed: [...HANDLED, "canonicalImageName", "observedExclusionList"], latest: ["lastScanResult"] },
      dependenciesOf(secretAt("secretRef"), secretAt("certSecretRef"), secretAt("proxySecretRef"), serviceAccount),
    ),
  ),
  ...inVersions("image.toolkit.fluxcd.io", ["v1", "v1beta2"], "ImagePolicy", (apiVersion) =>
    rulesOf(
      { agreed: [...HANDLED, "latestRef", "latestImage", "observedPreviousRef", "observedPreviousImage"] },
      dependenciesOf(objectAt(() => apiVersion, ["imageRepositoryRef"], "ImageRepository")),
    ),
  ),
  ...inVersions("image.toolkit.fluxcd.io", ["v1", "v1beta2"], "ImageUpdateAutomation", () =>
    rulesOf(
      {
        agreed: HANDLED,
        latest: ["lastPushCommit", "observedSourceRevision"],
        latestTimes: ["lastAutomationRunTime", "lastPushTime"],
      },
      dependenciesOf(
        objectAt(sourceVersion("image.toolkit.fluxcd.io/v1"), ["sourceRef"]),
        secretAt("git", "commit", "signingKey", "secretRef"),
      ),
    ),
  ),
};

function inVersions(
  group: string,
  versions: readonly string[],
  kind: string,
  rules: (apiVersion: string) => KindRules,
): RulesByKind {
  return Object.fromEntries(
    versions.map((version) => [`${group}/${version}/${kind}`, rules(`${group}/${version}`)] as const),
  );
}

function sourceKind(
  kind: string,
  agreed: readonly string[],
  dependencies: (apiVersion: string) => Dependencies,
): RulesByKind {
  return inVersions("source.toolkit.fluxcd.io", ["v1", "v1beta2"], kind, (apiVersion) =>
    rulesOf({ agreed: [...HANDLED, ...agreed], agreedBy: ARTIFACT, latest: ["url"] }, dependencies(apiVersion)),
  );
}

function rulesOf(rule: AgreementRule, getDependencies: Dependencies): KindRules {
  // Definitions of Flux give new objects the observed generation -1.
  return { ...withoutSpecRules({ ...rule, unobserved: -1 }), retain: retainRequests, getDependencies };
}

function withoutSpecRules(rule: AgreementRule): KindRules {
  return {
    interpretHealth: isCurrentWith("Ready"),
    reflectStatus: reflectingWithGenerations(["conditions", "observedGeneration", ...namedFields(rule)]),
    aggregateStatus: aggregatingAgreement({ ...rule, decisive: ["Ready"], awaiting: "unknown-reconciling" }),
  };
}

// These say how messages are sent and nothing about how they are: kinds without a status.
function stateless(getDependencies: Dependencies): KindRules {
  return { retain: retainRequests, getDependencies };
}

/** The version in which the sources of an object are looked for: Flux brings the kinds of one release together. */
function sourceVersion(apiVersion: string): (kind: string) => string {
  const isCurrent = apiVersion.endsWith("/v1") || apiVersion.endsWith("/v2");
  return (kind) => `source.toolkit.fluxcd.io/${isCurrent || kind === "GitRepository" ? "v1" : "v1beta2"}`;
}
