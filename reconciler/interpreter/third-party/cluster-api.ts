// Cluster API in its versions v1beta1 and v1beta2. Replicas are machines, not pods: they are not divided, for a scheduler
// of pods knows nothing of how many machines a cloud has left, and the machines of a Cluster belong beside it.

import type { KubeObject } from "../../../kube/object.ts";
import { fieldsAt } from "../field-access.ts";
import type { Dependency } from "../interpreter.ts";
import type { KindRules, RulesByKind } from "../kind-rules.ts";
import { type AgreementRule, aggregatingAgreement, namedFields } from "./rules/agreement.ts";
import { findCondition } from "./rules/conditions.ts";
import { textAtPath, valueAtPath } from "./rules/field-paths.ts";
import { retaining, withField } from "./rules/fields.ts";
import { hasObserved } from "./rules/kstatus.ts";
import { optionalNumberAt } from "./rules/numbers.ts";
import { References } from "./rules/references.ts";
import { reflectingWithGenerations } from "./rules/reflection.ts";

const GROUP = "cluster.x-k8s.io";
const CONTROL_PLANE_GROUP = "controlplane.cluster.x-k8s.io";

/** Annotations by which a set of machines says that somebody in its cluster sets its replicas. */
const SCALED_BY_OTHERS = [
  "cluster.x-k8s.io/cluster-api-autoscaler-node-group-min-size",
  "cluster.x-k8s.io/replicas-managed-by",
];

/** Numbers of machines in either version. */
const COUNTERS = [
  "replicas",
  "readyReplicas",
  "availableReplicas",
  "updatedReplicas",
  "upToDateReplicas",
  "unavailableReplicas",
  "fullyLabeledReplicas",
];

const PHASES = [
  "Failed",
  "Deleting",
  "Deleted",
  "Unknown",
  "Pending",
  "Provisioning",
  "ScalingUp",
  "ScalingDown",
  "Scaling",
  "Updating",
  "ScaledToZero",
  "Provisioned",
  "Running",
];

const MACHINE_SET: KindRules = {
  interpretHealth: (object) => hasAllMachines(object) && isSaidToBe(object, "Available", "Ready"),
  retain: retainScale,
  getDependencies: (object) => dependenciesOfMachines(object, "template", "spec"),
  ...statusRules({ sums: COUNTERS, agreed: ["selector"], worst: { phase: PHASES } }),
};

const CLUSTER: KindRules = {
  interpretHealth: (object) => isInPhase(object, "Provisioned") && isSaidToBe(object, "Available", "Ready"),
  retain: retainCluster,
  getDependencies: dependenciesOfCluster,
  ...statusRules({
    agreed: ["initialization", "infrastructureReady", "controlPlaneReady", "controlPlane", "workers"],
    worst: { phase: PHASES },
  }),
};

const MACHINE: KindRules = {
  interpretHealth: (object) => isInPhase(object, "Running") && isSaidToBe(object, "Ready"),
  retain: retaining(["spec", "providerID"], ["spec", "bootstrap", "dataSecretName"]),
  getDependencies: (object) => dependenciesOfMachines(object),
  ...statusRules({
    agreed: ["initialization", "bootstrapReady", "infrastructureReady"],
    worst: { phase: PHASES },
  }),
};

export const CLUSTER_API_RULES: RulesByKind = {
  ...inBothVersions(GROUP, "Cluster", CLUSTER),
  ...inBothVersions(GROUP, "Machine", MACHINE),
  ...inBothVersions(GROUP, "MachineSet", MACHINE_SET),
  ...inBothVersions(GROUP, "MachineDeployment", {
    ...MACHINE_SET,
    interpretHealth: (object) => isInPhase(object, "Running") && MACHINE_SET.interpretHealth?.(object) === true,
  }),
  ...inBothVersions(GROUP, "MachinePool", {
    ...MACHINE_SET,
    interpretHealth: (object) =>
      isInPhase(object, "Running", "ScaledToZero") && MACHINE_SET.interpretHealth?.(object) === true,
    retain: (desired, observed) => retainProviderIds(retainScale(desired, observed), observed),
  }),
  ...inBothVersions(GROUP, "MachineHealthCheck", {
    interpretHealth: (object) => isSaidToBe(object, "RemediationAllowed"),
    getDependencies: (object) => withCluster(object).list(),
    ...statusRules({ sums: ["expectedMachines", "currentHealthy", "remediationsAllowed"] }),
  }),
  ...inBothVersions(GROUP, "ClusterClass", {
    interpretHealth: (object) => isSaidToBe(object, "VariablesReconciled", "RefVersionsUpToDate"),
    ...statusRules({ agreed: ["variables"] }),
  }),
  ...inBothVersions(CONTROL_PLANE_GROUP, "KubeadmControlPlane", {
    interpretHealth: (object) => hasAllMachines(object) && isSaidToBe(object, "Available", "Ready"),
    retain: retainScale,
    ...statusRules({
      sums: COUNTERS,
      agreed: ["initialization", "initialized", "ready", "version", "selector"],
    }),
  }),
};

function inBothVersions(group: string, kind: string, rules: KindRules): RulesByKind {
  return { [`${group}/v1beta1/${kind}`]: rules, [`${group}/v1beta2/${kind}`]: rules };
}

function statusRules(rule: AgreementRule): KindRules {
  return {
    reflectStatus: reflectingWithGenerations(["conditions", "observedGeneration", ...namedFields(rule)]),
    aggregateStatus: aggregatingAgreement(rule),
  };
}

/** Every one of these conditions that the version of the kind has is True, and about this generation. */
function isSaidToBe(object: KubeObject, ...types: readonly string[]): boolean {
  const status = fieldsAt(object, "status");
  const said = types.map((type) => findCondition(status, type)).filter((condition) => condition !== undefined);
  return (
    hasObserved(status, object.metadata.generation ?? 0) && said.every((condition) => condition["status"] === "True")
  );
}

function isInPhase(object: KubeObject, ...phases: readonly string[]): boolean {
  return phases.includes(textAtPath(object, "status", "phase"));
}

/** As many machines as wanted are up to date and ready, and no others are left. */
function hasAllMachines(object: KubeObject): boolean {
  const status = fieldsAt(object, "status");
  const replicas = optionalNumberAt(status, "replicas", "status") ?? 0;
  const wanted = optionalNumberAt(fieldsAt(object, "spec"), "replicas", "spec") ?? replicas;
  const upToDate =
    optionalNumberAt(status, "upToDateReplicas", "status") ?? optionalNumberAt(status, "updatedReplicas", "status");
  const ready = optionalNumberAt(status, "readyReplicas", "status") ?? 0;
  return replicas === wanted && ready === wanted && (upToDate ?? wanted) === wanted;
}

/** Replicas that an autoscaler in the member sets stay as it set them. */
function retainScale(desired: KubeObject, observed: KubeObject): KubeObject {
  const annotations = { ...observed.metadata.annotations, ...desired.metadata.annotations };
  const isScaled = SCALED_BY_OTHERS.some((annotation) => annotations[annotation] !== undefined);
  return isScaled ? retaining(["spec", "replicas"])(desired, observed) : desired;
}

const retainProviderIds = retaining(["spec", "providerIDList"]);

/** What providers and the controller of topologies write into the spec of a Cluster, where the template says nothing. */
function retainCluster(desired: KubeObject, observed: KubeObject): KubeObject {
  return ["controlPlaneEndpoint", "infrastructureRef", "controlPlaneRef"].reduce((kept, field) => {
    const value = valueAtPath(observed, "spec", field);
    const isFree = valueAtPath(desired, "spec", field) === undefined;
    return value !== undefined && isFree ? withField(kept, ["spec", field], value) : kept;
  }, desired);
}

function dependenciesOfCluster(object: KubeObject): readonly Dependency[] {
  const references = new References(object);
  addReferent(references, valueAtPath(object, "spec", "infrastructureRef"));
  addReferent(references, valueAtPath(object, "spec", "controlPlaneRef"));
  const inClassRef = textAtPath(object, "spec", "topology", "classRef", "name");
  const name = inClassRef || textAtPath(object, "spec", "topology", "class");
  const namespace =
    inClassRef === ""
      ? textAtPath(object, "spec", "topology", "classNamespace")
      : textAtPath(object, "spec", "topology", "classRef", "namespace");
  references.add("ClusterClass", name, object.apiVersion, namespace);
  return references.list();
}

/** Their Cluster, and the templates and the data that machines are made from. `path` leads from the spec to that of a machine. */
function dependenciesOfMachines(object: KubeObject, ...path: readonly string[]): readonly Dependency[] {
  const references = withCluster(object);
  addReferent(references, valueAtPath(object, "spec", ...path, "infrastructureRef"));
  addReferent(references, valueAtPath(object, "spec", ...path, "bootstrap", "configRef"));
  references.add("Secret", textAtPath(object, "spec", ...path, "bootstrap", "dataSecretName"));
  return references.list();
}

function withCluster(object: KubeObject): References {
  const references = new References(object);
  references.add("Cluster", textAtPath(object, "spec", "clusterName"), object.apiVersion);
  return references;
}

// Since v1beta2 a reference names a group without a version, which cannot be followed without asking a server.
function addReferent(references: References, reference: unknown): void {
  const apiVersion = textAtPath(reference, "apiVersion");
  const kind = textAtPath(reference, "kind");
  if (apiVersion === "" || kind === "") return;
  references.add(kind, textAtPath(reference, "name"), apiVersion, textAtPath(reference, "namespace"));
}
