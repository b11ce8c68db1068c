// One process of a control plane that is none: it can crash between any two of its writes, and its clock can be wrong.
import type { Activity } from "../../fleets/simulator/clock/activity.ts";
import { SkewedClock } from "../../fleets/simulator/faults/skewed-clock.ts";
import { KubeClient } from "../../kube/client/kube-client.ts";
import { DEFAULT_LEASE_TIMES, LeaderElection } from "../../kube/client/leader-election.ts";
import { apiUnreachable } from "../../kube/client/status-error.ts";
import type { ApiRequest, Transport } from "../../kube/client/transport.ts";
import type { Clock, Timer } from "../../runtime/clock.ts";
import { AppError } from "../../runtime/errors.ts";
import type { Logger } from "../../runtime/logger.ts";
import type { Random } from "../../runtime/random.ts";
import type { Profile } from "../controllers/context.ts";
import type { Manager } from "../controllers/manager.ts";
import type { QuotaLedger } from "../controllers/quota/quota-ledger.ts";
import type { GitFetcher } from "../controllers/sync/git-repository.ts";
import type { SyncRenderer } from "../controllers/sync/sync-apply.ts";
import { type PlaneLoops, startPlaneLoops } from "./plane-loops.ts";

/** What is special about an instance. */
export interface InstanceWays {
  readonly name?: string;
  /** Several instances elect the one that acts; an instance that loses the lease ends, as the program does. */
  readonly elects?: boolean;
  /** Told of each request that changes something, before it is sent; `cluster` is undefined for the store. */
  readonly onWrite?: (write: InstanceWrite) => void;
}

/** A request of an instance that may change something. */
export interface InstanceWrite {
  readonly instance: string;
  readonly cluster: string | undefined;
  readonly request: ApiRequest;
}

/** What an instance is made of. */
export interface VirtualInstanceOptions {
  readonly name: string;
  readonly ways: InstanceWays;
  readonly store: Transport;
  readonly local: (clusterName: string) => Transport | undefined;
  readonly activity: Activity;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly newUuid: () => string;
  readonly random: Random;
  readonly profile: Profile;
  readonly ledger: QuotaLedger;
  readonly fetcher: GitFetcher;
  readonly renderer: SyncRenderer;
  /** Called once, when it was stopped or has crashed. */
  readonly onEnd: () => void;
}

/** One process of a control plane. */
export class VirtualInstance {
  readonly name: string;
  readonly #options: VirtualInstanceOptions;
  readonly #clock: SkewedClock;
  readonly #dead = new AbortController();
  #loops: PlaneLoops | undefined;
  #writes = 0;
  #crashAt = Number.POSITIVE_INFINITY;
  /** Aborts when the network to the store is cut. */
  #connection = new AbortController();
  #cuts = 0;
  #starting: Promise<PlaneLoops> | undefined;
  #election: LeaderElection | undefined;
  #ended = false;

  constructor(options: VirtualInstanceOptions) {
    this.name = options.name;
    this.#options = options;
    this.#clock = new SkewedClock(options.clock);
  }

  /** The loops; undefined until they are started. */
  get manager(): Manager | undefined {
    return this.#loops?.manager;
  }

  get context(): PlaneLoops["context"] | undefined {
    return this.#loops?.context;
  }

  /** Whether it is the one that acts. */
  get isLeader(): boolean {
    return this.#election?.isLeader ?? this.#loops !== undefined;
  }

  /** Requests so far that might have changed something, in the store and in members. */
  get writes(): number {
    return this.#writes;
  }

  get hasCrashed(): boolean {
    return this.#dead.signal.aborted;
  }

  async start(): Promise<void> {
    const { store, local, logger, newUuid, profile, ledger, fetcher, renderer, activity } = this.#options;
    const ways = new Map<string, Transport>();
    const clock = this.#mortal(this.#clock);
    const toStore = this.#own(this.#toStore(store), undefined);
    const election = this.#options.ways.elects === true ? this.#electionOver(toStore, clock) : undefined;
    this.#election = election;
    await election?.acquire(this.#dead.signal);
    election?.lost.addEventListener("abort", () => this.#crash(), { once: true });
    this.#starting = startPlaneLoops({
      client: new KubeClient(election?.guarded(toStore) ?? toStore),
      guard: (transport) => election?.guarded(transport) ?? transport,
      clock,
      logger,
      newUuid,
      profile,
      local: (cluster) => {
        const inner = local(cluster);
        if (inner === undefined) return undefined;
        const way = ways.get(cluster) ?? this.#own(activity.heard(inner), cluster);
        ways.set(cluster, way);
        return way;
      },
      fetcher,
      renderer,
      ledger,
    });
    this.#loops = await this.#starting;
  }

  /** Lets the process be killed right after so many more of its writes; 0: now. */
  crashAfter(writes: number): void {
    this.#crashAt = this.#writes + writes;
    if (writes === 0) this.#crash();
  }

  /** Kills the process: nothing that it had begun goes on. */
  crash(): void {
    this.crashAfter(0);
  }

  /** Ends the process in order. */
  async stop(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#loops?.stop();
    await this.#election?.release();
    this.#dead.abort(gone());
    this.#options.onEnd();
  }

  /** Its clock is wrong by so much from now on; the returned function sets it right. */
  skewClock(ms: number): () => void {
    return this.#clock.begin(ms);
  }

  /** It does not reach the store any more, and open watches are cut; the returned function mends the network. */
  cutStore(): () => void {
    this.#cuts++;
    if (this.#cuts === 1) this.#connection.abort(new Error("connection reset"));
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#cuts--;
      if (this.#cuts === 0) this.#connection = new AbortController();
    };
  }

  #crash(): void {
    if (this.#dead.signal.aborted) return;
    this.#options.logger.info("crashed", { writes: this.#writes });
    this.#dead.abort(gone());
    this.#ended = true;
    this.#options.onEnd();
    // What is left of it in this process is told to end. None of that gets out, and nobody waits for it.
    void this.#starting?.then((loops) => loops.stop()).catch(() => {});
  }

  #electionOver(store: Transport, clock: Clock): LeaderElection {
    const { logger, random } = this.#options;
    const client = new KubeClient(store);
    const where = { identity: this.name, namespace: "karmada-system", name: "flaghoist" };
    return new LeaderElection({ client, clock, logger, random, ...where, ...DEFAULT_LEASE_TIMES });
  }

  /** Timers of a dead process do not fire. */
  #mortal(clock: Clock): Clock {
    const { signal } = this.#dead;
    return {
      now: () => clock.now(),
      after: (ms: number, fn: () => void): Timer =>
        clock.after(ms, () => {
          if (!signal.aborted) fn();
        }),
    };
  }

  /** A way out of this process, as long as it lives. */
  #own(transport: Transport, cluster: string | undefined): Transport {
    const { signal } = this.#dead;
    return async (request) => {
      signal.throwIfAborted();
      const changes = isChange(request);
      if (changes) this.#options.ways.onWrite?.({ instance: this.name, cluster, request });
      const answer = await transport({ ...request, signal: either(request.signal, signal) });
      if (changes && ++this.#writes >= this.#crashAt) this.#crash();
      // What was written was written, but nobody hears of it any more.
      signal.throwIfAborted();
      return answer;
    };
  }

  #toStore(transport: Transport): Transport {
    return async (request) => {
      const { signal } = this.#connection;
      try {
        signal.throwIfAborted();
        return await transport({ ...request, signal: either(request.signal, signal) });
      } catch (error) {
        if (!signal.aborted || request.signal?.aborted === true) throw error;
        throw apiUnreachable(nameOf(request), signal.reason);
      }
    };
  }
}

function either(first: AbortSignal | undefined, second: AbortSignal): AbortSignal {
  return first === undefined ? second : AbortSignal.any([first, second]);
}

/** Whether one may or is somebody is asked by POST; no server keeps anything of that. */
const REVIEW = /^\/apis\/(authorization|authentication)\.k8s\.io\/[^/]+\/(namespaces\/[^/]+\/)?[a-z]+reviews(\?|$)/;

function isChange({ method, path }: ApiRequest): boolean {
  return method !== "GET" && method !== "HEAD" && !path.includes("dryRun=All") && !REVIEW.test(path);
}

function nameOf({ method, path }: ApiRequest): string {
  return `${method} ${path.split("?")[0] ?? ""}`;
}

function gone(): AppError {
  return new AppError("stopped", "the process is gone", { recovery: "retry" });
}
