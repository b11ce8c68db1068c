// Who hears of everything that a control plane tells, and knows what it should have told.
import { type Condition, isObject, type KubeObject } from "../../kube/object.ts";
import { createLogger, type Logger } from "../../runtime/logger.ts";
import { KINDS, pathOf, RESOURCE_OF } from "./support-fleet-apps.ts";
import { FailoverWatch } from "./support-fleet-failover.ts";
import type { ChaosWorld } from "./support-fleet-world.ts";

/** An Event as it was written. */
export interface Told {
  readonly atMs: number;
  readonly reason: string;
  readonly kind: string;
  readonly path: string;
  readonly message: string;
}

/** Something that must be told of until some time. */
interface Expected {
  readonly sinceMs: number;
  readonly words: string;
  readonly isTold: (told: Told) => boolean;
}

const CLUSTERS = "cluster.karmada.io/clusters";
const BINDINGS: ReadonlySet<string> = new Set([
  "work.karmada.io/resourcebindings",
  "work.karmada.io/clusterresourcebindings",
]);
/** How long an Event may take. */
const TOLD_MS = 30_000;
const DRIFT_REASONS: ReadonlySet<string> = new Set(["DriftCorrected", "DriftDetected"]);
/** What somebody wrote into a Secret, which is to be in no text for people. */
export const SECRET_EDIT = Buffer.from("edited").toString("base64");

/** Listens to the store of a world. Words that get lost with a process are nobody's fault. */
export class Witness {
  readonly #world: ChaosWorld;
  readonly #told: Told[] = [];
  readonly #upsets: number[] = [];
  #jumpedMs = Number.NEGATIVE_INFINITY;
  #expected: Expected[] = [];
  /** `cluster resource path` of copies that somebody did something to; `cluster` for all of it. */
  readonly #touched = new Set<string>();
  readonly #failover: FailoverWatch;

  constructor(world: ChaosWorld) {
    this.#world = world;
    this.#failover = new FailoverWatch(world);
  }

  /** From now on everything is heard. */
  listen(): void {
    this.#world.plane.store.state.subscribeAll(({ type, object: { resource, object }, previous }) => {
      if (type === "DELETED") return;
      if (resource === "events") this.#hear(object);
      else if (type !== "MODIFIED") return;
      else if (resource === CLUSTERS) {
        this.#expectHolds(object, previous?.object);
        if (this.#world.isSafe && previous !== undefined) this.#failover.onWrite(object, previous.object);
      } else if (BINDINGS.has(resource)) this.#expectEvictions(object, previous?.object);
    });
  }

  /** Somebody did something to a copy, or to all that is in a cluster: findings about it are true. */
  touched(cluster: string, resource?: string, path?: string): void {
    this.#touched.add(resource === undefined ? cluster : `${cluster} ${resource} ${path}`);
  }

  /** Something happened with which words may get lost. */
  upset(): void {
    this.#upsets.push(this.#world.now);
  }

  /** As `upset`: a clock went on from another time. */
  clockJumped(): void {
    this.#jumpedMs = this.#world.now;
    this.upset();
  }

  /** Whether clocks went on evenly for so long. */
  hasEvenClocks(forMs: number): boolean {
    return this.#jumpedMs <= this.#world.now - forMs;
  }

  /** Whether an Event was written since a time. */
  hasTold(sinceMs: number, matches: (told: Told) => boolean): boolean {
    return this.#told.some((told) => told.atMs >= sinceMs && matches(told));
  }

  /** To be called now and then: what is due and was not told is a violation. */
  check(): void {
    const { now } = this.#world;
    const due = this.#expected.filter(({ sinceMs }) => sinceMs + TOLD_MS <= now);
    if (due.length === 0) return;
    this.#expected = this.#expected.filter(({ sinceMs }) => sinceMs + TOLD_MS > now);
    for (const { sinceMs, words, isTold } of due) {
      const isUpset = this.#upsets.some((at) => at >= sinceMs - TOLD_MS && at <= sinceMs + TOLD_MS);
      if (!isUpset && !this.hasTold(sinceMs, isTold)) this.#world.violate(`nobody was told that ${words}`);
    }
  }

  #hear(event: KubeObject): void {
    const about = event["involvedObject"];
    const text = (value: unknown): string => (typeof value === "string" ? value : "");
    if (!isObject(about)) return;
    const namespace = text(about["namespace"]);
    const told = {
      atMs: this.#world.now,
      reason: text(event["reason"]),
      kind: text(about["kind"]),
      path: pathOf({ name: text(about["name"]), namespace: namespace === "" ? undefined : namespace }),
      message: text(event["message"]),
    };
    this.#told.push(told);
    if (told.message.includes(SECRET_EDIT)) this.#world.violate(`an Event shows a secret: ${told.message}`);
    if (DRIFT_REASONS.has(told.reason)) this.#checkFinding(told);
  }

  /** Nobody is told of drift where nobody did anything. */
  #checkFinding({ reason, kind, path, message }: Told): void {
    const cluster = /^cluster (\S+): /.exec(message)?.[1] ?? "";
    const resource = KINDS.filter((each) => each === kind).map((each) => RESOURCE_OF[each])[0] ?? kind;
    if (this.#touched.has(cluster) || this.#touched.has(`${cluster} ${resource} ${path}`)) return;
    this.#world.violate(`${reason} of ${kind} ${path} although nobody touched it: ${message}`);
  }

  #expectEvictions(now: KubeObject, before: KubeObject | undefined): void {
    const known = new Set(tasksOf(before).map(({ fromCluster }) => fromCluster));
    const { name = "", namespace } = now.metadata;
    const path = pathOf({ name, namespace: namespace === "" ? undefined : namespace });
    for (const { fromCluster, producer } of tasksOf(now)) {
      if (known.has(fromCluster) || producer !== "TaintManager") continue;
      this.#expected.push({
        sinceMs: this.#world.now,
        words: `${now.kind} ${path} leaves ${fromCluster}`,
        isTold: (told) =>
          told.reason === "EvictWorkloadFromClusterSucceed" &&
          told.kind === now.kind &&
          told.path === path &&
          told.message.includes(fromCluster),
      });
    }
  }

  #expectHolds(now: KubeObject, before: KubeObject | undefined): void {
    const { name = "" } = now.metadata;
    for (const [status, reason] of [
      ["True", "DeletionsHeld"],
      ["False", "DeletionsReleased"],
    ] as const) {
      if (holdOf(now)?.status !== status || (holdOf(before)?.status ?? "False") === status) continue;
      this.#expected.push({
        sinceMs: this.#world.now,
        words: `deletions in ${name} are ${status === "True" ? "held" : "held no more"}`,
        isTold: (told) => told.reason === reason && told.kind === "Cluster" && told.path === name,
      });
    }
  }
}

interface EvictionTask {
  readonly fromCluster: string;
  readonly producer?: string;
}

function tasksOf(binding: KubeObject | undefined): readonly EvictionTask[] {
  return (binding?.["spec"] as { gracefulEvictionTasks?: EvictionTask[] } | undefined)?.gracefulEvictionTasks ?? [];
}

export function conditionOf(object: KubeObject | undefined, type: string): Condition | undefined {
  const status = object?.["status"] as { conditions?: Condition[] } | undefined;
  return status?.conditions?.find((condition) => condition.type === type);
}

/** The condition of a Cluster in which deletions wait for a person. */
export function holdOf(cluster: KubeObject | undefined): Condition | undefined {
  return conditionOf(cluster, "DeletionsHeld");
}

/** Takes what a live process logs as an error, which is a fault of ours whatever members and stores do. */
export function watchfulLogger(onFault: (instance: string | undefined, words: string) => void): Logger {
  return createLogger({
    level: "error",
    format: "json",
    write: (line) => {
      const { message, instance, stack, error } = JSON.parse(line) as Record<string, string>;
      if (message?.startsWith("lost the lease") !== true)
        onFault(instance, `${instance} logged an error: ${message}: ${stack ?? error}`);
    },
    now: () => 0,
  });
}
