// Deletions that the server's own controllers ask for, and that admission may delay or refuse.
import type { UserInfo } from "../../../kube/client/transport.ts";
import type { Timer } from "../../../runtime/clock.ts";
import { messageOf } from "../../../runtime/errors.ts";
import { runSteps } from "../../../runtime/steps.ts";
import { deleteStored } from "../handlers/delete.ts";
import type { KindStrategy } from "../registry/kind.ts";
import type { DeleteOptions } from "../request/options.ts";
import type { ServerContext } from "../server-context.ts";
import type { StoredObject } from "../storage/stored-object.ts";

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 300_000;

/** Deletes at once where nobody else is asked, and otherwise in the background. */
export class Deletions {
  readonly #server: ServerContext;
  readonly #user: UserInfo;
  readonly #waiting = new Set<string>();
  /** What failed and waits for its next attempt. */
  readonly #failed = new Map<string, { readonly count: number; readonly timer: Timer }>();
  #stopped = false;

  /** `controller` names the ServiceAccount that the reference's controller has. */
  constructor(server: ServerContext, controller: string) {
    this.#server = server;
    this.#user = {
      name: `system:serviceaccount:kube-system:${controller}`,
      groups: [
        "system:serviceaccounts",
        "system:serviceaccounts:kube-system",
        "system:authenticated",
        "system:masters",
      ],
    };
  }

  /**
   * Deletes an object, unless its deletion is under way. A refused or failed one calls `again` later, with growing pauses:
   * whether it is still to be deleted must be decided anew.
   */
  start(kind: KindStrategy, stored: StoredObject, options: DeleteOptions, again: () => void): void {
    const id = `${stored.resource} ${stored.namespace}/${stored.name}`;
    if (this.#waiting.has(id)) return;
    const { namespace } = stored;
    const request = { server: this.#server, kind, user: this.#user, namespace, subresource: "", dryRun: false };
    try {
      const done = runSteps(deleteStored(request, stored, options));
      if (!(done instanceof Promise)) {
        this.#forget(id);
        return;
      }
      this.#waiting.add(id);
      done.then(
        () => this.#forget(id),
        (error: unknown) => this.#retryLater(id, error, again),
      );
    } catch (error) {
      this.#retryLater(id, error, again);
    }
  }

  stop(): void {
    this.#stopped = true;
    for (const id of [...this.#failed.keys()]) this.#forget(id);
  }

  #forget(id: string): void {
    this.#waiting.delete(id);
    this.#failed.get(id)?.timer.cancel();
    this.#failed.delete(id);
  }

  #retryLater(id: string, error: unknown, again: () => void): void {
    const count = (this.#failed.get(id)?.count ?? 0) + 1;
    this.#forget(id);
    if (this.#stopped) return;
    this.#server.logger.warn("failed to delete an object", { object: id, error: messageOf(error) });
    const delayMs = Math.min(FIRST_RETRY_MS * 2 ** (count - 1), LONGEST_RETRY_MS);
    this.#failed.set(id, { count, timer: this.#server.clock.after(delayMs, again) });
  }
}
