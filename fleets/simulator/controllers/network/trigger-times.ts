import { type Pod, podCondition } from "../pod-object.ts";
import type { Service } from "./service-object.ts";

/** Which annotation tells when what led to the last write of endpoints happened. */
const TRIGGER_TIME = "endpoints.kubernetes.io/last-change-trigger-time";

interface Seen {
  readonly service: string;
  readonly pods: ReadonlyMap<string, string>;
}

/** Remembers since when Pods have been ready or not, to say since when endpoints have been late. */
export class TriggerTimes {
  readonly #seen = new Map<string, Seen>();

  /** The earliest change since the last look at the Service; undefined when there was none. */
  next(key: string, service: Service, pods: readonly Pod[]): string | undefined {
    const created = service.metadata.creationTimestamp ?? "";
    const times = new Map<string, string>();
    for (const pod of pods) {
      const since = podCondition(pod, "Ready")?.lastTransitionTime ?? "";
      if (since !== "") times.set(pod.metadata.name ?? "", since);
    }
    const before = this.#seen.get(key);
    this.#seen.set(key, { service: created, pods: times });
    if (before === undefined) return created;
    const changed = [...times].filter(([name, time]) => time > (before.pods.get(name) ?? "")).map(([, time]) => time);
    if (created > before.service) changed.push(created);
    return changed.sort()[0];
  }

  forget(key: string): void {
    this.#seen.delete(key);
  }
}

/** Annotations with the time, or without one. */
export function withTriggerTime(
  annotations: Readonly<Record<string, string>> | undefined,
  time: string | undefined,
): { annotations?: Record<string, string> } {
  const { [TRIGGER_TIME]: _, ...others } = annotations ?? {};
  const all = time === undefined ? others : { ...others, [TRIGGER_TIME]: time };
  return Object.keys(all).length === 0 ? {} : { annotations: all };
}
