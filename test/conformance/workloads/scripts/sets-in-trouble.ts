// StatefulSets and DaemonSets that are disturbed, and the volumes that claims of theirs get.
import {
  clusterScript,
  create,
  daemonSet,
  patch,
  pod,
  ref,
  remove,
  scale,
  script,
  setImage,
  statefulSet,
  step,
} from "../builders.ts";
import type { Act, Script } from "../script.ts";

const DB = ref("StatefulSet", "db");
const FIRST = ref("Pod", "db-0");

function image(name: string): Act {
  return setImage("StatefulSet", "db", name);
}

function agentImage(name: string): Act {
  return setImage("DaemonSet", "agent", name);
}

function claimSpec(spec: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return { accessModes: ["ReadWriteOnce"], storageClassName: "", resources: { requests: { storage: "1Gi" } }, ...spec };
}

function claim(name: string, spec: Readonly<Record<string, unknown>> = {}): Act {
  return create({ apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { name }, spec: claimSpec(spec) });
}

function volume(
  name: string,
  spec: Readonly<Record<string, unknown>> = {},
  labels: Readonly<Record<string, string>> = {},
): Act {
  return create({
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name, labels },
    spec: {
      capacity: { storage: "1Gi" },
      accessModes: ["ReadWriteOnce"],
      hostPath: { path: `/volumes/${name}` },
      ...spec,
    },
  });
}

export const SETS_IN_TROUBLE_SCRIPTS: readonly Script[] = [
  script(
    "stateful-set/pod-fails",
    step("create", create(statefulSet("db", { replicas: 2 }))),
    step(
      "the first fails",
      patchStatus(FIRST, { phase: "Failed", reason: "Evicted", message: "The node was low on resource" }),
    ),
  ),
  script(
    "stateful-set/pod-leaves-and-returns",
    step("create", create(statefulSet("db", { replicas: 2 }))),
    step("other label", patch(FIRST, { metadata: { labels: { app: "other" } } })),
    step("its label again", patch(FIRST, { metadata: { labels: { app: "db" } } })),
  ),
  script(
    "stateful-set/pod-without-its-name",
    step("create", create(statefulSet("db", { replicas: 2 }))),
    step("name taken away", patch(FIRST, { metadata: { labels: { "statefulset.kubernetes.io/pod-name": null } } })),
  ),
  script(
    "stateful-set/hurried-update",
    step("create", create(statefulSet("db"))),
    step("two images at once", image("db:2"), image("db:3")),
    step("image and scale", image("db:4"), scale("StatefulSet", "db", 1)),
  ),
  script(
    "stateful-set/ordinals-move",
    step("create", create(statefulSet("db", { replicas: 2 }))),
    step("from 3 on", patch(DB, { spec: { ordinals: { start: 3 } } })),
    step("from 1 on", patch(DB, { spec: { ordinals: { start: 1 } } })),
  ),
  script(
    "stateful-set/parallel-failing-image",
    step("create", create(statefulSet("db", { spec: { podManagementPolicy: "Parallel" } }))),
    step("failing image", image("missing:1")),
    step("scale up", scale("StatefulSet", "db", 5)),
    step("good image", image("db:2")),
    step("scale down", scale("StatefulSet", "db", 1)),
  ),
  script(
    "stateful-set/partition-and-scale",
    step(
      "create",
      create(
        statefulSet("db", { spec: { updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 9 } } } }),
      ),
    ),
    step("new image", image("db:2")),
    step("scale up", scale("StatefulSet", "db", 4)),
    step("partition of 3", patch(DB, { spec: { updateStrategy: { rollingUpdate: { partition: 3 } } } })),
    step("scale up again", scale("StatefulSet", "db", 5)),
  ),
  clusterScript(
    "daemon-set/history-limit",
    step("create", create(daemonSet("agent", { spec: { revisionHistoryLimit: 1 } }))),
    step("second", agentImage("agent:2")),
    step("third", agentImage("agent:3")),
    step("second again", agentImage("agent:2")),
  ),
  clusterScript(
    "daemon-set/other-strategy",
    step("create", create(daemonSet("agent", { spec: { updateStrategy: { type: "OnDelete" } } }))),
    step("two images at once", agentImage("agent:2"), agentImage("agent:3")),
    step(
      "roll, all at once",
      patch(ref("DaemonSet", "agent"), {
        spec: { updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "100%" } } },
      }),
    ),
  ),
  clusterScript(
    "volumes/reclaim",
    step(
      "volumes",
      volume("conformance-delete", { persistentVolumeReclaimPolicy: "Delete" }, { keep: "no" }),
      volume("conformance-retain", { persistentVolumeReclaimPolicy: "Retain" }, { keep: "yes" }),
    ),
    step(
      "claims",
      claim("kept", { selector: { matchLabels: { keep: "yes" } } }),
      claim("gone", { selector: { matchLabels: { keep: "no" } } }),
    ),
    step(
      "delete the claims",
      remove(ref("PersistentVolumeClaim", "kept")),
      remove(ref("PersistentVolumeClaim", "gone")),
    ),
    step(
      "free the one that is kept",
      patch(ref("PersistentVolume", "conformance-retain"), { spec: { claimRef: null } }),
    ),
    step(
      "delete the volumes",
      remove(ref("PersistentVolume", "conformance-retain")),
      remove(ref("PersistentVolume", "conformance-delete")),
    ),
  ),
  clusterScript(
    "volumes/named",
    step("volume", volume("conformance-one")),
    step(
      "claims too much",
      claim("large", { volumeName: "conformance-one", resources: { requests: { storage: "2Gi" } } }),
    ),
    step("fits", claim("fits", { volumeName: "conformance-one" })),
    step("comes late", claim("late", { volumeName: "conformance-one" })),
    step(
      "lose the volume",
      remove(ref("PersistentVolume", "conformance-one")),
      patch(ref("PersistentVolume", "conformance-one"), { metadata: { finalizers: null } }),
    ),
  ),
  clusterScript(
    "volumes/first-consumer",
    step(
      "class and volume",
      create({
        apiVersion: "storage.k8s.io/v1",
        kind: "StorageClass",
        metadata: { name: "conformance-local" },
        provisioner: "kubernetes.io/no-provisioner",
        volumeBindingMode: "WaitForFirstConsumer",
      } as never),
      volume("conformance-local", { storageClassName: "conformance-local" }),
    ),
    step("claim", claim("data", { storageClassName: "conformance-local" })),
    step(
      "use",
      create(pod("user", { pod: { volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data" } }] } })),
    ),
    step("delete", remove(ref("Pod", "user")), remove(ref("PersistentVolumeClaim", "data"))),
    step(
      "clean up",
      remove(ref("PersistentVolume", "conformance-local")),
      remove(ref("StorageClass", "conformance-local")),
    ),
  ),
];

function patchStatus(object: ReturnType<typeof ref>, status: Readonly<Record<string, unknown>>): Act {
  return { do: "patch", object, patch: { status }, subresource: "status" };
}
