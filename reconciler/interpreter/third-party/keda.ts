// KEDA: objects that scale workloads and start jobs by events.

import type { KubeObject } from "../../../kube/object.ts";
import { fieldsAt } from "../field-access.ts";
import type { Dependency } from "../interpreter.ts";
import type { KindRules, RulesByKind } from "../kind-rules.ts";
import { aggregatingAgreement } from "./rules/agreement.ts";
import { distinctDependencies } from "./rules/dependencies.ts";
import { objectsAtPath, textAtPath } from "./rules/field-paths.ts";
import { isCurrentWith } from "./rules/kstatus.ts";
import { dependenciesOfTemplate } from "./rules/pod-templates.ts";
import { References } from "./rules/references.ts";
import { reflectingWithGenerations } from "./rules/reflection.ts";

const API_VERSION = "keda.sh/v1alpha1";

const SCALER: KindRules = {
  interpretHealth: isCurrentWith("Ready"),
  reflectStatus: reflectingWithGenerations(["conditions", "lastActiveTime", "scaleTargetKind", "hpaName"]),
  aggregateStatus: aggregatingAgreement({
    decisive: ["Ready"],
    announcing: ["Active", "Fallback"],
    latestTimes: ["lastActiveTime"],
    agreed: ["scaleTargetKind", "hpaName"],
  }),
};

export const KEDA_RULES: RulesByKind = {
  [`${API_VERSION}/ScaledObject`]: { ...SCALER, getDependencies: authenticationsOf },
  [`${API_VERSION}/ScaledJob`]: {
    ...SCALER,
    getDependencies: (object) =>
      distinctDependencies([
        ...authenticationsOf(object),
        ...dependenciesOfTemplate(object, fieldsAt(object, "spec", "jobTargetRef", "template")),
      ]),
  },
  [`${API_VERSION}/TriggerAuthentication`]: { getDependencies: sourcesOf },
};

/** What the triggers log in with; that of the whole cluster belongs to nobody's namespace. */
function authenticationsOf(object: KubeObject): readonly Dependency[] {
  const references = new References(object);
  for (const trigger of objectsAtPath(object, "spec", "triggers")) {
    const kind = textAtPath(trigger, "authenticationRef", "kind") || "TriggerAuthentication";
    if (kind === "TriggerAuthentication") {
      references.add(kind, textAtPath(trigger, "authenticationRef", "name"), API_VERSION);
    }
  }
  return references.list();
}

function sourcesOf(object: KubeObject): readonly Dependency[] {
  const references = new References(object);
  for (const source of objectsAtPath(object, "spec", "secretTargetRef")) {
    references.add("Secret", textAtPath(source, "name"));
  }
  for (const source of objectsAtPath(object, "spec", "configMapTargetRef")) {
    references.add("ConfigMap", textAtPath(source, "name"));
  }
  return references.list();
}
