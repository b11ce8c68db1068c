// External Secrets: Secrets are fetched cluster by cluster, from stores whose credentials come along.

import type { KubeObject } from "../../../kube/object.ts";
import type { Dependency } from "../interpreter.ts";
import type { KindRules, RulesByKind } from "../kind-rules.ts";
import { type AgreementRule, aggregatingAgreement, namedFields } from "./rules/agreement.ts";
import { addCredentials } from "./rules/credentials.ts";
import { objectsAtPath, textAtPath, valueAtPath } from "./rules/field-paths.ts";
import { isCurrentWith } from "./rules/kstatus.ts";
import { References } from "./rules/references.ts";
import { reflectingWithGenerations } from "./rules/reflection.ts";

const GROUP = "external-secrets.io";

// The fleet has what the cluster that looked longest ago has.
const EXTERNAL_SECRET = { ...statusRules({ earliest: ["refreshTime"], agreed: ["binding"] }), getDependencies: needed };
const STORE = statusRules({ agreed: ["capabilities"] });

export const EXTERNAL_SECRETS_RULES: RulesByKind = Object.fromEntries([
  ...["v1", "v1beta1"].flatMap((version) => [
    [`${GROUP}/${version}/ExternalSecret`, EXTERNAL_SECRET],
    [`${GROUP}/${version}/SecretStore`, { ...STORE, getDependencies: credentialsOf }],
    [`${GROUP}/${version}/ClusterSecretStore`, STORE],
  ]),
  [`${GROUP}/v1alpha1/PushSecret`, { ...statusRules({ earliest: ["refreshTime"] }), getDependencies: pushed }],
]);

function statusRules(rule: AgreementRule): KindRules {
  return {
    interpretHealth: isCurrentWith("Ready"),
    reflectStatus: reflectingWithGenerations(["conditions", ...namedFields(rule)]),
    aggregateStatus: aggregatingAgreement({ ...rule, decisive: ["Ready"], awaiting: "reconciling" }),
  };
}

/** The stores it is fetched from and what its template is made of; not the Secret that comes of it. */
function needed(object: KubeObject): readonly Dependency[] {
  const references = new References(object);
  addStore(references, object, valueAtPath(object, "spec", "secretStoreRef"));
  for (const list of ["data", "dataFrom"]) {
    for (const entry of objectsAtPath(object, "spec", list)) {
      addStore(references, object, valueAtPath(entry, "sourceRef", "storeRef"));
    }
  }
  for (const source of objectsAtPath(object, "spec", "target", "template", "templateFrom")) {
    references.add("ConfigMap", textAtPath(source, "configMap", "name"));
    references.add("Secret", textAtPath(source, "secret", "name"));
  }
  return references.list();
}

/** The Secret that is pushed, and the stores it is pushed to. */
function pushed(object: KubeObject): readonly Dependency[] {
  const references = new References(object);
  references.add("Secret", textAtPath(object, "spec", "selector", "secret", "name"));
  for (const store of objectsAtPath(object, "spec", "secretStoreRefs")) addStore(references, object, store);
  return references.list();
}

// Stores of the whole cluster have no namespace. Those of a PushSecret are of the current version.
function addStore(references: References, object: KubeObject, reference: unknown): void {
  if ((textAtPath(reference, "kind") || "SecretStore") !== "SecretStore") return;
  const version = object.kind === "PushSecret" ? `${GROUP}/v1` : object.apiVersion;
  references.add("SecretStore", textAtPath(reference, "name"), version);
}

function credentialsOf(object: KubeObject): readonly Dependency[] {
  const references = new References(object);
  addCredentials(valueAtPath(object, "spec", "provider"), references);
  return references.list();
}
