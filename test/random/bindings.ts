// Random bindings of random templates, with everything that decides what their Works hold.
import type { Cluster } from "../../api/cluster.ts";
import type { Work } from "../../api/work.ts";
import type { KubeObject } from "../../kube/object.ts";
import type { Dice } from "../../reconciler/scheduler/testing/random-cases.ts";
import type { AnyBinding } from "../../reconciler/works/binding.ts";
import { workName } from "../../reconciler/works/naming.ts";
import { randomTargetCluster } from "./overrides.ts";
import { randomItems, randomObserved } from "./statuses.ts";

type Json = Record<string, unknown>;

export const MEMBERS = ["m1", "m2", "paris-1", "tokyo-3"] as const;
const BINDING_ID = "b516cbbc-6ce9-45a9-b2a7-042dad8ccc3d";

function maybe(dice: Dice, probability: number, fields: Json): Json {
  return dice.chance(probability) ? fields : {};
}

const ANNOTATIONS: readonly (readonly [string, readonly string[]])[] = [
  ["work.karmada.io/conflict-resolution", ["overwrite", "abort", "Overwrite", ""]],
  ["deployment.kubernetes.io/revision", ["3"]],
  ["deployment.kubernetes.io/revision-history", ["1,2"]],
  ["volume.kubernetes.io/selected-node", ["n1"]],
  ["kubernetes.io/service-account.uid", ["u"]],
  ["kubectl.kubernetes.io/last-applied-configuration", ["{}"]],
  ["resourcetemplate.karmada.io/managed-annotations", ["a,b"]],
  ["resourcetemplate.karmada.io/generation", ["9"]],
  ["work.karmada.io/name", ["other"]],
  ["propagationpolicy.karmada.io/name", ["spread"]],
  ["example.com/b", ["x", ""]],
  ["Zeta", ["1"]],
];
const LABELS: readonly (readonly [string, readonly string[]])[] = [
  ["karmada.io/managed", ["false", "true"]],
  ["work.karmada.io/permanent-id", ["w"]],
  ["resourcebinding.karmada.io/permanent-id", ["other"]],
  ["propagationpolicy.karmada.io/permanent-id", ["p"]],
  ["app", ["web", ""]],
  ["tier", ["front"]],
];

function someOf(dice: Dice, pairs: typeof ANNOTATIONS, share: number): Json {
  return Object.fromEntries(pairs.filter(() => dice.chance(share)).map(([key, values]) => [key, dice.pick(values)]));
}

/** A template as the control plane's server has it, with marks that servers and controllers leave. */
export function randomStoredTemplate(dice: Dice): KubeObject {
  const object = dice.chance(0.1)
    ? { apiVersion: "example.io/v1", kind: "Planet", metadata: { name: "Earth:1" }, spec: { moons: 1 } }
    : randomObserved(dice, dice.chance(0.3) ? dice.pick(["Job", "Service", "ServiceAccount", "Secret"]) : undefined);
  const spec = object.kind === "Job" ? { spec: { ...jobSpec(dice), ...(object["spec"] as Json) } } : {};
  const metadata = {
    ...object.metadata,
    ...(object.kind === "Planet" ? {} : { name: dice.pick(["web", "system:web", "a.b"]) }),
    uid: dice.pick(["7d1089eb-3227-40ac-8faa-1994ed2ad91f", "a", "b"]),
    ...maybe(dice, 0.5, { resourceVersion: "12", creationTimestamp: "2025-03-04T05:00:00Z" }),
    ...maybe(dice, 0.2, {
      finalizers: ["f"],
      ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "p", uid: "u" }],
    }),
    ...maybe(dice, 0.2, { managedFields: [{ manager: "m", operation: "Apply" }], selfLink: "/x", generateName: "w-" }),
    ...maybe(dice, 0.7, { annotations: someOf(dice, ANNOTATIONS, 0.25) }),
    ...maybe(dice, 0.7, { labels: someOf(dice, LABELS, 0.3) }),
  };
  return { ...object, ...spec, metadata } as KubeObject;
}

function jobSpec(dice: Dice): Json {
  const owned = { "controller-uid": "u", "batch.kubernetes.io/controller-uid": "u", "job-name": "web", app: "web" };
  return {
    ...maybe(dice, 0.5, { ttlSecondsAfterFinished: 5 }),
    ...maybe(dice, 0.4, { selector: { matchLabels: owned } }),
    template: {
      metadata: { ...maybe(dice, 0.8, { labels: owned }) },
      spec: { containers: [{ name: "c", image: "i" }] },
    },
  };
}

function targets(dice: Dice): Json[] {
  return dice
    .shuffle(MEMBERS)
    .slice(0, dice.between(0, MEMBERS.length))
    .map((name) => ({ name, ...maybe(dice, 0.8, { replicas: dice.pick([0, 1, 2, 3, 7]) }) }));
}

/** A binding of `template` that was scheduled, with what else decides about its Works. */
export function randomBindingOf(dice: Dice, template: KubeObject): AnyBinding {
  const { name = "", namespace, uid, resourceVersion } = template.metadata;
  const isWide = namespace === undefined;
  const kind = isWide ? "ClusterResourceBinding" : "ResourceBinding";
  const id = `${isWide ? "cluster" : ""}resourcebinding.karmada.io/permanent-id`;
  const replicaScheduling = {
    replicaSchedulingType: dice.pick(["Divided", "Divided", "Duplicated", ...(dice.chance(0.2) ? [undefined] : [])]),
    replicaDivisionPreference: dice.pick(["Weighted", "Aggregated"]),
  };
  const spec = {
    resource: { apiVersion: template.apiVersion, kind: template.kind, name, namespace, uid, resourceVersion },
    ...maybe(dice, 0.95, { clusters: targets(dice) }),
    ...maybe(dice, 0.7, { replicas: dice.pick([0, 1, 5]) }),
    ...maybe(dice, 0.2, { replicaRequirements: {} }),
    ...maybe(dice, 0.1, { components: [{ name: "c", replicas: 1 }] }),
    ...maybe(dice, 0.9, { placement: maybe(dice, 0.9, { replicaScheduling }) }),
    ...maybe(dice, 0.4, { conflictResolution: dice.pick(["Overwrite", "Abort"]) }),
    ...maybe(dice, 0.4, { preserveResourcesOnDeletion: dice.chance(0.6) }),
    ...maybe(dice, 0.3, {
      suspension: {
        ...maybe(dice, 0.5, { dispatching: dice.chance(0.6) }),
        ...maybe(dice, 0.6, { dispatchingOnClusters: { clusterNames: dice.some(MEMBERS, 0.4) } }),
      },
    }),
    ...maybe(dice, 0.3, {
      requiredBy: Array.from({ length: dice.between(1, 2) }, (_, i) => ({
        name: `r${i}`,
        namespace: "shop",
        clusters: targets(dice),
      })),
    }),
    ...maybe(dice, 0.25, {
      gracefulEvictionTasks: dice.some(MEMBERS, 0.4).map((fromCluster) => ({
        fromCluster,
        reason: "TaintUntolerated",
        producer: "TaintManager",
        ...maybe(dice, 0.5, { purgeMode: dice.pick(["Directly", "Gracefully", "Immediately"]) }),
        ...maybe(dice, 0.4, { preservedLabelState: { kept: "1" }, clustersBeforeFailover: dice.some(MEMBERS, 0.3) }),
      })),
    }),
  };
  // Made of the fields of the kind.
  return JSON.parse(
    JSON.stringify({
      apiVersion: "work.karmada.io/v1alpha2",
      kind,
      metadata: {
        name: `${name.replace(":", ".")}-${template.kind}`.toLowerCase(),
        namespace,
        labels: { [id]: BINDING_ID },
      },
      spec,
    }),
  ) as AnyBinding;
}

/** The clusters that bindings above may name; rarely one of them is not there. */
export function randomMembers(dice: Dice): Cluster[] {
  return MEMBERS.filter(() => dice.chance(0.98)).map((name) => {
    const cluster = randomTargetCluster(dice);
    return { ...cluster, metadata: { ...cluster.metadata, name } };
  });
}

/** Works of a binding as their clusters have reported back. */
export function randomWorks(dice: Dice, binding: AnyBinding, template: KubeObject): Work[] {
  const { group, version } = groupVersion(template.apiVersion);
  const { name = "", namespace } = template.metadata;
  const items = randomItems(dice, template.kind);
  const clusters = dice.chance(0.7) ? (binding.spec.clusters ?? []).map((one) => one.name) : dice.some(MEMBERS, 0.6);
  const works = clusters.map((cluster, i) => {
    const item = items[i % Math.max(items.length, 1)];
    const other = dice.chance(0.04) ? "other" : name;
    const identifier = {
      ordinal: dice.chance(0.05) ? 1 : 0,
      ...maybe(dice, 0.98, { group }),
      version: dice.chance(0.03) ? "v9" : version,
      kind: template.kind,
      resource: "x",
      ...maybe(dice, 0.97, namespace === undefined ? {} : { namespace }),
      name,
    };
    return {
      apiVersion: "work.karmada.io/v1alpha1",
      kind: "Work",
      metadata: {
        name: workName(template.kind, name, namespace ?? ""),
        namespace: `karmada-es-${cluster}`,
        labels: binding.metadata.labels,
        ...maybe(dice, 0.05, { deletionTimestamp: "2025-03-04T05:00:00Z", finalizers: ["f"] }),
      },
      spec: {
        workload: {
          manifests: [
            ...(dice.chance(0.05) ? [{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "first" } }] : []),
            { apiVersion: template.apiVersion, kind: template.kind, metadata: { name: other, namespace } },
          ],
        },
      },
      status: {
        ...maybe(dice, 0.9, {
          conditions: [
            ...(dice.chance(0.3) ? [conditionOf("Dispatching", "True", "m")] : []),
            conditionOf("Applied", dice.pick(["True", "True", "True", "False", "Unknown"]), dice.pick(["", "why"])),
            ...(dice.chance(0.05) ? [conditionOf("Applied", "False", "again")] : []),
          ],
        }),
        ...maybe(dice, 0.85, {
          manifestStatuses: [
            {
              identifier,
              ...(item?.status === undefined ? {} : { status: item.status }),
              ...maybe(dice, 0.9, { health: dice.pick(["Healthy", "Unhealthy", "Unknown"]) }),
            },
          ],
        }),
      },
    };
  });
  return JSON.parse(JSON.stringify(works)) as Work[];
}

function conditionOf(type: string, status: string, message: string): Json {
  return { type, status, reason: "R", message, lastTransitionTime: "2025-03-04T05:00:00Z" };
}

function groupVersion(apiVersion: string): { readonly group: string; readonly version: string } {
  const [group = "", version] = apiVersion.split("/");
  return version === undefined ? { group: "", version: group } : { group, version };
}
