// The faults of a fleet: when they strike, what they take back, and which of them cannot be had together.
import { faultContradictions, type PlannedFault } from "../../../api/fleet-fault-contradictions.ts";
import { lasts } from "../../../api/fleet-fault-windows.ts";
import { type Fault, faultProblems } from "../../../api/fleet-faults.ts";
import { targetClusters } from "../../../api/fleet-targets.ts";
import { nearest } from "../../../api/nearest.ts";
import type { Clock, Timer } from "../../../runtime/clock.ts";
import { parseDuration } from "../../../runtime/duration.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import type { Logger } from "../../../runtime/logger.ts";
import type { Random } from "../../../runtime/random.ts";
import type { SimulatedCluster } from "../simulated-cluster.ts";
import { beginFault, concernedNodes, doAtOnce, type Strike, type Undo } from "./begin-fault.ts";
import { kubeletVersionOf } from "./upgrade-controller.ts";

/** `waiting`: has not struck yet, or will again. */
export type FaultState = "waiting" | "active" | "over";

/** A fault that was asked for, and what became of it. */
export interface FaultRecord {
  readonly id: string;
  readonly fault: Fault;
  readonly state: FaultState;
  /** Names of what it struck last; empty before it has. */
  readonly clusters: readonly string[];
  readonly nodes: readonly string[];
  /** How often it has struck. */
  readonly strikes: number;
  /** Of the last strike, and when the next change is due; milliseconds on the fleet's clock. */
  readonly sinceMs: number | undefined;
  readonly untilMs: number | undefined;
  readonly nextMs: number | undefined;
  /** Why it could not do what it should. */
  readonly problem: string | undefined;
}

/** Told when a fault begins or ends. */
export type FaultListener = (change: "began" | "ended", record: Pick<FaultRecord, "id" | "fault" | "clusters">) => void;

/** What faults act on. */
export interface FleetFaultsOptions {
  readonly clusters: readonly SimulatedCluster[];
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

interface Entry {
  readonly id: string;
  readonly fault: Fault;
  readonly givenMs: number;
  state: FaultState;
  clusters: readonly string[];
  nodes: readonly string[];
  strikes: number;
  sinceMs: number | undefined;
  untilMs: number | undefined;
  nextMs: number | undefined;
  problem: string | undefined;
  undo: Undo | undefined;
  readonly timers: Set<Timer>;
}

/** Faults that are over are remembered up to this many. */
const OVER_KEPT = 1_000;

/** The faults of a fleet: begins, ends and lists them, and refuses what contradicts another. */
export class FleetFaults {
  readonly #o: FleetFaultsOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #pending = new Set<Promise<void>>();
  readonly #listeners: FaultListener[] = [];
  #count = 0;

  constructor(options: FleetFaultsOptions) {
    this.#o = options;
  }

  /**
   * Begins a fault, or arranges for it to begin at its time; answers by which name it is ended. Throws `fault-invalid`
   * for what is no fault, and `fault-contradiction` for what cannot be had in this fleet, or beside another fault.
   */
  begin(fault: Fault): string {
    const problems = faultProblems(fault).map(({ field, words }) => (field === "" ? words : `${field}: ${words}`));
    if (problems.length > 0) throw faultError("fault-invalid", problems.join("; "));
    this.#finishUpgrades();
    const id = fault.name ?? this.#newId(fault);
    const known = this.#entries.get(id);
    if (known !== undefined && known.state !== "over")
      throw faultError("fault-contradiction", `there is a fault ${id} already (${known.fault.type}); end it first`);
    const contradictions = this.#contradictions(fault, id);
    if (contradictions.length > 0) throw faultError("fault-contradiction", contradictions.join("; "));
    const entry: Entry = {
      id,
      fault,
      givenMs: this.#o.clock.now(),
      state: "waiting",
      clusters: [],
      nodes: [],
      strikes: 0,
      sinceMs: undefined,
      untilMs: undefined,
      nextMs: undefined,
      problem: undefined,
      undo: undefined,
      timers: new Set(),
    };
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    this.#forgetOld();
    this.#arrange(entry);
    return id;
  }

  /** Ends a fault and everything that it would still do. What it did is taken back. Throws `fault-unknown`. */
  end(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.state === "over") throw this.#unknown(id, entry);
    for (const timer of entry.timers) timer.cancel();
    entry.timers.clear();
    entry.nextMs = undefined;
    this.#takeBack(entry);
    entry.state = "over";
  }

  /** Ends everything. */
  endAll(): void {
    for (const { id, state } of [...this.#entries.values()]) if (state !== "over") this.end(id);
  }

  /** Calls `listener` whenever a fault strikes or what it did is taken back. */
  subscribe(listener: FaultListener): void {
    this.#listeners.push(listener);
  }

  /** All faults, in the order in which they were given. */
  list(): readonly FaultRecord[] {
    this.#finishUpgrades();
    return [...this.#entries.values()].map(({ undo: _undo, timers: _timers, givenMs: _given, ...record }) => record);
  }

  /** Whether a fault is still being carried out at this instant. */
  get isBusy(): boolean {
    return this.#pending.size > 0;
  }

  async whenIdle(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }

  #newId({ type }: Fault): string {
    let id: string;
    do id = `${type}-${++this.#count}`;
    while (this.#entries.has(id));
    return id;
  }

  #contradictions(fault: Fault, id: string): string[] {
    const planned: PlannedFault[] = [...this.#entries.values()]
      .filter(({ state }) => state !== "over")
      .map((entry) => ({ fault: entry.fault, label: labelOf(entry), startMs: entry.givenMs }));
    const last = planned.length;
    planned.push({ fault, label: labelOf({ id, fault }), startMs: this.#o.clock.now() });
    const facts = this.#o.clusters.map((cluster) => cluster.facts);
    return faultContradictions(planned, facts)
      .filter(({ faults }) => faults[0] === last)
      .map(({ words }) => words);
  }

  #unknown(id: string, over: Entry | undefined): AppError {
    const there = [...this.#entries.values()].filter(({ state }) => state !== "over").map((entry) => entry.id);
    if (over !== undefined) return faultError("fault-unknown", `the fault ${id} is over`);
    const meant = nearest(id, there);
    const hint =
      meant !== undefined ? `did you mean ${meant}?` : there.length > 0 ? `there are ${there.join(", ")}` : "";
    return faultError("fault-unknown", `there is no fault ${id}${hint === "" ? "" : `; ${hint}`}`);
  }

  #arrange(entry: Entry): void {
    const { fault } = entry;
    const every = "every" in fault && fault.every !== undefined ? parseDuration(fault.every) : 0;
    const jitter = "jitter" in fault && fault.jitter !== undefined ? parseDuration(fault.jitter) : 0;
    const at = entry.givenMs + (fault.at === undefined ? 0 : parseDuration(fault.at)) + entry.strikes * every;
    const due = at + (jitter === 0 ? 0 : Math.floor(this.#o.random.next() * jitter));
    entry.nextMs = due;
    if (due <= this.#o.clock.now()) this.#strike(entry);
    else this.#after(entry, due - this.#o.clock.now(), () => this.#strike(entry));
  }

  #after(entry: Entry, ms: number, fn: () => void): void {
    const timer = this.#o.clock.after(ms, () => {
      entry.timers.delete(timer);
      fn();
    });
    entry.timers.add(timer);
  }

  #strike(entry: Entry): void {
    const { fault } = entry;
    const { clock, logger } = this.#o;
    const strike = this.#aim(fault);
    entry.strikes++;
    entry.state = "active";
    entry.clusters = strike.targets.map(({ cluster }) => cluster.name);
    entry.nodes = concernsNodes(fault) ? strike.targets.flatMap(({ nodes }) => nodes) : [];
    entry.sinceMs = clock.now();
    entry.nextMs = undefined;
    for (const listener of this.#listeners) listener("began", entry);
    logger.info("began a fault", { fault: entry.id, type: fault.type, clusters: entry.clusters.join(", ") });
    if (!lasts(fault)) {
      const { id } = entry;
      this.#track(
        doAtOnce(fault, strike, id).then((result) => {
          if (typeof result === "string") entry.problem = result;
          // An upgrade is over when its nodes are.
          if (fault.type === "upgrade" && typeof result !== "string") entry.undo = result;
          else entry.state = "over";
        }),
        entry,
      );
      return;
    }
    entry.undo = beginFault(fault, strike);
    if (fault.for !== undefined) {
      const ms = parseDuration(fault.for);
      entry.untilMs = clock.now() + ms;
      this.#after(entry, ms, () => this.#endStrike(entry));
    }
  }

  #endStrike(entry: Entry): void {
    const { fault } = entry;
    this.#takeBack(entry);
    const times = "times" in fault ? fault.times : undefined;
    if ("every" in fault && fault.every !== undefined && entry.strikes < (times ?? Number.POSITIVE_INFINITY)) {
      entry.state = "waiting";
      this.#arrange(entry);
    } else entry.state = "over";
  }

  #takeBack(entry: Entry): void {
    const { undo } = entry;
    entry.undo = undefined;
    entry.untilMs = undefined;
    undo?.();
    if (undo === undefined) return;
    for (const listener of this.#listeners) listener("ended", entry);
    this.#o.logger.info("ended a fault", { fault: entry.id, type: entry.fault.type });
  }

  /** What a fault strikes now. */
  #aim(fault: Fault): Strike {
    const { clusters: fleet, random } = this.#o;
    const chosen = new Set(
      targetClusters(
        fault.target,
        fleet.map(({ facts }) => facts),
      ).map(({ name }) => name),
    );
    const targets = fleet
      .filter(({ name }) => chosen.has(name))
      .map((cluster) => ({ cluster, nodes: concernedNodes(fault, cluster) }));
    if (fault.type !== "node-down" || fault.count === undefined) return { targets, fleet };
    const pool = targets.flatMap(({ nodes }) => nodes);
    const lost = new Set<string>();
    for (let left = Math.min(fault.count, pool.length); left > 0; left--)
      for (const node of pool.splice(random.below(pool.length), 1)) lost.add(node);
    const hit = targets.map(({ cluster, nodes }) => ({ cluster, nodes: nodes.filter((node) => lost.has(node)) }));
    return { targets: hit.filter(({ nodes }) => nodes.length > 0), fleet };
  }

  #track(work: Promise<void>, entry: Entry): void {
    const tracked = work
      .catch((error: unknown) => {
        entry.problem = messageOf(error);
        entry.state = "over";
        this.#o.logger.error("a fault failed", { fault: entry.id, error: messageOf(error) });
      })
      .finally(() => void this.#pending.delete(tracked));
    this.#pending.add(tracked);
  }

  #finishUpgrades(): void {
    for (const entry of this.#entries.values()) {
      const { fault } = entry;
      if (fault.type !== "upgrade" || entry.undo === undefined) continue;
      const nodes = this.#o.clusters
        .filter(({ name }) => entry.clusters.includes(name))
        .flatMap(({ server }) => server.state.list("nodes"));
      if (nodes.some(({ object }) => kubeletVersionOf(object) !== fault.to || isCordoned(object))) continue;
      this.#takeBack(entry);
      entry.state = "over";
    }
  }

  #forgetOld(): void {
    if (this.#entries.size <= OVER_KEPT) return;
    const oldest = [...this.#entries.values()].find(({ state }) => state === "over");
    if (oldest !== undefined) this.#entries.delete(oldest.id);
  }
}

function labelOf({ id, fault }: { readonly id: string; readonly fault: Fault }): string {
  return id.startsWith(fault.type) ? id : `${id} (${fault.type})`;
}

function concernsNodes({ type }: Fault): boolean {
  return type === "node-down" || type === "capacity-shrink" || type === "slow-disk";
}

function isCordoned(node: { readonly [key: string]: unknown }): boolean {
  return (node["spec"] as { unschedulable?: boolean } | undefined)?.unschedulable === true;
}

function faultError(code: string, message: string): AppError {
  return new AppError(code, message, { recovery: "stall" });
}
