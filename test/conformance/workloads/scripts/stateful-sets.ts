// StatefulSets.
import {
  create,
  patch,
  ref,
  remove,
  restart,
  scale,
  script,
  service,
  setImage,
  statefulSet,
  step,
  stepFor,
} from "../builders.ts";
import type { Act, Script } from "../script.ts";

const DB = ref("StatefulSet", "db");
const CREATE = step("create", create(service("db", { clusterIP: "None" })), create(statefulSet("db")));

function image(name: string): Act {
  return setImage("StatefulSet", "db", name);
}

function claims(name: string): Readonly<Record<string, unknown>> {
  return {
    volumeClaimTemplates: [
      {
        metadata: { name },
        spec: {
          accessModes: ["ReadWriteOnce"],
          storageClassName: "",
          resources: { requests: { storage: "1Gi" } },
        },
      },
    ],
  };
}

export const STATEFUL_SET_SCRIPTS: readonly Script[] = [
  script(
    "stateful-set/create-and-scale",
    CREATE,
    step("scale up", scale("StatefulSet", "db", 5)),
    step("scale down", scale("StatefulSet", "db", 2)),
    step("scale to none", scale("StatefulSet", "db", 0)),
  ),
  script("stateful-set/rolling-update", CREATE, step("new image", image("db:2")), step("newer image", image("db:3"))),
  script(
    "stateful-set/parallel",
    step("create", create(statefulSet("db", { spec: { podManagementPolicy: "Parallel" } }))),
    step("scale up", scale("StatefulSet", "db", 5)),
    step("new image", image("db:2")),
    step("scale down", scale("StatefulSet", "db", 1)),
  ),
  script(
    "stateful-set/partition",
    step(
      "create",
      create(
        statefulSet("db", {
          spec: { updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 2 } } },
        }),
      ),
    ),
    step("new image", image("db:2")),
    step("lower partition", patch(DB, { spec: { updateStrategy: { rollingUpdate: { partition: 1 } } } })),
    step("lose a Pod below it", { do: "delete-pods", labels: "apps.kubernetes.io/pod-index=0", count: 1 }),
    step("no partition", patch(DB, { spec: { updateStrategy: { rollingUpdate: { partition: 0 } } } })),
  ),
  script(
    "stateful-set/on-delete",
    step("create", create(statefulSet("db", { replicas: 2, spec: { updateStrategy: { type: "OnDelete" } } }))),
    step("new image", image("db:2")),
    step("delete one", { do: "delete-pods", labels: "app=db", count: 1 }),
    step("delete both", { do: "delete-pods", labels: "app=db", count: 2 }),
  ),
  script(
    "stateful-set/failing-image",
    CREATE,
    step("failing image", image("missing:1")),
    step("good image", image("db:2")),
    step("delete the Pod that does not start", {
      do: "delete-pods",
      labels: "apps.kubernetes.io/pod-index=2",
      count: 1,
    }),
  ),
  script(
    "stateful-set/failing-image-from-the-start",
    step("create", create(statefulSet("db", { image: "missing:1" }))),
    step("scale", scale("StatefulSet", "db", 1)),
  ),
  script("stateful-set/lose-pods", CREATE, step("delete all Pods", { do: "delete-pods", labels: "app=db", count: 3 })),
  script("stateful-set/restart", CREATE, step("restart", restart("StatefulSet", "db"))),
  script(
    "stateful-set/back-to-the-first",
    step("create", create(statefulSet("db", { replicas: 2 }))),
    step("new image", image("db:2")),
    step("the first image", image("web:1")),
  ),
  script(
    "stateful-set/history-limit",
    step("create", create(statefulSet("db", { replicas: 1, spec: { revisionHistoryLimit: 1 } }))),
    step("second", image("db:2")),
    step("third", image("db:3")),
    step("fourth", image("db:4")),
  ),
  script(
    "stateful-set/min-ready-seconds",
    stepFor(10_000, "create", create(statefulSet("db", { replicas: 2, spec: { minReadySeconds: 3 } }))),
    stepFor(12_000, "new image", image("db:2")),
  ),
  script(
    "stateful-set/ordinals",
    step("create", create(statefulSet("db", { replicas: 2, spec: { ordinals: { start: 5 } } }))),
    step("scale up", scale("StatefulSet", "db", 3)),
  ),
  script("stateful-set/delete-in-background", CREATE, step("delete", remove(DB))),
  script("stateful-set/delete-in-foreground", CREATE, step("delete", remove(DB, "Foreground"))),
  script(
    "stateful-set/delete-and-adopt",
    CREATE,
    step("delete, leaving orphans", remove(DB, "Orphan")),
    step("create again", create(statefulSet("db"))),
  ),
  script(
    "stateful-set/claims-wait-for-volumes",
    step("create", create(statefulSet("db", { replicas: 2, spec: claims("data") }))),
    step("scale down", scale("StatefulSet", "db", 0)),
    step("delete", remove(DB)),
  ),
  script(
    "stateful-set/claims-deleted-with-it",
    step(
      "create",
      create(
        statefulSet("db", {
          replicas: 2,
          spec: {
            ...claims("data"),
            podManagementPolicy: "Parallel",
            persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete", whenScaled: "Delete" },
          },
        }),
      ),
    ),
    step("scale down", scale("StatefulSet", "db", 1)),
    step("delete", remove(DB)),
  ),
];
