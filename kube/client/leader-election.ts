// One of several processes acts, as client-go's leader election over a Lease decides it; others may be Go programs.
import { type Clock, sleep, type Timer } from "../../runtime/clock.ts";
import { AppError, messageOf } from "../../runtime/errors.ts";
import type { Logger } from "../../runtime/logger.ts";
import type { Random } from "../../runtime/random.ts";
import type { KubeObject } from "../object.ts";
import type { KubeClient } from "./kube-client.ts";
import { isAlreadyExists, isConflict } from "./status-error.ts";
import type { ApiRequest, Transport } from "./transport.ts";

export interface LeaseTimes {
  /** How long others wait for a leader that says nothing. */
  readonly leaseDurationMs: number;
  /** How long a leader that cannot renew goes on; shorter than the lease. */
  readonly renewDeadlineMs: number;
  /** Between two attempts. */
  readonly retryPeriodMs: number;
}

/** As client-go and Karmada have them. */
export const DEFAULT_LEASE_TIMES: LeaseTimes = {
  leaseDurationMs: 15_000,
  renewDeadlineMs: 10_000,
  retryPeriodMs: 2_000,
};

export interface LeaderElectionOptions extends LeaseTimes {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly logger: Logger;
  /** For the jitter between attempts. */
  readonly random: Random;
  /** Tells this process from all others. */
  readonly identity: string;
  readonly namespace: string;
  readonly name: string;
}

/** What a Lease says of its holder. */
export interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

/** What a process has seen of the Lease. */
export interface SeenLease {
  readonly spec: LeaseSpec;
  /** How long it has been seen unchanged, by timers of this process: clocks of machines differ, and jump. */
  readonly forMs: number;
}

/** What to do about the Lease now: hold it under the spec that is to be written, or wait for its holder. */
export type LeaseDecision =
  | { readonly do: "write"; readonly spec: LeaseSpec }
  | { readonly do: "wait"; readonly holder: string };

/** As client-go: a holder counts until its record has not changed for as long as the record itself says. */
export function decideLease(
  seen: SeenLease | undefined,
  { identity, leaseDurationMs }: Pick<LeaderElectionOptions, "identity" | "leaseDurationMs">,
  nowMs: number,
): LeaseDecision {
  const { holderIdentity: holder = "", leaseTransitions = 0, acquireTime } = seen?.spec ?? {};
  const isOurs = holder === identity;
  if (seen !== undefined && holder !== "" && !isOurs) {
    const lastsMs = (seen.spec.leaseDurationSeconds ?? 0) * 1000;
    if (seen.forMs < lastsMs) return { do: "wait", holder };
  }
  const now = microTime(nowMs);
  return {
    do: "write",
    spec: {
      holderIdentity: identity,
      leaseDurationSeconds: Math.max(1, Math.ceil(leaseDurationMs / 1000)),
      acquireTime: isOurs && acquireTime !== undefined ? acquireTime : now,
      renewTime: now,
      leaseTransitions: isOurs || seen === undefined ? leaseTransitions : leaseTransitions + 1,
    },
  };
}

/**
 * The election of one process. It holds the lease from `acquire` until `lost` aborts, which happens when it could not renew
 * within the deadline: before anybody else may take the lease. Who has lost it once does not come back: the process ends.
 */
export class LeaderElection {
  readonly #o: LeaderElectionOptions;
  readonly #lost = new AbortController();
  readonly #stopped = new AbortController();
  #seen: SeenLease | undefined;
  #lease: KubeObject | undefined;
  /** When the last renewal that succeeded was asked for; undefined while the lease is not ours. */
  #renewedAtMs: number | undefined;
  #expiry: Timer | undefined;
  #renewing: Promise<void> | undefined;
  #waitsFor: string | undefined;

  constructor(options: LeaderElectionOptions) {
    this.#o = options;
  }

  /** Aborts when this process must not act any more. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Whether this process may act. A clock that jumped ahead, or a process that stood still, counts against it. */
  get isLeader(): boolean {
    if (this.#renewedAtMs === undefined || this.#lost.signal.aborted) return false;
    return this.#o.clock.now() - this.#renewedAtMs < this.#o.renewDeadlineMs;
  }

  /** Resolves when the lease is ours; rejects with the reason of `signal`. */
  async acquire(signal: AbortSignal): Promise<void> {
    const { clock, retryPeriodMs, random } = this.#o;
    for (;;) {
      signal.throwIfAborted();
      if (await this.#attempt(signal)) break;
      const pauseMs = retryPeriodMs * (1 + random.next() * 0.2);
      await sleep(clock, pauseMs, signal);
      if (this.#seen !== undefined) this.#seen = { ...this.#seen, forMs: this.#seen.forMs + pauseMs };
    }
    this.#o.logger.info("became the leader", { lease: `${this.#o.namespace}/${this.#o.name}` });
    this.#renewing = this.#renew();
  }

  /** Gives the lease back, so that another process need not wait for its end. */
  async release(): Promise<void> {
    const isHeld = this.isLeader;
    this.#stopped.abort(new AppError("stopped", "the election was stopped", { recovery: "retry" }));
    await this.#renewing;
    this.#expiry?.cancel();
    this.#renewedAtMs = undefined;
    if (!isHeld || this.#lease === undefined) return;
    const { clock, logger } = this.#o;
    const now = microTime(clock.now());
    const spec: LeaseSpec = {
      ...this.#seen?.spec,
      holderIdentity: "",
      leaseDurationSeconds: 1,
      acquireTime: now,
      renewTime: now,
    };
    const timeout = new AbortController();
    const timer = clock.after(this.#o.retryPeriodMs, () => timeout.abort(new Error("no answer in time")));
    try {
      await this.#o.client.update({ ...this.#lease, spec }, { signal: timeout.signal });
    } catch (error) {
      logger.debug("could not give the lease back", { error: messageOf(error) });
    } finally {
      timer.cancel();
    }
  }

  /** The same transport, but that nothing is changed through it by a process that is not the leader. */
  guarded(transport: Transport): Transport {
    return (request) => {
      if (!isChange(request) || this.isLeader) return transport(request);
      return Promise.reject(
        new AppError("not-leader", "this process does not lead: another one may act by now", { recovery: "retry" }),
      );
    };
  }

  async #renew(): Promise<void> {
    const { clock, retryPeriodMs } = this.#o;
    const either = AbortSignal.any([this.#stopped.signal, this.#lost.signal]);
    try {
      for (;;) {
        await sleep(clock, retryPeriodMs, either);
        await this.#attempt(either);
        if (!this.isLeader) {
          this.#lose();
          return;
        }
      }
    } catch (error) {
      if (!either.aborted) throw error;
    }
  }

  /** Tries to hold the lease, or to go on holding it; answers whether it is ours. Failures are told and count as no. */
  async #attempt(signal: AbortSignal): Promise<boolean> {
    const { client, clock, logger, namespace, name } = this.#o;
    const begunMs = clock.now();
    const timeout = new AbortController();
    const timer = clock.after(this.#o.renewDeadlineMs, () => timeout.abort(new Error("no answer in time")));
    const within = AbortSignal.any([signal, timeout.signal]);
    try {
      const ref = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", namespace, name };
      const found = await client.find(ref, within);
      this.#see(found);
      const decision = decideLease(this.#seen, this.#o, begunMs);
      if (decision.do === "wait") {
        if (this.#renewedAtMs !== undefined) this.#lose();
        else if (this.#waitsFor !== decision.holder)
          logger.info("waiting for the lease", { lease: `${namespace}/${name}`, holder: decision.holder });
        this.#waitsFor = decision.holder;
        return false;
      }
      const { apiVersion, kind } = ref;
      const base = found ?? { apiVersion, kind, metadata: { namespace, name } };
      const whole = { ...base, spec: decision.spec };
      const options = { fieldManager: "flaghoist-leader-election", signal: within };
      const written = found === undefined ? await client.create(whole, options) : await client.update(whole, options);
      this.#see(written);
      this.#hold(begunMs);
      return true;
    } catch (error) {
      if (signal.aborted) throw error;
      const isRace = isConflict(error) || isAlreadyExists(error);
      logger[isRace ? "debug" : "warn"]("could not take or renew the lease", { error: messageOf(error) });
      return false;
    } finally {
      timer.cancel();
    }
  }

  #see(lease: KubeObject | undefined): void {
    this.#lease = lease;
    if (lease === undefined) {
      this.#seen = undefined;
      return;
    }
    // The server checks the kind.
    const spec = (lease["spec"] ?? {}) as LeaseSpec;
    const before = this.#seen?.spec;
    const isSame =
      before !== undefined && before.holderIdentity === spec.holderIdentity && before.renewTime === spec.renewTime;
    if (!isSame) this.#seen = { spec, forMs: 0 };
  }

  #hold(begunMs: number): void {
    const { clock, renewDeadlineMs } = this.#o;
    this.#renewedAtMs = begunMs;
    this.#expiry?.cancel();
    // Beside the time that `isLeader` reads: timers go on where somebody sets the clock back.
    const left = Math.max(0, renewDeadlineMs - Math.max(0, clock.now() - begunMs));
    this.#expiry = clock.after(left, () => this.#lose());
  }

  #lose(): void {
    if (this.#lost.signal.aborted) return;
    this.#expiry?.cancel();
    const { logger, namespace, name } = this.#o;
    logger.error("lost the lease: another process may lead by now", { lease: `${namespace}/${name}` });
    this.#lost.abort(new AppError("not-leader", "this process lost the lease", { recovery: "retry" }));
  }
}

function isChange({ method, path }: ApiRequest): boolean {
  return method !== "GET" && method !== "HEAD" && !path.includes("dryRun=All");
}

/** As Kubernetes writes MicroTime. */
function microTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, -1)}000Z`;
}
