// Random sequences of what people do with a workload.
import type { Random } from "../../../runtime/random.ts";
import {
  budget,
  create,
  daemonSet,
  deployment,
  job,
  patch,
  ref,
  remove,
  restart,
  scale,
  service,
  setImage,
  statefulSet,
} from "./builders.ts";
import type { Act, Script, Step } from "./script.ts";

const KINDS = ["Deployment", "StatefulSet", "DaemonSet", "Job"] as const;
type Kind = (typeof KINDS)[number];

/** Most steps after the first. */
const MOST_STEPS = 6;

/** A script of one workload, with a Service and a budget beside it at times. The same chance gives the same script. */
export function randomScript(id: string, random: Random): Script {
  const kind = random.pick(KINDS);
  const first: Act[] = [create(made(kind, random))];
  if (random.chance(0.3)) first.push(create(service("it")));
  if (random.chance(0.3)) first.push(create(budget("it", "it", randomBudget(random))));
  const steps: Step[] = [{ name: "create", acts: first }];
  const count = 2 + random.below(MOST_STEPS - 1);
  for (let index = 0; index < count; index++) {
    const acts = [randomAct(kind, random)];
    // Two things at once, now and then: the second finds the first half done.
    if (random.chance(0.15)) acts.push(randomAct(kind, random));
    steps.push({ name: acts.map((act) => act.do).join(", "), acts });
  }
  if (random.chance(0.5)) {
    const propagation = random.pick(["Background", "Foreground", "Orphan"] as const);
    steps.push({ name: `delete in ${propagation}`, acts: [remove(ref(kind, "it"), propagation)] });
  }
  // DaemonSets look at all nodes, and all DaemonSets at the same ones, but none changes them.
  return { id, steps };
}

function made(kind: Kind, random: Random): ReturnType<typeof deployment> {
  const image = random.chance(0.85) ? "it:1" : "missing:1";
  const replicas = random.below(6);
  switch (kind) {
    case "Deployment":
      return deployment("it", { image, replicas, spec: deploymentSpec(random) });
    case "StatefulSet":
      return statefulSet("it", { image, replicas, spec: statefulSetSpec(random) });
    case "DaemonSet":
      return daemonSet("it", { image, spec: { updateStrategy: daemonSetStrategy(random) } });
    case "Job":
      return job("it", { image: random.pick(["job:1", "job:endless", "job:exit-1"]), spec: jobSpecOf(random) });
  }
}

function deploymentSpec(random: Random): Record<string, unknown> {
  const rollingUpdate = random.pick([
    { maxSurge: 1, maxUnavailable: 0 },
    { maxSurge: 0, maxUnavailable: 1 },
    { maxSurge: "25%", maxUnavailable: "25%" },
    { maxSurge: 2, maxUnavailable: 1 },
  ]);
  return {
    strategy: random.chance(0.2) ? { type: "Recreate" } : { type: "RollingUpdate", rollingUpdate },
    ...(random.chance(0.2) ? { revisionHistoryLimit: random.below(3) } : {}),
    ...(random.chance(0.2) ? { minReadySeconds: 1 } : {}),
    ...(random.chance(0.1) ? { paused: true } : {}),
  };
}

function statefulSetSpec(random: Random): Record<string, unknown> {
  return {
    podManagementPolicy: random.pick(["OrderedReady", "Parallel"]),
    updateStrategy: random.chance(0.2)
      ? { type: "OnDelete" }
      : { type: "RollingUpdate", rollingUpdate: { partition: random.chance(0.3) ? random.below(4) : 0 } },
  };
}

function daemonSetStrategy(random: Random): Record<string, unknown> {
  if (random.chance(0.2)) return { type: "OnDelete" };
  const rollingUpdate = random.pick([
    { maxSurge: 1, maxUnavailable: 0 },
    { maxSurge: 0, maxUnavailable: 1 },
    { maxSurge: 0, maxUnavailable: 3 },
  ]);
  return { type: "RollingUpdate", rollingUpdate };
}

function jobSpecOf(random: Random): Record<string, unknown> {
  const completions = 1 + random.below(4);
  return {
    completions,
    parallelism: 1 + random.below(3),
    completionMode: random.pick(["NonIndexed", "Indexed"]),
    backoffLimit: 0,
    ...(random.chance(0.2) ? { suspend: true } : {}),
  };
}

function randomBudget(random: Random): Record<string, unknown> {
  return random.pick([{ minAvailable: 1 }, { minAvailable: "50%" }, { maxUnavailable: 1 }, { maxUnavailable: 0 }]);
}

function randomAct(kind: Kind, random: Random): Act {
  const labels = kind === "Job" ? "job-name=it" : "app=it";
  const lose: Act = { do: "delete-pods", labels, count: 1 + random.below(2) };
  const evict: Act = { do: "evict", labels, count: 1 };
  if (kind === "Job") {
    const spec = random.pick([
      { suspend: true },
      { suspend: false },
      { parallelism: random.below(4) },
      { activeDeadlineSeconds: 1 },
    ]);
    return random.chance(0.3) ? lose : patch(ref(kind, "it"), { spec });
  }
  const image = setImage(kind, "it", random.pick(["it:1", "it:2", "it:3", "missing:2"]));
  const acts: Act[] = [image, image, image, restart(kind, "it"), lose, evict];
  if (kind !== "DaemonSet") acts.push(scale(kind, "it", random.below(7)), scale(kind, "it", random.below(7)));
  if (kind === "Deployment") {
    acts.push(patch(ref(kind, "it"), { spec: { paused: random.chance(0.4) } }));
    acts.push({ do: "roll-back", deployment: "it", toRevision: random.below(3) });
  }
  if (kind === "StatefulSet")
    acts.push(patch(ref(kind, "it"), { spec: { updateStrategy: { rollingUpdate: { partition: random.below(3) } } } }));
  return random.pick(acts);
}
