import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/logger.ts";
import type { KubeObject } from "../object.ts";
import { Informer, type InformerScope } from "./informer.ts";
import type { KubeClient } from "./kube-client.ts";

/** The part of a kind's objects that a process watches. */
export type ScopeOf = (apiVersion: string, kind: string) => InformerScope;

/** One informer a kind for all loops of a process, so that each kind is watched once. */
export class InformerSet {
  readonly #client: KubeClient;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #informers = new Map<string, Informer>();
  readonly #scopeOf: ScopeOf;

  /** `scopeOf` narrows what is watched, for programs that may not read more. */
  constructor(client: KubeClient, clock: Clock, logger: Logger, scopeOf: ScopeOf = () => ({})) {
    this.#scopeOf = scopeOf;
    this.#client = client;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** The informer of a kind within its scope; started on first use. The caller names the type that the kind has. */
  of<T extends KubeObject = KubeObject>(apiVersion: string, kind: string): Informer<T> {
    const key = `${apiVersion}/${kind}`;
    let informer = this.#informers.get(key);
    if (informer === undefined) {
      informer = new Informer({
        ...this.#scopeOf(apiVersion, kind),
        client: this.#client,
        apiVersion,
        kind,
        clock: this.#clock,
        logger: this.#logger,
      }).start();
      this.#informers.set(key, informer);
    }
    // One kind has one type; callers agree on it.
    return informer as unknown as Informer<T>;
  }

  /** The informer of a kind if it was asked for before. */
  known(apiVersion: string, kind: string): Informer | undefined {
    return this.#informers.get(`${apiVersion}/${kind}`);
  }

  /** Stops watching a kind, for kinds that the server no longer serves. */
  async drop(apiVersion: string, kind: string): Promise<void> {
    const key = `${apiVersion}/${kind}`;
    const informer = this.#informers.get(key);
    this.#informers.delete(key);
    await informer?.stop();
  }

  /** Resolves when every informer asked for so far has listed once. */
  async synced(): Promise<void> {
    await Promise.all([...this.#informers.values()].map((informer) => informer.synced()));
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#informers.values()].map((informer) => informer.stop()));
    this.#informers.clear();
  }
}
