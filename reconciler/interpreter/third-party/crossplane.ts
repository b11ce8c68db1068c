// Crossplane: packages and the types they bring. What they name is of no namespace, as they are themselves.

import type { KubeObject } from "../../../kube/object.ts";
import { fieldsAt } from "../field-access.ts";
import type { KindRules, RulesByKind } from "../kind-rules.ts";
import { aggregatingAgreement } from "./rules/agreement.ts";
import { valueAtPath } from "./rules/field-paths.ts";
import { isCurrentWith, isTrue } from "./rules/kstatus.ts";
import { reflectingWithGenerations } from "./rules/reflection.ts";

const PACKAGE: KindRules = {
  interpretHealth: isCurrentWith("Installed", "Healthy"),
  reflectStatus: reflectingWithGenerations([
    "conditions",
    "currentRevision",
    "currentIdentifier",
    "resolvedPackage",
    "appliedImageConfigRefs",
  ]),
  aggregateStatus: aggregatingAgreement({
    decisive: ["Installed", "Healthy"],
    awaiting: "nothing",
    agreed: ["currentRevision", "currentIdentifier", "resolvedPackage", "appliedImageConfigRefs"],
  }),
};

const DEFINITION: KindRules = {
  interpretHealth: isDefinitionReady,
  reflectStatus: reflectingWithGenerations(["conditions", "controllers"]),
  aggregateStatus: aggregatingAgreement({ decisive: ["Established"], agreed: ["controllers"] }),
};

export const CROSSPLANE_RULES: RulesByKind = {
  "pkg.crossplane.io/v1/Provider": PACKAGE,
  "pkg.crossplane.io/v1/Configuration": PACKAGE,
  "pkg.crossplane.io/v1/Function": PACKAGE,
  "pkg.crossplane.io/v1beta1/Function": PACKAGE,
  "apiextensions.crossplane.io/v1/CompositeResourceDefinition": DEFINITION,
  "apiextensions.crossplane.io/v2/CompositeResourceDefinition": DEFINITION,
};

/** Its types are there, and those for claims where it has them. */
function isDefinitionReady(object: KubeObject): boolean {
  const status = fieldsAt(object, "status");
  const offers = valueAtPath(object, "spec", "claimNames") !== undefined;
  return isTrue(status, "Established") && (!offers || isTrue(status, "Offered"));
}
