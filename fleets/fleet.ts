// All members that this process is connected to.
import type { Cluster } from "../api/cluster.ts";
import type { Transport } from "../kube/client/transport.ts";
import { equalJson } from "../kube/object.ts";
import type { Clock } from "../runtime/clock.ts";
import { AppError } from "../runtime/errors.ts";
import type { Logger } from "../runtime/logger.ts";
import { CapacityWatch, type EstimateDetails } from "./capacity-watch.ts";
import { connectCluster, type SecretData } from "./connect.ts";
import { Member } from "./member.ts";
import { MemberRights } from "./member-rights.ts";
import { boundTransport, type RequestRate } from "./member-transport.ts";

export interface FleetOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Members that live in this process (simulated ones), by cluster name; others are reached by their endpoint. */
  readonly local?: (clusterName: string) => Transport | undefined;
  /** What stands before every request to a member, such as whether this process may act. */
  readonly guard?: ((transport: Transport) => Transport) | undefined;
  /** What is kept of nodes and pods beside sums, for estimates. */
  readonly estimates?: EstimateDetails | undefined;
  /** Requests that each member gets a second; undefined: no bound. */
  readonly rate?: RequestRate | undefined;
}

/** Longest wait of a request for its answer; as with connections by address. */
const DEADLINE_MS = 15_000;

export interface ConnectedMember {
  readonly member: Member;
  readonly capacity: CapacityWatch;
}

interface Entry extends ConnectedMember {
  /** Ends what is still asked of the member when the connection is closed. */
  readonly closing: AbortController;
  /** What the connection was made from: a change makes a new one. */
  readonly madeFrom: unknown;
}

/** Connects to clusters as they are registered, and again when their address or credentials change. */
export class Fleet {
  /** What members refuse to the accounts that this process has there. */
  readonly rights: MemberRights;
  readonly #options: FleetOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #listeners: ((member: Member) => void)[] = [];

  constructor(options: FleetOptions) {
    this.#options = options;
    this.rights = new MemberRights(options.clock);
  }

  get(name: string): ConnectedMember | undefined {
    return this.#entries.get(name);
  }

  members(): readonly Member[] {
    return [...this.#entries.values()].map((entry) => entry.member);
  }

  /** Tells of members already connected, then of each new connection. */
  onConnect(listener: (member: Member) => void): void {
    this.#listeners.push(listener);
    for (const { member } of this.#entries.values()) listener(member);
  }

  /** The connection of a cluster, made when needed. Throws what `connectCluster` throws. */
  async connect(cluster: Cluster, secret: SecretData): Promise<ConnectedMember> {
    const name = cluster.metadata.name ?? "";
    const { apiEndpoint, insecureSkipTLSVerification, proxyURL } = cluster.spec;
    const secretText = Object.entries(secret).map(([key, value]) => [key, value.toString("base64")]);
    const madeFrom = [cluster.metadata.uid, apiEndpoint, insecureSkipTLSVerification, proxyURL, secretText];
    const known = this.#entries.get(name);
    if (known !== undefined && equalJson(known.madeFrom, madeFrom)) return known;

    const { clock, logger, local, rate } = this.#options;
    const inProcess = local?.(name);
    const http = inProcess === undefined ? await connectCluster(cluster, secret) : undefined;
    const way = inProcess ?? http?.send;
    if (way === undefined) throw new Error(`cluster ${name} has no transport`);
    const transport = this.rights.guard(name, this.#options.guard?.(way) ?? way);
    await this.disconnect(name);
    const child = logger.with({ cluster: name });
    const closing = new AbortController();
    const member = new Member({
      name,
      // Discovery is shared by all who ask, so nobody's signal ends it; a cluster that hangs must not hold up the end.
      transport: boundTransport(transport, { clock, deadlineMs: DEADLINE_MS, rate, closing: closing.signal }),
      clock,
      logger: child,
      ...(http === undefined ? {} : { close: http.close }),
    });
    const capacity = new CapacityWatch(member, clock, child, this.#options.estimates);
    const entry: Entry = { member, capacity, madeFrom, closing };
    this.#entries.set(name, entry);
    capacity.start();
    for (const listener of this.#listeners) listener(member);
    return entry;
  }

  async disconnect(name: string): Promise<void> {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    this.#entries.delete(name);
    this.rights.forget(name);
    entry.closing.abort(new AppError("stopped", `cluster ${name} was disconnected`, { recovery: "retry" }));
    await entry.capacity.stop();
    await entry.member.close();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#entries.keys()].map((name) => this.disconnect(name)));
  }
}
