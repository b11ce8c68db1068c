// What one run of a script comes down to.
import { isObject, type KubeObject } from "../../../kube/object.ts";
import { argoHealth } from "../../health/argocd.ts";
import { kstatus } from "../../health/kstatus.ts";
import { conditionsOf, faceOf } from "./face.ts";
import { type Mask, masked, maskOf } from "./masks.ts";
import type { NotedChange } from "./observer.ts";
import type { Played } from "./play.ts";

/** Equal objects under one name, such as the Pods of a ReplicaSet. */
export interface Alike {
  readonly times: number;
  readonly is: unknown;
}

/** Sequences of an object, by condition type or by counter. */
export type Sequences<T> = Readonly<Record<string, Readonly<Record<string, readonly T[]>>>>;

export interface RecordedStep {
  /** What the server said to each act. */
  readonly answers: readonly string[];
  readonly cameToRest: boolean;
  /** Each object at the end of the rest, by kind and name. */
  readonly settled: Readonly<Record<string, readonly Alike[]>>;
  /** The states that each condition went through: `True Reason: message`, the one at the beginning first. */
  readonly conditions: Sequences<string>;
  /** The values between which each counter rose and fell, the one at the beginning first. */
  readonly counters: Sequences<number>;
  /** What `kstatus` (Flux) and `argocd` call each object, in turn. */
  readonly health: Sequences<string>;
  /** How many objects of a name came and went. */
  readonly came: Readonly<Record<string, number>>;
  readonly went: Readonly<Record<string, number>>;
  /** `Deployment web: Normal ScalingReplicaSet (deployment-controller): message`, each once. */
  readonly events: readonly string[];
}

export interface Recording {
  readonly steps: readonly RecordedStep[];
}

/** Sums a run up. Pure: the same changes give the same recording. */
export function recordingOf(played: Played): Recording {
  const mask = maskOf(played);
  const present = new Map<string, KubeObject>();
  const steps: RecordedStep[] = [];
  const before = new Traces(mask, present);
  for (const change of played.changes) if (change.step < 0) before.note(change);
  for (const [index, { answers, cameToRest }] of played.steps.entries()) {
    const changes = played.changes.filter(({ step }) => step === index);
    const traces = new Traces(mask, present);
    for (const change of changes) traces.note(change);
    steps.push({
      answers: answers.map((answer) => String(masked(answer, played, mask))),
      cameToRest,
      settled: settledOf(present, played, mask),
      conditions: traces.conditions(),
      counters: traces.counters(),
      health: traces.health(),
      came: counted(traces.came),
      went: counted(traces.went),
      events: [...new Set(traces.events.map((event) => String(masked(event, played, mask))))].sort(),
    });
  }
  return { steps };
}

function settledOf(present: ReadonlyMap<string, KubeObject>, played: Played, mask: Mask): RecordedStep["settled"] {
  const groups = new Map<string, Map<string, number>>();
  for (const object of present.values()) {
    const name = mask(nameOf(object));
    const face = JSON.stringify(inOrder(masked(faceOf(object), played, mask)));
    const group = groups.get(name) ?? new Map<string, number>();
    groups.set(name, group);
    group.set(face, (group.get(face) ?? 0) + 1);
  }
  const entries = [...groups].map(([name, group]): [string, Alike[]] => [
    name,
    [...group].sort(([a], [b]) => (a < b ? -1 : 1)).map(([face, times]) => ({ times, is: JSON.parse(face) })),
  ]);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Lists whose order says nothing, or depends on what is masked. */
const UNORDERED: ReadonlySet<string> = new Set([
  ...["conditions", "endpoints", "subsets", "addresses", "notReadyAddresses", "ports", "taints", "finalizers"],
]);

/** The same with sorted keys, and lists without an order of their own sorted. */
function inOrder(value: unknown, key = ""): unknown {
  if (Array.isArray(value)) {
    const items = value.map((each) => inOrder(each));
    return UNORDERED.has(key) ? items.sort((a, b) => (rankOf(a) < rankOf(b) ? -1 : 1)) : items;
  }
  if (!isObject(value)) return value;
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, each]) => [name, inOrder(each, name)]),
  );
}

/** Conditions by their types, everything else by all that is in it. */
function rankOf(item: unknown): string {
  const type = isObject(item) && typeof item["type"] === "string" ? item["type"] : "";
  return `${type} ${JSON.stringify(item)}`;
}

function nameOf(object: KubeObject): string {
  return `${object.kind} ${object.metadata.name ?? ""}`;
}

function counted(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of [...names].sort()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** Objects whose comings, goings and states in between are a matter of chance are not traced. */
const UNTRACED: ReadonlySet<string> = new Set(["Pod", "Event", "EndpointSlice", "Endpoints", "Node"]);

/** Kinds for which Flux and Argo CD have rules of their own. */
const JUDGED: ReadonlySet<string> = new Set([
  ...[
    "Deployment",
    "ReplicaSet",
    "StatefulSet",
    "DaemonSet",
    "Job",
    "PersistentVolumeClaim",
    "HorizontalPodAutoscaler",
  ],
]);

/** What objects go through during one step; keeps `present` up to date. */
class Traces {
  readonly came: string[] = [];
  readonly went: string[] = [];
  readonly events: string[] = [];
  readonly #mask: Mask;
  readonly #present: Map<string, KubeObject>;
  readonly #conditions = new Map<string, Map<string, string[]>>();
  readonly #counters = new Map<string, Map<string, number[]>>();
  readonly #health = new Map<string, Map<string, string[]>>();

  /** While the state before the step is looked at. */
  #beginning = true;

  constructor(mask: Mask, present: Map<string, KubeObject>) {
    this.#mask = mask;
    this.#present = present;
    for (const object of present.values()) this.#look(object);
    this.#beginning = false;
  }

  note({ type, object }: NotedChange): void {
    if (object.kind === "Event") {
      const told = eventText(object);
      if (type !== "DELETED" && told !== undefined) this.events.push(told);
      return;
    }
    const key = `${nameOf(object)} ${object.metadata.uid}`;
    if (type === "DELETED") {
      this.#present.delete(key);
      this.went.push(this.#mask(nameOf(object)));
      return;
    }
    if (!this.#present.has(key)) this.came.push(this.#mask(nameOf(object)));
    this.#present.set(key, object);
    this.#look(object);
  }

  #look(object: KubeObject): void {
    if (UNTRACED.has(object.kind)) return;
    const name = this.#mask(nameOf(object));
    const states = entryOf(this.#conditions, name);
    const now = new Map(
      conditionsOf(object["status"]).map(({ type, status, reason = "", message = "" }) => [
        String(type),
        this.#mask(`${status} ${reason}: ${message}`),
      ]),
    );
    for (const type of new Set([...states.keys(), ...now.keys()])) {
      const known = states.get(type) ?? (this.#beginning ? [] : [ABSENT]);
      states.set(type, known);
      const state = now.get(type) ?? ABSENT;
      if (known.at(-1) !== state) known.push(state);
    }
    this.#lookAtHealth(name, object);
    const counters = entryOf(this.#counters, name);
    const values = countersOf(object);
    for (const path of new Set([...counters.keys(), ...Object.keys(values)])) {
      const known = counters.get(path) ?? (this.#beginning ? [] : [0]);
      counters.set(path, known);
      // Fields that are left out are 0.
      turn(known, values[path] ?? 0);
    }
  }

  #lookAtHealth(name: string, object: KubeObject): void {
    if (!JUDGED.has(object.kind)) return;
    const health = entryOf(this.#health, name);
    for (const [judge, verdict] of [
      ["kstatus", kstatus(object)],
      ["argocd", argoHealth(object)],
    ] as const) {
      const known = health.get(judge) ?? (this.#beginning ? [] : [ABSENT]);
      health.set(judge, known);
      if (known.at(-1) !== verdict) known.push(verdict);
    }
  }

  conditions(): Sequences<string> {
    return changing(this.#conditions, (states) => states.length > 1);
  }

  health(): Sequences<string> {
    return changing(this.#health, (states) => states.length > 1);
  }

  counters(): Sequences<number> {
    return changing(this.#counters, (values) => values.length > 1);
  }
}

/** A condition that an object has not, or no longer. */
const ABSENT = "absent";

function entryOf<T>(map: Map<string, Map<string, T>>, name: string): Map<string, T> {
  const entry = map.get(name) ?? new Map<string, T>();
  map.set(name, entry);
  return entry;
}

/** Adds a value to turning points: while a counter goes on in one direction, only the last value is kept. */
export function turn(values: number[], value: number): void {
  const last = values.at(-1);
  if (last === value) return;
  const before = values.at(-2);
  if (last !== undefined && before !== undefined && Math.sign(value - last) === Math.sign(last - before)) values.pop();
  values.push(value);
}

/** Numbers of a status, and the replicas that a controller wants of a ReplicaSet. */
function countersOf(object: KubeObject): Record<string, number> {
  const counters: Record<string, number> = {};
  const { spec, status } = object as { spec?: { replicas?: unknown }; status?: unknown };
  if (object.kind === "ReplicaSet" && typeof spec?.replicas === "number") counters["spec.replicas"] = spec.replicas;
  if (!isObject(status)) return counters;
  for (const [key, value] of Object.entries(status))
    if (typeof value === "number" && key !== "observedGeneration") counters[key] = value;
  return counters;
}

function changing<T>(
  sequences: ReadonlyMap<string, ReadonlyMap<string, T[]>>,
  keep: (values: readonly T[]) => boolean,
): Sequences<T> {
  const found: Record<string, Record<string, readonly T[]>> = {};
  for (const [name, parts] of [...sequences].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const kept = [...parts].filter(([, values]) => keep(values)).sort(([a], [b]) => (a < b ? -1 : 1));
    if (kept.length > 0) found[name] = Object.fromEntries(kept);
  }
  return found;
}

/** Components whose Events are compared: nodes are pretended in the recordings, so kubelets say nothing there. */
function eventText(event: KubeObject): string | undefined {
  const { type, reason, message, note, source, reportingComponent, reportingController, involvedObject, regarding } =
    event as unknown as Record<string, Record<string, string> & string>;
  const about = involvedObject ?? regarding;
  const component = source?.["component"] || reportingComponent || reportingController || "";
  if (component === "kubelet" || String(component).startsWith("kwok")) return undefined;
  const text = String(message ?? note ?? "");
  return `${about?.["kind"]} ${about?.["name"]}: ${type} ${reason} (${component}): ${text}`;
}
