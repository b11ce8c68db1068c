import type { KubeClient } from "../../kube/client/kube-client.ts";
import { isNotFound } from "../../kube/client/status-error.ts";
import type { KubeObject, ObjectRef } from "../../kube/object.ts";
import { type Clock, rfc3339 } from "../../runtime/clock.ts";
import { messageOf } from "../../runtime/errors.ts";
import type { Logger } from "../../runtime/logger.ts";
import { yieldToLoop } from "../../runtime/parallel.ts";

export interface EventSubject extends ObjectRef {
  readonly uid?: string | undefined;
}

/** One Event object, and what is to be told of it. */
interface Series {
  readonly name: string;
  readonly namespace: string;
  /** The object as first written; undefined once it was. */
  unwritten: KubeObject | undefined;
  count: number;
  lastMs: number;
  /** A write is on its way that takes the count as it is then. */
  isQueued: boolean;
}

/** Events are an account for people, not state: when they come faster than this, the rest are left out. */
const MAX_PENDING = 10_000;
const MAX_SERIES = 20_000;
const SERIES_WINDOW_MS = 600_000;
const FLUSH_TIMEOUT_MS = 5_000;

/**
 * Writes Kubernetes Events about objects. The same event of the same object within ten minutes counts up instead of
 * appearing again. Never fails its caller: losing an event must not stop a reconciliation.
 */
export class EventRecorder {
  readonly #client: KubeClient;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #passed: () => Promise<void>;
  /** The one that was told of last stands last. */
  readonly #series = new Map<string, Series>();
  #pending: string[] = [];
  #active = 0;
  #lastStamp = 0n;

  /** `passed` resolves when it is time to write: what is told of goes before the telling. */
  constructor(client: KubeClient, clock: Clock, logger: Logger, passed: () => Promise<void> = yieldToLoop) {
    this.#passed = passed;
    this.#client = client;
    this.#clock = clock;
    this.#logger = logger;
  }

  record(subject: EventSubject, type: "Normal" | "Warning", reason: string, message: string): void {
    const now = this.#clock.now();
    const key = `${subject.uid ?? `${subject.kind}/${subject.namespace}/${subject.name}`}/${reason}/${message}`;
    const known = this.#series.get(key);
    const goesOn = known !== undefined && now - known.lastMs < SERIES_WINDOW_MS;
    const series = goesOn ? known : this.#begin(subject, type, reason, message, now);
    series.count++;
    series.lastMs = now;
    this.#series.delete(key);
    this.#series.set(key, series);
    this.#forgetOld(now);
    this.#enqueue(key, series);
  }

  #begin(subject: EventSubject, type: string, reason: string, message: string, now: number): Series {
    const namespace = subject.namespace === undefined || subject.namespace === "" ? "default" : subject.namespace;
    const name = `${nameStem(subject.name)}.${this.#stamp(now)}`;
    const unwritten = toEvent(subject, { name, namespace, type, reason, message, time: rfc3339(now) });
    return { name, namespace, unwritten, count: 0, lastMs: now, isQueued: false };
  }

  /**
   * Nanoseconds as client-go puts them into names, made unique by counting: listed by name, the events of an object
   * then stand in the order in which they happened, which is how kubectl shows those of one second.
   */
  #stamp(nowMs: number): string {
    const nanos = BigInt(Math.trunc(nowMs)) * 1_000_000n;
    this.#lastStamp = nanos > this.#lastStamp ? nanos : this.#lastStamp + 1n;
    return this.#lastStamp.toString(16);
  }

  /** Resolves when all events recorded so far were sent or given up; what a store does not take in time is given up. */
  async flush(): Promise<void> {
    let isLate = false;
    const timer = this.#clock.after(FLUSH_TIMEOUT_MS, () => {
      isLate = true;
      this.#pending = [];
    });
    while (!isLate && (this.#active > 0 || this.#pending.length > 0)) await yieldToLoop();
    timer.cancel();
  }

  #enqueue(key: string, series: Series): void {
    if (series.isQueued || this.#pending.length >= MAX_PENDING) return;
    series.isQueued = true;
    this.#pending.push(key);
    if (this.#active < 4) void this.#drain();
  }

  async #drain(): Promise<void> {
    this.#active++;
    for (let key = this.#pending.shift(); key !== undefined; key = this.#pending.shift()) {
      await this.#passed();
      const series = this.#series.get(key);
      if (series === undefined) continue;
      try {
        await this.#send(key, series);
      } catch (error) {
        // What is not there cannot be counted up: the next one of the series begins a new one.
        if (this.#series.get(key) === series) this.#series.delete(key);
        // A namespace that is going away takes its events along.
        if (!isNotFound(error)) this.#logger.debug("event was lost", { error: messageOf(error) });
      }
    }
    this.#active--;
  }

  /** Writes what is to be told; what is added meanwhile is written afterwards, so that nothing overtakes. */
  async #send(key: string, series: Series): Promise<void> {
    const { name, namespace, unwritten, count } = series;
    const lastTimestamp = rfc3339(series.lastMs);
    if (unwritten !== undefined) {
      await this.#client.create({ ...unwritten, count, lastTimestamp }, { fieldManager: "flaghoist" });
      series.unwritten = undefined;
    } else {
      const ref = { apiVersion: "v1", kind: "Event", namespace, name };
      await this.#client.patch(ref, { count, lastTimestamp }, "merge", { fieldManager: "flaghoist" });
    }
    series.isQueued = false;
    if (series.count > count) this.#enqueue(key, series);
  }

  #forgetOld(now: number): void {
    for (const [key, series] of this.#series) {
      if (this.#series.size <= MAX_SERIES && now - series.lastMs < SERIES_WINDOW_MS) return;
      if (series.isQueued && this.#series.size <= MAX_SERIES) return;
      this.#series.delete(key);
    }
  }
}

/** An object's name as the first part of an Event's, which must be a DNS name and not too long. */
function nameStem(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]/g, "-")
    .slice(0, 230)
    .replaceAll(/^[.-]+|[.-]+$/g, "")
    .replaceAll(/[.-]*\.[.-]*/g, ".");
}

function toEvent(
  subject: EventSubject,
  event: { name: string; namespace: string; type: string; reason: string; message: string; time: string },
): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: event.name, namespace: event.namespace },
    involvedObject: {
      apiVersion: subject.apiVersion,
      kind: subject.kind,
      namespace: subject.namespace,
      name: subject.name,
      uid: subject.uid,
    },
    type: event.type,
    reason: event.reason,
    message: event.message.slice(0, 1024),
    source: { component: "flaghoist" },
    reportingComponent: "flaghoist",
    firstTimestamp: event.time,
    lastTimestamp: event.time,
    count: 1,
  };
}

/** How events name an object. */
export function subjectOf(object: KubeObject): EventSubject {
  const { name, namespace, uid } = object.metadata;
  return { apiVersion: object.apiVersion, kind: object.kind, namespace, name: name ?? "", uid };
}
