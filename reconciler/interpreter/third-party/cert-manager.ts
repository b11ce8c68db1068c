// cert-manager: certificates are issued cluster by cluster, from issuers and credentials that come along.

import type { KubeObject } from "../../../kube/object.ts";
import { fieldsAt } from "../field-access.ts";
import type { Dependency } from "../interpreter.ts";
import type { KindRules, RulesByKind } from "../kind-rules.ts";
import { aggregatingAgreement } from "./rules/agreement.ts";
import { addCredentials } from "./rules/credentials.ts";
import { textAtPath } from "./rules/field-paths.ts";
import { isCurrentWith, isTrue } from "./rules/kstatus.ts";
import { References } from "./rules/references.ts";
import { reflectingWithGenerations } from "./rules/reflection.ts";

const API_VERSION = "cert-manager.io/v1";

/** Orders and Challenges go through these, the worst first. */
const ACME_STATES = ["invalid", "errored", "expired", "pending", "processing", "ready", "valid"];

const ISSUER: KindRules = {
  interpretHealth: isCurrentWith("Ready"),
  reflectStatus: reflectingWithGenerations(["conditions", "acme"]),
  aggregateStatus: aggregatingAgreement({ decisive: ["Ready"], awaiting: "reconciling", agreed: ["acme"] }),
};

export const CERT_MANAGER_RULES: RulesByKind = {
  [`${API_VERSION}/Certificate`]: {
    // Not the renewal (Issuing): the certificate at hand stays good meanwhile.
    interpretHealth: isCurrentWith("Ready"),
    getDependencies: dependenciesOfCertificate,
    reflectStatus: reflectingWithGenerations([
      "conditions",
      "notBefore",
      "notAfter",
      "renewalTime",
      "revision",
      "lastFailureTime",
      "failedIssuanceAttempts",
    ]),
    aggregateStatus: aggregatingAgreement({
      decisive: ["Ready"],
      awaiting: "reconciling",
      // The fleet has a good certificate from when the last one is until when the first one is not.
      latestTimes: ["notBefore", "lastFailureTime"],
      earliest: ["notAfter", "renewalTime"],
      agreed: ["revision"],
      latest: ["failedIssuanceAttempts"],
    }),
  },
  [`${API_VERSION}/CertificateRequest`]: {
    interpretHealth: (object) =>
      isTrue(fieldsAt(object, "status"), "Ready") &&
      !["Denied", "InvalidRequest"].some((type) => isTrue(fieldsAt(object, "status"), type)),
    getDependencies: (object) => {
      const references = new References(object);
      addIssuer(object, references);
      return references.list();
    },
    // Not the certificates, which differ from cluster to cluster and say nothing to anybody elsewhere.
    reflectStatus: reflectingWithGenerations(["conditions", "failureTime"]),
    aggregateStatus: aggregatingAgreement({
      decisive: ["Ready"],
      awaiting: "reconciling",
      latestTimes: ["failureTime"],
    }),
  },
  [`${API_VERSION}/Issuer`]: { ...ISSUER, getDependencies: dependenciesOfIssuer },
  [`${API_VERSION}/ClusterIssuer`]: ISSUER,
  "acme.cert-manager.io/v1/Order": acmeRules(["valid", "ready"]),
  "acme.cert-manager.io/v1/Challenge": acmeRules(["valid"]),
};

function acmeRules(good: readonly string[]): KindRules {
  return {
    interpretHealth: (object) => good.includes(textAtPath(object, "status", "state")),
    reflectStatus: reflectingWithGenerations(["state", "reason", "failureTime", "presented", "processing"]),
    aggregateStatus: aggregatingAgreement({
      worst: { state: ACME_STATES },
      latest: ["reason"],
      latestTimes: ["failureTime"],
      agreed: ["presented", "processing"],
    }),
  };
}

/** The issuer and the passwords of key stores; not the Secret of the certificate, which is made in the cluster. */
function dependenciesOfCertificate(object: KubeObject): readonly Dependency[] {
  const references = new References(object);
  addIssuer(object, references);
  for (const store of ["jks", "pkcs12"]) {
    references.add("Secret", textAtPath(object, "spec", "keystores", store, "passwordSecretRef", "name"));
  }
  return references.list();
}

// Issuers of other groups belong to other products; a ClusterIssuer is of no namespace.
function addIssuer(object: KubeObject, references: References): void {
  const group = textAtPath(object, "spec", "issuerRef", "group") || "cert-manager.io";
  if (group !== "cert-manager.io") return;
  const kind = textAtPath(object, "spec", "issuerRef", "kind") || "Issuer";
  if (kind === "Issuer") references.add(kind, textAtPath(object, "spec", "issuerRef", "name"), API_VERSION);
}

/** What it reads, wherever its solvers and providers name it; the key of an ACME account is made in the cluster. */
function dependenciesOfIssuer(object: KubeObject): readonly Dependency[] {
  const references = new References(object);
  addCredentials(object["spec"], references, ["privateKeySecretRef"]);
  return references.list();
}
