// Where Pods go, and what becomes of those of nodes that are tainted or silent.
import { clusterScript, create, deployment, patch, pod, ref, scale, script, step, stepFor } from "../builders.ts";
import type { Script, Taint } from "../script.ts";

const OUT: Taint = { key: "out", value: "now", effect: "NoExecute" };
const DEDICATED: Taint = { key: "dedicated", value: "batch", effect: "NoSchedule" };

function priority(name: string, value: number): Parameters<typeof create>[0] {
  return { apiVersion: "scheduling.k8s.io/v1", kind: "PriorityClass", metadata: { name }, value };
}

function spread(whenUnsatisfiable: string): Readonly<Record<string, unknown>> {
  return {
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: "kubernetes.io/hostname",
        whenUnsatisfiable,
        labelSelector: { matchLabels: { app: "web" } },
      },
    ],
  };
}

const APART = {
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: { app: "web" } } },
      ],
    },
  },
};

export const SCHEDULING_SCRIPTS: readonly Script[] = [
  script(
    "scheduling/too-large",
    step("create", create(pod("large", { requests: { cpu: "100" } }))),
    step("create another", create(pod("huge", { requests: { cpu: "100", memory: "1Ti" } }))),
  ),
  script("scheduling/node-selector", step("create", create(pod("picky", { pod: { nodeSelector: { disk: "none" } } })))),
  clusterScript(
    "scheduling/label-arrives",
    step("create", create(pod("picky", { pod: { nodeSelector: { disk: "fast" } } }))),
    stepFor(12_000, "label a node", { do: "label-node", node: 0, labels: { disk: "fast" } }),
    step("take the label away", { do: "label-node", node: 0, labels: { disk: null } }),
  ),
  clusterScript(
    "scheduling/room-is-made",
    step("fill", create(deployment("web", { replicas: 4, requests: { cpu: "12" } }))),
    stepFor(12_000, "scale down", scale("Deployment", "web", 2)),
    stepFor(
      12_000,
      "another",
      create(pod("one", { requests: { cpu: "12" } })),
      create(pod("two", { requests: { cpu: "12" } })),
    ),
    stepFor(12_000, "room", scale("Deployment", "web", 1)),
  ),
  clusterScript(
    "scheduling/taints",
    step(
      "taint all",
      { do: "taint", node: 0, taint: DEDICATED },
      { do: "taint", node: 1, taint: DEDICATED },
      { do: "taint", node: 2, taint: DEDICATED },
    ),
    step("create", create(pod("plain"))),
    step(
      "create one that tolerates",
      create(pod("batch", { pod: { tolerations: [{ key: "dedicated", operator: "Exists" }] } })),
    ),
    stepFor(
      12_000,
      "untaint",
      { do: "untaint", node: 0, taint: DEDICATED },
      { do: "untaint", node: 1, taint: DEDICATED },
      { do: "untaint", node: 2, taint: DEDICATED },
    ),
  ),
  script(
    "scheduling/anti-affinity",
    step("create", create(deployment("web", { pod: APART }))),
    step("one more than there are nodes", scale("Deployment", "web", 4)),
  ),
  script(
    "scheduling/spread",
    step("create", create(deployment("web", { replicas: 6, pod: spread("DoNotSchedule") }))),
    step("scale", scale("Deployment", "web", 9)),
  ),
  script(
    "scheduling/gates",
    step("create", create(pod("gated", { pod: { schedulingGates: [{ name: "example.com/wait" }] } }))),
    step("open", patch(ref("Pod", "gated"), { spec: { schedulingGates: null } })),
  ),
  clusterScript(
    "scheduling/preemption",
    step("classes", create(priority("conformance-low", 1)), create(priority("conformance-high", 1000))),
    step(
      "fill",
      create(
        deployment("web", { replicas: 3, requests: { cpu: "12" }, pod: { priorityClassName: "conformance-low" } }),
      ),
    ),
    stepFor(
      12_000,
      "something more important",
      create(pod("vip", { requests: { cpu: "12" }, pod: { priorityClassName: "conformance-high" } })),
    ),
    step("delete it", { do: "delete-pods", labels: "app=vip", count: 1 }),
    step(
      "delete the classes",
      { do: "delete", object: ref("PriorityClass", "conformance-low") },
      { do: "delete", object: ref("PriorityClass", "conformance-high") },
    ),
  ),
  clusterScript(
    "nodes/cordon",
    step("cordon", { do: "cordon", node: 0 }, { do: "cordon", node: 1 }),
    step("create", create(deployment("web"))),
    step("uncordon", { do: "uncordon", node: 0 }, { do: "uncordon", node: 1 }),
  ),
  clusterScript(
    "nodes/taint-that-evicts",
    step("create", create(deployment("web"))),
    step("taint", { do: "taint", node: { runs: "app=web" }, taint: OUT }),
    step(
      "untaint",
      { do: "untaint", node: 0, taint: OUT },
      { do: "untaint", node: 1, taint: OUT },
      { do: "untaint", node: 2, taint: OUT },
    ),
  ),
  clusterScript(
    "nodes/tolerated-for-a-while",
    step(
      "create",
      create(
        deployment("web", {
          replicas: 1,
          pod: { tolerations: [{ key: "out", operator: "Exists", effect: "NoExecute", tolerationSeconds: 4 }] },
        }),
      ),
    ),
    stepFor(9_000, "taint", { do: "taint", node: { runs: "app=web" }, taint: OUT }),
    step(
      "untaint",
      { do: "untaint", node: 0, taint: OUT },
      { do: "untaint", node: 1, taint: OUT },
      { do: "untaint", node: 2, taint: OUT },
    ),
  ),
  clusterScript(
    "nodes/added",
    step("fill", create(deployment("web", { replicas: 4, requests: { cpu: "12" } }))),
    stepFor(14_000, "a node comes", { do: "add-node", name: "extra-node" }),
    step("scale to none", scale("Deployment", "web", 0)),
    step("it goes", { do: "remove-node", name: "extra-node" }),
  ),
];
