// What containers do when they run, as said from outside: a real process decides it, here a list of rules.
import { isObject, type KubeObject } from "../../../kube/object.ts";

/** One container's life between its start and its end. What is absent is as the cluster's traits say. */
export interface ContainerBehaviour {
  /** From being wanted to running, its image's pull included, milliseconds. */
  readonly startupMs?: number;
  /** From running to answering its startup and readiness probes, milliseconds. Without probes it counts as ready at once. */
  readonly readyAfterMs?: number;
  /** How long the process runs until it ends by itself, milliseconds; it runs on when absent. */
  readonly runsForMs?: number;
  /** With what it ends by itself; 0 by default. */
  readonly exitCode?: number;
  /** It crashes after so many milliseconds, each time, with `crashExitCode`. */
  readonly crashAfterMs?: number;
  /** 1 by default; 137 is a kill for want of memory, as the kubelet reports it. */
  readonly crashExitCode?: number;
  /** How many times it crashes before it runs on; without end when absent. */
  readonly crashes?: number;
  /** Whether it goes on after TERM, until it is killed when its grace period ends. */
  readonly ignoresTerm?: boolean;
  /** From TERM to its end, milliseconds. */
  readonly stopMs?: number;
  /** Every time of it is longer by up to this share of itself, by chance: 0.2 is up to a fifth. */
  readonly jitter?: number;
  /** What it logs at its start, a line each. */
  readonly logs?: readonly string[];
  /** What it uses, for autoscaling: by resource (`cpu`, `memory`) or by a name of its own. */
  readonly metrics?: Readonly<Record<string, MetricScript>>;
}

/** A quantity, or how it changes: each value holds from `atMs` on, counted from the start of the cluster. */
export type MetricScript = string | readonly { readonly atMs: number; readonly value: string }[];

/** A behaviour, and whose it is: absent means anybody's; names may have `*` anywhere. */
export interface BehaviourRule extends ContainerBehaviour {
  readonly selector: {
    /** The kind of the workload that owns the Pod: `Deployment` for those of its ReplicaSets, `Pod` without an owner. */
    readonly kind?: string;
    readonly namespace?: string;
    /** The name of the workload, or of the Pod when it has no owner. */
    readonly name?: string;
    readonly container?: string;
    readonly image?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
}

/** Usage of one Pod: by container, then by metric, as quantities. */
type PodMetrics = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** What the containers of a cluster do. */
export interface Behaviours {
  /** Later rules win, field by field. */
  behaviourOf(pod: KubeObject, container: { readonly name: string; readonly image?: string }): ContainerBehaviour;
  /** What the Pod's containers use at a time, milliseconds since the epoch; undefined when nothing says so. */
  metricsOf(pod: KubeObject, nowMs: number): PodMetrics | undefined;
}

const NONE: ContainerBehaviour = {};

/** Behaviours by rules; `startMs` is when the cluster started, from where scripts of metrics count. */
export function behavioursOf(rules: readonly BehaviourRule[], startMs: number): Behaviours {
  const compiled = rules.map(compileRule);
  function behaviourOf(pod: KubeObject, container: { name: string; image?: string }): ContainerBehaviour {
    let found = NONE;
    for (const { fits, behaviour } of compiled) if (fits(pod, container)) found = { ...found, ...behaviour };
    return found;
  }
  return {
    behaviourOf,
    metricsOf(pod, nowMs) {
      const metrics: Record<string, Record<string, string>> = {};
      if (rules.every((rule) => rule.metrics === undefined)) return undefined;
      for (const container of containersOf(pod)) {
        const scripts = behaviourOf(pod, container).metrics;
        if (scripts === undefined) continue;
        const values: Record<string, string> = {};
        for (const [name, script] of Object.entries(scripts)) {
          const value = valueAt(script, nowMs - startMs);
          if (value !== undefined) values[name] = value;
        }
        metrics[container.name] = values;
      }
      return Object.keys(metrics).length === 0 ? undefined : metrics;
    },
  };
}

/** Nobody does anything unusual. */
export const NO_BEHAVIOURS: Behaviours = { behaviourOf: () => NONE, metricsOf: () => undefined };

function valueAt(script: MetricScript, atMs: number): string | undefined {
  if (typeof script === "string") return script;
  return script.findLast((step) => step.atMs <= atMs)?.value;
}

function compileRule({ selector, ...behaviour }: BehaviourRule) {
  const { kind, labels } = selector;
  const namespace = glob(selector.namespace);
  const name = glob(selector.name);
  const container = glob(selector.container);
  const image = glob(selector.image);
  const fits = (pod: KubeObject, of: { name: string; image?: string }): boolean => {
    if (!container(of.name) || !image(of.image ?? "") || !namespace(pod.metadata.namespace ?? "")) return false;
    const owner = workloadOf(pod);
    if ((kind !== undefined && kind !== owner.kind) || !name(owner.name)) return false;
    return Object.entries(labels ?? {}).every(([key, value]) => pod.metadata.labels?.[key] === value);
  };
  return { fits, behaviour };
}

/** The workload behind a Pod, by its owner: a ReplicaSet of a Deployment is named for it and its template's hash. */
function workloadOf(pod: KubeObject): { readonly kind: string; readonly name: string } {
  const owner = pod.metadata.ownerReferences?.find((each) => each.controller === true);
  if (owner === undefined) return { kind: "Pod", name: pod.metadata.name ?? "" };
  const hash = pod.metadata.labels?.["pod-template-hash"];
  if (owner.kind === "ReplicaSet" && hash !== undefined && owner.name.endsWith(`-${hash}`))
    return { kind: "Deployment", name: owner.name.slice(0, -hash.length - 1) };
  return owner;
}

function containersOf(pod: KubeObject): { name: string; image?: string }[] {
  const spec = pod["spec"];
  const containers = isObject(spec) && Array.isArray(spec["containers"]) ? spec["containers"] : [];
  return containers as { name: string; image?: string }[];
}

function glob(pattern: string | undefined): (text: string) => boolean {
  if (pattern === undefined || pattern === "*") return () => true;
  if (!pattern.includes("*")) return (text) => text === pattern;
  const parts = pattern.split("*").map((part) => part.replace(/[.\\+?^${}()|[\]]/g, "\\$&"));
  const expression = new RegExp(`^${parts.join(".*")}$`, "s");
  return (text) => expression.test(text);
}
