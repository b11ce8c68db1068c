// What Spark applications refer to: in their own words, beside those of pods.

import type { KubeObject } from "../../../kube/object.ts";
import { dependenciesOfPodSpec } from "../dependencies.ts";
import { type Fields, fieldsAt, listAt } from "../field-access.ts";
import type { Dependency } from "../interpreter.ts";
import type { RulesByKind } from "../kind-rules.ts";
import { aggregatingAgreement } from "./rules/agreement.ts";
import { distinctDependencies } from "./rules/dependencies.ts";
import { objectsAtPath, textAtPath } from "./rules/field-paths.ts";
import { References } from "./rules/references.ts";
import { reflecting } from "./rules/reflection.ts";
import { SPARK_RULES } from "./spark.ts";

const APPLICATION = "sparkoperator.k8s.io/v1beta2/SparkApplication";

/** Differs from Karmada: dependencies are known, and applications that run by a schedule. */
export const MORE_SPARK_RULES: RulesByKind = {
  [APPLICATION]: {
    ...SPARK_RULES[APPLICATION],
    getDependencies: (object) => dependenciesOf(object, fieldsAt(object, "spec")),
  },
  "sparkoperator.k8s.io/v1beta2/ScheduledSparkApplication": {
    interpretHealth: (object) => !["", "FailedValidation"].includes(textAtPath(object, "status", "scheduleState")),
    getDependencies: (object) => dependenciesOf(object, fieldsAt(object, "spec", "template")),
    reflectStatus: reflecting(["lastRun", "nextRun", "lastRunName", "scheduleState", "reason"]),
    aggregateStatus: aggregatingAgreement({
      worst: { scheduleState: ["FailedValidation", "Validating", "Scheduled"] },
      latestTimes: ["lastRun"],
      earliest: ["nextRun"],
      latest: ["lastRunName", "reason"],
    }),
  },
};

function dependenciesOf(object: KubeObject, application: Fields): readonly Dependency[] {
  const references = new References(object);
  for (const field of ["sparkConfigMap", "hadoopConfigMap"]) {
    references.add("ConfigMap", textAtPath(application, field));
  }
  for (const secret of listAt(application, "imagePullSecrets")) {
    references.add("Secret", typeof secret === "string" ? secret : textAtPath(secret, "name"));
  }
  const { namespace } = object.metadata;
  const ofPods = ["driver", "executor"].flatMap((part) => {
    const pod = fieldsAt(application, part);
    references.add("ServiceAccount", accountOf(pod));
    for (const { name } of objectsAtPath(pod, "configMaps")) references.add("ConfigMap", String(name ?? ""));
    for (const { name } of objectsAtPath(pod, "secrets")) references.add("Secret", String(name ?? ""));
    const { env, envFrom, initContainers, sidecars } = pod;
    const containers = [{ env, envFrom }, ...(Array.isArray(sidecars) ? sidecars : [])];
    return dependenciesOfPodSpec(namespace, { containers, initContainers });
  });
  const ofVolumes = dependenciesOfPodSpec(namespace, { volumes: application["volumes"] });
  return distinctDependencies([...references.list(), ...ofPods, ...ofVolumes]);
}

// Every namespace has the default one.
function accountOf(pod: Fields): string {
  const account = textAtPath(pod, "serviceAccount");
  return account === "default" ? "" : account;
}
