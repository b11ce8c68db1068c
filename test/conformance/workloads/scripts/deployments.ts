// Deployments and ReplicaSets.
import {
  create,
  deployment,
  patch,
  ref,
  remove,
  replicaSet,
  restart,
  scale,
  script,
  setImage,
  step,
  stepFor,
} from "../builders.ts";
import type { Act, Script } from "../script.ts";

const WEB = ref("Deployment", "web");
const CREATE = step("create", create(deployment("web")));

function rolling(maxSurge: number | string, maxUnavailable: number | string): Readonly<Record<string, unknown>> {
  return { strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge, maxUnavailable } } };
}

function image(name: string): Act {
  return setImage("Deployment", "web", name);
}

function pause(paused: boolean): Act {
  return patch(WEB, { spec: { paused } });
}

export const DEPLOYMENT_SCRIPTS: readonly Script[] = [
  script(
    "deployment/create-and-scale",
    CREATE,
    step("scale up", scale("Deployment", "web", 5)),
    step("scale down", scale("Deployment", "web", 1)),
    step("scale to none", scale("Deployment", "web", 0)),
    step("scale from none", scale("Deployment", "web", 2)),
  ),
  script("deployment/none", step("create", create(deployment("web", { replicas: 0 }))), step("delete", remove(WEB))),
  script(
    "deployment/rolling-update",
    CREATE,
    step("new image", image("web:2")),
    step("newer image", image("web:3")),
    step("the first image again", image("web:1")),
  ),
  script(
    "deployment/surge-1-unavailable-0",
    step("create", create(deployment("web", { replicas: 4, spec: rolling(1, 0) }))),
    step("new image", image("web:2")),
  ),
  script(
    "deployment/surge-0-unavailable-1",
    step("create", create(deployment("web", { replicas: 4, spec: rolling(0, 1) }))),
    step("new image", image("web:2")),
  ),
  script(
    "deployment/surge-all",
    step("create", create(deployment("web", { replicas: 4, spec: rolling("100%", 0) }))),
    step("new image", image("web:2")),
  ),
  script(
    "deployment/surge-50-percent-unavailable-50-percent",
    step("create", create(deployment("web", { replicas: 5, spec: rolling("50%", "50%") }))),
    step("new image", image("web:2")),
  ),
  script(
    "deployment/recreate",
    step("create", create(deployment("web", { spec: { strategy: { type: "Recreate" } } }))),
    step("new image", image("web:2")),
    step("scale", scale("Deployment", "web", 4)),
  ),
  script(
    "deployment/pause-and-resume",
    step("create", create(deployment("web", { spec: rolling(1, 0) }))),
    step("pause", pause(true)),
    step("new image while paused", image("web:2")),
    step("scale while paused", scale("Deployment", "web", 5)),
    step("resume", pause(false)),
  ),
  script(
    "deployment/created-paused",
    step("create", create(deployment("web", { spec: { paused: true } }))),
    step("resume", pause(false)),
  ),
  script(
    "deployment/pause-in-the-middle",
    step("create", create(deployment("web", { replicas: 4, spec: rolling(1, 0) }))),
    step("fail to roll", image("missing:1")),
    step("pause", pause(true)),
    step("scale in proportion", scale("Deployment", "web", 10)),
    step("good image", image("web:2")),
    step("resume", pause(false)),
  ),
  script(
    "deployment/roll-back",
    CREATE,
    step("new image", image("web:2")),
    step("newer image", image("web:3")),
    step("undo", { do: "roll-back", deployment: "web", toRevision: 0 }),
    step("undo to the first", { do: "roll-back", deployment: "web", toRevision: 1 }),
  ),
  script("deployment/restart", CREATE, step("restart", restart("Deployment", "web"))),
  script(
    "deployment/failing-image",
    CREATE,
    step("failing image", image("missing:1")),
    step("undo", { do: "roll-back", deployment: "web", toRevision: 0 }),
  ),
  script(
    "deployment/mended-image",
    step("create with a failing image", create(deployment("web", { image: "missing:1" }))),
    step("good image", image("web:1")),
  ),
  script(
    "deployment/progress-deadline",
    step("create", create(deployment("web", { spec: { progressDeadlineSeconds: 4 } }))),
    stepFor(8_000, "failing image", image("missing:1")),
    step("good image", image("web:2")),
  ),
  script(
    "deployment/progress-deadline-from-the-start",
    stepFor(
      8_000,
      "create with a failing image",
      create(deployment("web", { image: "missing:1", spec: { progressDeadlineSeconds: 4 } })),
    ),
    stepFor(8_000, "another failing image", image("missing:2")),
    step("scale", scale("Deployment", "web", 2)),
    step("good image", image("web:2")),
  ),
  script(
    "deployment/min-ready-seconds",
    stepFor(6_000, "create", create(deployment("web", { replicas: 2, spec: { minReadySeconds: 3 } }))),
    stepFor(12_000, "new image", image("web:2")),
  ),
  script(
    "deployment/history-limit",
    step("create", create(deployment("web", { replicas: 1, spec: { revisionHistoryLimit: 1 } }))),
    step("second", image("web:2")),
    step("third", image("web:3")),
    step("fourth", image("web:4")),
  ),
  script(
    "deployment/lose-pods",
    CREATE,
    step("delete a Pod", { do: "delete-pods", labels: "app=web", count: 1 }),
    step("delete all Pods", { do: "delete-pods", labels: "app=web", count: 3 }),
    step("delete a Pod at once", { do: "delete-pods", labels: "app=web", count: 1, graceSeconds: 0 }),
  ),
  script("deployment/delete-in-background", CREATE, step("delete", remove(WEB))),
  script("deployment/delete-in-foreground", CREATE, step("delete", remove(WEB, "Foreground"))),
  script(
    "deployment/delete-and-adopt",
    CREATE,
    step("delete, leaving orphans", remove(WEB, "Orphan")),
    step("create again", create(deployment("web"))),
  ),
  script(
    "deployment/change-in-the-middle",
    step("create", create(deployment("web", { replicas: 4, spec: rolling(1, 0) }))),
    step("two changes", image("missing:1"), { do: "wait", ms: 500 }, image("web:3")),
  ),
  script(
    "deployment/scale-and-roll-at-once",
    step("create", create(deployment("web", { spec: rolling(1, 0) }))),
    step("scale and roll", {
      do: "patch",
      object: WEB,
      type: "strategic",
      patch: { spec: { replicas: 6, template: { spec: { containers: [{ name: "main", image: "web:2" }] } } } },
    }),
  ),
  script(
    "deployment/annotate",
    CREATE,
    step("annotate", patch(WEB, { metadata: { annotations: { note: "one" }, labels: { tier: "front" } } })),
    step("new image", image("web:2")),
  ),
  script(
    "replica-set/create-and-scale",
    step("create", create(replicaSet("web"))),
    step("scale up", scale("ReplicaSet", "web", 5)),
    step("scale down", scale("ReplicaSet", "web", 2)),
    step("delete, leaving orphans", remove(ref("ReplicaSet", "web"), "Orphan")),
    step("create again", create(replicaSet("web"))),
    step("delete", remove(ref("ReplicaSet", "web"))),
  ),
  script(
    "replica-set/release-and-adopt",
    step("create", create(replicaSet("web", { replicas: 2 }))),
    step(
      "a Pod of nobody",
      create({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "stray", labels: { app: "other" } },
        spec: { containers: [{ name: "main", image: "web:1" }] },
      }),
    ),
    step("it gets the labels", patch(ref("Pod", "stray"), { metadata: { labels: { app: "web" } } })),
    step("a Pod loses them", patch(ref("Pod", "stray"), { metadata: { labels: { app: "other" } } })),
  ),
  script(
    "replica-set/min-ready-seconds",
    stepFor(6_000, "create", create(replicaSet("web", { replicas: 2, spec: { minReadySeconds: 3 } }))),
  ),
];
