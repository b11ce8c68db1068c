// DaemonSets. They run on all nodes, so those that count nodes are played alone.
import { clusterScript, create, daemonSet, patch, ref, remove, restart, setImage, step, stepFor } from "../builders.ts";
import type { Act, Script } from "../script.ts";

const AGENT = ref("DaemonSet", "agent");
const CREATE = step("create", create(daemonSet("agent")));

function image(name: string): Act {
  return setImage("DaemonSet", "agent", name);
}

function rolling(maxSurge: number, maxUnavailable: number): Readonly<Record<string, unknown>> {
  return { updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxSurge, maxUnavailable } } };
}

export const DAEMON_SET_SCRIPTS: readonly Script[] = [
  clusterScript(
    "daemon-set/rolling-update",
    CREATE,
    step("new image", image("agent:2")),
    step("the first image", image("web:1")),
    step("restart", restart("DaemonSet", "agent")),
  ),
  clusterScript(
    "daemon-set/surge",
    step("create", create(daemonSet("agent", { spec: rolling(1, 0) }))),
    step("new image", image("agent:2")),
  ),
  clusterScript(
    "daemon-set/unavailable-2",
    step("create", create(daemonSet("agent", { spec: rolling(0, 2) }))),
    step("new image", image("agent:2")),
  ),
  clusterScript(
    "daemon-set/on-delete",
    step("create", create(daemonSet("agent", { spec: { updateStrategy: { type: "OnDelete" } } }))),
    step("new image", image("agent:2")),
    step("delete all", { do: "delete-pods", labels: "app=agent", count: 3 }),
  ),
  clusterScript(
    "daemon-set/failing-image",
    CREATE,
    step("failing image", image("missing:1")),
    step("good image", image("agent:2")),
  ),
  clusterScript(
    "daemon-set/min-ready-seconds",
    stepFor(10_000, "create", create(daemonSet("agent", { spec: { minReadySeconds: 3 } }))),
    stepFor(16_000, "new image", image("agent:2")),
  ),
  clusterScript(
    "daemon-set/nodes-come-and-go",
    CREATE,
    step("a node comes", { do: "add-node", name: "extra-node" }),
    // Pods of nodes that are gone are collected 40 to 60 seconds later.
    stepFor(70_000, "it goes", { do: "remove-node", name: "extra-node" }),
  ),
  clusterScript(
    "daemon-set/taints",
    CREATE,
    step("taint a node", { do: "taint", node: 0, taint: { key: "dedicated", value: "x", effect: "NoSchedule" } }),
    step("delete all", { do: "delete-pods", labels: "app=agent", count: 3 }),
    step("take the taint away", {
      do: "untaint",
      node: 0,
      taint: { key: "dedicated", value: "x", effect: "NoSchedule" },
    }),
    step("a taint that evicts", { do: "taint", node: 1, taint: { key: "out", effect: "NoExecute" } }),
    step("take it away", { do: "untaint", node: 1, taint: { key: "out", effect: "NoExecute" } }),
  ),
  clusterScript(
    "daemon-set/node-selector",
    step("create", create(daemonSet("agent", { pod: { nodeSelector: { disk: "fast" } } }))),
    step("label a node", { do: "label-node", node: 1, labels: { disk: "fast" } }),
    step("label another", { do: "label-node", node: 2, labels: { disk: "fast" } }),
    step(
      "take labels away",
      { do: "label-node", node: 1, labels: { disk: null } },
      { do: "label-node", node: 2, labels: { disk: null } },
    ),
  ),
  clusterScript(
    "daemon-set/cordoned-node",
    step("cordon", { do: "cordon", node: 0 }),
    CREATE,
    step("uncordon", { do: "uncordon", node: 0 }),
  ),
  clusterScript("daemon-set/delete-in-foreground", CREATE, step("delete", remove(AGENT, "Foreground"))),
  clusterScript(
    "daemon-set/delete-and-adopt",
    CREATE,
    step("delete, leaving orphans", remove(AGENT, "Orphan")),
    step("create again", create(daemonSet("agent"))),
  ),
  clusterScript(
    "daemon-set/no-room",
    step("create", create(daemonSet("agent", { requests: { cpu: "10" } }))),
    step("larger", patch(AGENT, { metadata: { labels: { size: "xl" } } }), {
      do: "patch",
      object: AGENT,
      type: "strategic",
      patch: {
        spec: { template: { spec: { containers: [{ name: "main", resources: { requests: { cpu: "20" } } }] } } },
      },
    }),
  ),
];
