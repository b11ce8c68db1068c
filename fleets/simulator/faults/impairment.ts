// What is wrong with the way to a cluster's API.
import type { Latency, Party } from "../../../api/fleet-faults.ts";
import { parseDuration } from "../../../runtime/duration.ts";
import type { Random } from "../../../runtime/random.ts";

interface Concerned {
  /** Whose requests; everybody's when absent. */
  readonly callers?: readonly Party[] | undefined;
  /** Whether it is the network itself: then what is in the cluster does not reach those parties either. */
  readonly bothWays?: boolean;
}

/** What a fault does to requests of a cluster. */
export type Impairment = Concerned &
  (
    | { readonly kind: "refuse"; readonly reason?: string }
    /** Connections are taken and never answered; open ones are cut. */
    | { readonly kind: "hang" }
    /** Packets vanish: connecting times out, and open watches hear nothing. */
    | { readonly kind: "drop" }
    | { readonly kind: "delay"; readonly latency: Latency }
    /** A share of the requests, from 0 to 1, never arrives: the connection is reset. */
    | { readonly kind: "lose"; readonly share: number }
    | { readonly kind: "fail"; readonly percent: number; readonly status: number }
    | { readonly kind: "throttle"; readonly percent: number; readonly retryAfterMs: number }
    | { readonly kind: "unready"; readonly check: string }
    | { readonly kind: "unauthorized" }
    | { readonly kind: "watch-limit"; readonly intervalMs: number; readonly ending: "reset" | "end" | "expired" }
    | { readonly kind: "group-missing"; readonly group: string; readonly version: string | undefined }
  );

/** The impairments of one kind. */
export type ImpairmentOf<K extends Impairment["kind"]> = Extract<Impairment, { kind: K }>;

/** Of a standard normal distribution: what one in a hundred exceeds. */
const NORMAL_P99 = 2.326347874;

/** Milliseconds of one request under a latency. */
export function sampleLatency({ fixed, min, max, p50, p99 }: Latency, random: Random): number {
  if (fixed !== undefined) return parseDuration(fixed);
  if (min !== undefined && max !== undefined) {
    const least = parseDuration(min);
    return least + random.next() * (parseDuration(max) - least);
  }
  if (p50 === undefined || p99 === undefined) return 0;
  const median = Math.max(parseDuration(p50), Number.MIN_VALUE);
  const sigma = Math.log(Math.max(parseDuration(p99), median) / median) / NORMAL_P99;
  // Box and Muller: two even chances make one normal one.
  const normal = Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  return median * Math.exp(sigma * normal);
}
