// Writes Events as client-go's recorder does: what happens again counts up the Event that is there, many alike become
// one, and too many are left out.
import type { KubeClient } from "../../../kube/client/kube-client.ts";
import { isNotFound } from "../../../kube/client/status-error.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { type Clock, rfc3339 } from "../../../runtime/clock.ts";
import type { EventDraft } from "./action.ts";
import { EventCorrelator } from "./event-correlator.ts";

/** Events of the past that may still be counted up, as many as client-go remembers. */
const REMEMBERED = 4096;

interface Written {
  readonly name: string;
  readonly namespace: string;
  count: number;
}

/** The Events of one cluster. */
export class EventRecorder {
  readonly #client: KubeClient;
  readonly #clock: Clock;
  readonly #written = new Map<string, Written>();
  readonly #correlator = new EventCorrelator();
  #number = 0;

  constructor(client: KubeClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** Tells that `draft` happened, in the name of a component such as `kubelet`. */
  async record(component: string, told: EventDraft): Promise<void> {
    const correlated = this.#correlator.correlate(component, told, this.#clock.now());
    if (correlated === undefined) return;
    const { id, draft } = correlated;
    const now = rfc3339(this.#clock.now());
    const known = this.#written.get(id);
    if (known !== undefined) {
      const { name, namespace } = known;
      known.count++;
      try {
        await this.#client.patch(
          { apiVersion: "v1", kind: "Event", namespace, name },
          // The text of those combined is that of the last.
          { count: known.count, lastTimestamp: now, message: draft.message },
          "merge",
        );
        return;
      } catch (error) {
        // Events are forgotten after an hour: this one begins anew.
        if (!isNotFound(error)) throw error;
      }
    }
    const event = this.#eventOf(component, draft, now);
    await this.#client.create(event);
    this.#remember(id, { name: event.metadata.name ?? "", namespace: event.metadata.namespace ?? "", count: 1 });
  }

  #eventOf(component: string, draft: EventDraft, now: string): KubeObject {
    const { regarding, type, reason, message, fieldPath } = draft;
    const { name = "", namespace, uid, resourceVersion } = regarding.metadata;
    // The real one ends in the time in nanoseconds; here a number keeps Events of one millisecond apart.
    const stamp = (BigInt(this.#clock.now()) * 1_000_000n + BigInt(this.#number++ % 1_000_000)).toString(16);
    return {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: `${name}.${stamp}`, namespace: namespace ?? "default" },
      involvedObject: {
        kind: regarding.kind,
        ...(namespace === undefined ? {} : { namespace }),
        name,
        uid,
        apiVersion: regarding.apiVersion,
        resourceVersion,
        ...(fieldPath === undefined ? {} : { fieldPath }),
      },
      reason,
      message,
      source: { component },
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
      type,
      eventTime: null,
      reportingComponent: component,
      reportingInstance: "",
    };
  }

  #remember(id: string, written: Written): void {
    this.#written.delete(id);
    this.#written.set(id, written);
    for (const oldest of this.#written.keys()) {
      if (this.#written.size <= REMEMBERED) break;
      this.#written.delete(oldest);
    }
  }
}
