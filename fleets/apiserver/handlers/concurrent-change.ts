// Optimistic concurrency of writes that wait: what changed in the meantime makes the write start again.
import type { Steps } from "../../../runtime/steps.ts";
import type { KindStrategy } from "../registry/kind.ts";
import { conflict, OBJECT_MODIFIED, StatusError } from "../registry/status-error.ts";
import type { Store } from "../storage/store.ts";
import type { StoredObject } from "../storage/stored-object.ts";

/** As the reference retries patches. */
const ATTEMPTS = 5;

/** Says that the write must be done again from its beginning. Never leaves this server. */
export class ConcurrentChange extends Error {}

/** Sends the write back to its beginning when somebody else wrote `live` since it was read. */
export function requireUnchanged(store: Store, live: StoredObject): void {
  if (store.get(live) !== live) throw new ConcurrentChange("the object changed while admission was awaited");
}

/** Takes part in `retried`: the object that was absent when the write began is there by now. */
export function* orRetryIfPresent<T>(create: Steps<T>): Steps<T> {
  try {
    return yield* create;
  } catch (error) {
    if (error instanceof StatusError && error.status["reason"] === "AlreadyExists")
      throw new ConcurrentChange(error.message);
    throw error;
  }
}

/**
 * Does a read-modify-write, again from its beginning when the object changed while it waited. 409 after five attempts.
 * `attempt` reads the object itself and leaves nothing behind but warnings, which a new attempt takes back.
 */
export function* retried<T>(
  write: { readonly kind: KindStrategy; readonly name: string; readonly warnings: string[] },
  attempt: () => Steps<T>,
): Steps<T> {
  const { kind, name, warnings } = write;
  const before = warnings.length;
  for (let count = 1; ; count++) {
    try {
      return yield* attempt();
    } catch (error) {
      if (!(error instanceof ConcurrentChange)) throw error;
      if (count === ATTEMPTS) throw conflict({ group: kind.group, resource: kind.plural }, name, OBJECT_MODIFIED);
      warnings.length = before;
    }
  }
}
