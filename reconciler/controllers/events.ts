import type { KubeClient } from "../../kube/client/kube-client.ts";
import { isNotFound } from "../../kube/client/status-error.ts";
import type { KubeObject, ObjectRef } from "../../kube/object.ts";
import { type Clock, rfc3339 } from "../../runtime/clock.ts";
import { messageOf } from "../../runtime/errors.ts";
import type { Logger } from "../../runtime/logger.ts";

export interface EventSubject extends ObjectRef {
  readonly uid?: string | undefined;
}

interface Series {
  readonly name: string;
  readonly namespace: string;
  count: number;
  lastMs: number;
}

/** Events are an account for people, not state: when they come faster than this, the rest are left out. */
const MAX_PENDING = 5_000;
const SERIES_WINDOW_MS = 600_000;

/**
 * Writes Kubernetes Events about objects. The same event of the same object within ten minutes counts up instead of
 * appearing again. Never fails its caller: losing an event must not stop a reconciliation.
 */
export class EventRecorder {
  readonly #client: KubeClient;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #series = new Map<string, Series>();
  readonly #pending: (() => Promise<void>)[] = [];
  #active = 0;
  #lastStamp = 0n;

  constructor(client: KubeClient, clock: Clock, logger: Logger) {
    this.#client = client;
    this.#clock = clock;
    this.#logger = logger;
  }

  record(subject: EventSubject, type: "Normal" | "Warning", reason: string, message: string): void {
    const now = this.#clock.now();
    const key = `${subject.uid ?? `${subject.kind}/${subject.namespace}/${subject.name}`}/${reason}/${message}`;
    const known = this.#series.get(key);
    if (known !== undefined && now - known.lastMs < SERIES_WINDOW_MS) {
      known.count++;
      known.lastMs = now;
      const { name, namespace, count } = known;
      const patch = { count, lastTimestamp: rfc3339(now) };
      this.#enqueue(async () => {
        await this.#client.patch({ apiVersion: "v1", kind: "Event", namespace, name }, patch, "merge", {
          fieldManager: "flaghoist",
        });
      });
      return;
    }
    const namespace = subject.namespace === undefined || subject.namespace === "" ? "default" : subject.namespace;
    const name = `${subject.name}.${this.#stamp(now)}`;
    this.#series.set(key, { name, namespace, count: 1, lastMs: now });
    this.#forgetOld(now);
    const event = toEvent(subject, { name, namespace, type, reason, message, time: rfc3339(now) });
    this.#enqueue(async () => {
      await this.#client.create(event, { fieldManager: "flaghoist" });
    });
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

  /** Resolves when all events recorded so far were sent or given up. */
  async flush(): Promise<void> {
    while (this.#active > 0 || this.#pending.length > 0) await new Promise((resolve) => setImmediate(resolve));
  }

  #enqueue(send: () => Promise<void>): void {
    if (this.#pending.length >= MAX_PENDING) return;
    this.#pending.push(send);
    if (this.#active < 4) void this.#drain();
  }

  async #drain(): Promise<void> {
    this.#active++;
    for (let send = this.#pending.shift(); send !== undefined; send = this.#pending.shift()) {
      try {
        await send();
      } catch (error) {
        // A namespace that is going away takes its events along.
        if (!isNotFound(error)) this.#logger.debug("event was lost", { error: messageOf(error) });
      }
    }
    this.#active--;
  }

  #forgetOld(now: number): void {
    if (this.#series.size < 20_000) return;
    for (const [key, series] of this.#series) if (now - series.lastMs >= SERIES_WINDOW_MS) this.#series.delete(key);
  }
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
