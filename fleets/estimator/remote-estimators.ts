// Estimators in or beside the members, asked by Karmada's protocol: one connection each, kept while the cluster is there.
import type { ReplicaRequirements } from "../../api/work.ts";
import type { Clock, Timer } from "../../runtime/clock.ts";
import { AppError, messageOf } from "../../runtime/errors.ts";
import type { Logger } from "../../runtime/logger.ts";
import { type ChannelTls, GrpcChannel } from "./grpc/channel.ts";
import {
  decodeCount,
  encodeReplicasRequest,
  encodeSetsRequest,
  encodeUnschedulableRequest,
  type PendingWorkload,
  type SetsRequest,
  type UnschedulableRequest,
} from "./messages.ts";
import { METHODS, OBJECT_METADATA } from "./service.ts";

export interface RemoteEstimatorsOptions {
  /** Longest wait for all answers to one question together. */
  readonly timeoutMs: number;
  /** Addresses `host:port` of a cluster's estimator, to be tried in turn. */
  readonly resolve: (cluster: string, signal: AbortSignal) => Promise<readonly string[]>;
  /** Read at each connection, so that renewed certificates count; undefined: without TLS. */
  readonly tls: () => ChannelTls | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What one cluster's estimator said: a number, or why it did not. Absent for clusters that have none. */
export type RemoteAnswers = ReadonlyMap<string, number | Error>;

/** How long an estimator that was there may be gone before its cluster counts as one without. */
const GONE_AFTER_MS = 60_000;
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 120_000;

interface Remote {
  readonly channel: GrpcChannel;
  /** When it was last known to be there; undefined: never. */
  seenAt: number | undefined;
  retryMs: number;
  timer: Timer | undefined;
}

export class RemoteEstimators {
  readonly #options: RemoteEstimatorsOptions;
  readonly #remotes = new Map<string, Remote>();

  constructor(options: RemoteEstimatorsOptions) {
    this.#options = options;
  }

  /** Looks for the estimator of a cluster, again and again until there is one. */
  add(cluster: string): void {
    if (this.#remotes.has(cluster)) return;
    const { resolve, tls, clock } = this.#options;
    const channel = new GrpcChannel({ resolve: (signal) => resolve(cluster, signal), tls, clock });
    const remote: Remote = { channel, seenAt: undefined, retryMs: FIRST_RETRY_MS, timer: undefined };
    this.#remotes.set(cluster, remote);
    void this.#look(cluster, remote);
  }

  delete(cluster: string): void {
    const remote = this.#remotes.get(cluster);
    if (remote === undefined) return;
    this.#remotes.delete(cluster);
    remote.timer?.cancel();
    remote.channel.close();
  }

  close(): void {
    for (const cluster of [...this.#remotes.keys()]) this.delete(cluster);
  }

  /** Whether the cluster has an estimator, as far as is known. */
  has(cluster: string): boolean {
    const remote = this.#remotes.get(cluster);
    if (remote?.seenAt === undefined) return false;
    return remote.channel.isConnected || this.#options.clock.now() - remote.seenAt < GONE_AFTER_MS;
  }

  /** Replicas that each of the clusters has room for. `object` names the workload, for logs of the other side. */
  replicas(
    clusters: readonly string[],
    requirements: ReplicaRequirements | undefined,
    assumedIn: (cluster: string) => readonly PendingWorkload[],
    object: string,
  ): Promise<RemoteAnswers> {
    return this.#askAll(clusters, METHODS.replicas, object, (cluster) =>
      encodeReplicasRequest({ cluster, requirements, assumed: assumedIn(cluster) }),
    );
  }

  /** Whole sets of components that each of the clusters has room for. */
  sets(
    clusters: readonly string[],
    { namespace, components }: Pick<SetsRequest, "namespace" | "components">,
    assumedIn: (cluster: string) => readonly PendingWorkload[],
    object: string,
  ): Promise<RemoteAnswers> {
    return this.#askAll(clusters, METHODS.sets, object, (cluster) =>
      encodeSetsRequest({ cluster, namespace, components, assumed: assumedIn(cluster) }),
    );
  }

  /** Replicas of a workload that found no node; undefined for a cluster without estimator. Rejects with `GrpcError`. */
  async unschedulable(request: UnschedulableRequest, signal: AbortSignal): Promise<number | undefined> {
    const { cluster, workload } = request;
    if (!this.has(cluster)) return undefined;
    const object = `kind=${workload.kind}, name=${workload.namespace}/${workload.name}`;
    return this.#ask(cluster, METHODS.unschedulable, object, encodeUnschedulableRequest(request), signal);
  }

  async #askAll(
    clusters: readonly string[],
    path: string,
    object: string,
    request: (cluster: string) => Uint8Array,
  ): Promise<RemoteAnswers> {
    const answers = new Map<string, number | Error>();
    await Promise.all(
      clusters
        .filter((cluster) => this.has(cluster))
        .map(async (cluster) => {
          try {
            answers.set(cluster, await this.#ask(cluster, path, object, request(cluster)));
          } catch (error) {
            answers.set(cluster, error instanceof Error ? error : new Error(String(error)));
          }
        }),
    );
    return answers;
  }

  async #ask(
    cluster: string,
    path: string,
    object: string,
    request: Uint8Array,
    signal?: AbortSignal,
  ): Promise<number> {
    const remote = this.#remotes.get(cluster);
    if (remote === undefined) throw new AppError("estimator-gone", `cluster ${cluster} is gone`, { recovery: "retry" });
    const { timeoutMs, clock } = this.#options;
    const metadata = { [OBJECT_METADATA]: printable(object) };
    const answer = decodeCount(await remote.channel.unary(path, request, { timeoutMs, signal, metadata }));
    remote.seenAt = clock.now();
    return answer;
  }

  /** Keeps a connection up, so that calls need not wait for one. */
  async #look(cluster: string, remote: Remote): Promise<void> {
    const { clock, logger } = this.#options;
    const before = this.has(cluster);
    try {
      await remote.channel.connect();
      if (!before) logger.info("connected to estimator", { cluster });
      remote.seenAt = clock.now();
      remote.retryMs = FIRST_RETRY_MS;
    } catch (error) {
      if (before) logger.warn("lost estimator", { cluster, error: messageOf(error) });
      else logger.debug("found no estimator", { cluster, error: messageOf(error) });
      remote.retryMs = Math.min(MAX_RETRY_MS, remote.retryMs * 2);
    }
    if (this.#remotes.get(cluster) !== remote) return;
    remote.timer = clock.after(remote.channel.isConnected ? FIRST_RETRY_MS * 10 : remote.retryMs, () => {
      void this.#look(cluster, remote);
    });
  }
}

/** Headers hold printable ASCII only. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?");
}
