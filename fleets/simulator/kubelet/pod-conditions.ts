// The conditions of a Pod that the kubelet owns, word for word. Pure.
import { isSidecar, type PodSpec } from "./pod-spec.ts";
import type { ContainerStatus, PodCondition, PodPhase } from "./pod-status-types.ts";

/** Conditions that only the kubelet writes, in its order. */
const KUBELET_CONDITIONS = [
  "PodReadyToStartContainers",
  "Initialized",
  "Ready",
  "ContainersReady",
  "PodScheduled",
] as const;

interface Verdict {
  readonly isTrue: boolean;
  readonly reason?: string;
  readonly message?: string;
}

interface ConditionInput {
  readonly spec: PodSpec;
  readonly phase: PodPhase;
  /** Of all containers, by name. */
  readonly statuses: ReadonlyMap<string, ContainerStatus>;
  /** Whether the sandbox stands: its network is set up. */
  readonly hasSandbox: boolean;
  readonly generation: number | undefined;
  /** The conditions that the Pod has, of others too. */
  readonly present: readonly PodCondition[];
  /** The time of transitions. */
  readonly now: string;
}

/** All conditions of the Pod: those of others as they are, then the kubelet's; times move with the status only. */
export function podConditions(input: ConditionInput): PodCondition[] {
  const { present, generation, now } = input;
  const others = present.filter(({ type }) => !(KUBELET_CONDITIONS as readonly string[]).includes(type));
  const containersReady = containersReadyVerdict(input);
  const verdicts: Record<(typeof KUBELET_CONDITIONS)[number], Verdict> = {
    PodReadyToStartContainers: { isTrue: input.hasSandbox },
    Initialized: initializedVerdict(input),
    Ready: containersReady.isTrue ? gatesVerdict(input, others) : containersReady,
    ContainersReady: containersReady,
    PodScheduled: { isTrue: true },
  };
  const own = KUBELET_CONDITIONS.map((type): PodCondition => {
    const { isTrue, reason, message } = verdicts[type];
    const status = isTrue ? "True" : "False";
    const known = present.find((each) => each.type === type);
    return {
      type,
      ...(generation === undefined ? {} : { observedGeneration: generation }),
      status,
      ...(reason === undefined ? {} : { reason }),
      ...(message === undefined ? {} : { message }),
      lastProbeTime: null,
      lastTransitionTime: known?.status === status ? (known.lastTransitionTime ?? now) : now,
    };
  });
  return [...others, ...own];
}

function containersReadyVerdict({ spec, phase, statuses }: ConditionInput): Verdict {
  const unknown: string[] = [];
  const unready: string[] = [];
  const wanted = [...(spec.initContainers ?? []).filter(isSidecar), ...spec.containers];
  for (const { name } of wanted) {
    const status = statuses.get(name);
    if (status === undefined) unknown.push(name);
    else if (!status.ready) unready.push(name);
  }
  if (phase === "Succeeded" && unknown.length === 0) return { isTrue: false, reason: "PodCompleted" };
  if (phase === "Failed") return { isTrue: false, reason: "PodFailed" };
  const message = listed(unknown, unready, "unready");
  return message === "" ? { isTrue: true } : { isTrue: false, reason: "ContainersNotReady", message };
}

function gatesVerdict({ spec }: ConditionInput, others: readonly PodCondition[]): Verdict {
  const problems = (spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const condition = others.find(({ type }) => type === conditionType);
    if (condition === undefined)
      return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
    if (condition.status === "True") return [];
    return [`the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`];
  });
  if (problems.length === 0) return { isTrue: true };
  return { isTrue: false, reason: "ReadinessGatesNotReady", message: problems.join(", ") };
}

function initializedVerdict({ spec, phase, statuses, present }: ConditionInput): Verdict {
  const unknown: string[] = [];
  const incomplete: string[] = [];
  for (const container of spec.initContainers ?? []) {
    const status = statuses.get(container.name);
    if (status === undefined) unknown.push(container.name);
    else if (isSidecar(container) ? !status.started : !status.ready) incomplete.push(container.name);
  }
  if (phase === "Succeeded" && unknown.length === 0) return { isTrue: true, reason: "PodCompleted" };
  if (spec.containers.some(({ name }) => hasStarted(statuses.get(name)))) return { isTrue: true };
  const message = listed(unknown, incomplete, "incomplete");
  if (message === "" || present.some(({ type, status }) => type === "Initialized" && status === "True"))
    return { isTrue: true };
  return { isTrue: false, reason: "ContainersNotInitialized", message };
}

/** Whether the container runs, or has run; one that waits for its restart does not count. */
function hasStarted(status: ContainerStatus | undefined): boolean {
  if (status === undefined) return false;
  return status.state.running !== undefined || status.state.terminated !== undefined;
}

/** Names in the form of Go's `%s` of a list. */
function listed(unknown: readonly string[], others: readonly string[], what: string): string {
  return [
    ...(unknown.length > 0 ? [`containers with unknown status: [${unknown.join(" ")}]`] : []),
    ...(others.length > 0 ? [`containers with ${what} status: [${others.join(" ")}]`] : []),
  ].join(", ");
}
