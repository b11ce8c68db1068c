// One member cluster at run time: its connection, what we know of its objects, and what we last applied there.
import { Informer } from "../kube/client/informer.ts";
import { KubeClient } from "../kube/client/kube-client.ts";
import type { Transport } from "../kube/client/transport.ts";
import { type KubeObject, type ObjectRef, refKey, refOf } from "../kube/object.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/logger.ts";
import type { FieldRules } from "./field-rules.ts";
import { ScalerWatch, type ScaleTarget, scaleTargetOf } from "./scaler-watch.ts";

/** The field manager under which we apply to members. */
export const FIELD_MANAGER = "flaghoist";

/** Label on everything that we put into a member. */
export const MANAGED_LABEL = "karmada.io/managed";

export interface AppliedRecord {
  /** The manifest that was sent. */
  readonly manifest: KubeObject;
  /** The server's answer, with its defaults and field owners. */
  readonly answer: KubeObject;
  /** What `manifest` was made from, before the member's own fields were carried over. */
  readonly source?: AppliedSource;
}

export interface AppliedSource {
  readonly manifest: KubeObject;
  /** Of the rules by which fields were carried over. */
  readonly rulesVersion: number;
  /** Which fields others might decide. */
  readonly rules: FieldRules;
}

export interface MemberOptions {
  readonly name: string;
  readonly transport: Transport;
  readonly close?: () => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Told of every change to an object of ours in the member; `object` is the last state of a deleted one. */
export type MemberListener = (change: { readonly deleted: boolean; readonly object: KubeObject }) => void;

/** A connected member cluster. */
export class Member {
  readonly name: string;
  readonly client: KubeClient;
  /** Who scales workloads in this member. */
  readonly scalers: ScalerWatch;
  readonly #options: MemberOptions;
  readonly #informers = new Map<string, Informer>();
  readonly #applied = new Map<string, AppliedRecord>();
  readonly #listeners: MemberListener[] = [];

  constructor(options: MemberOptions) {
    this.name = options.name;
    this.#options = options;
    this.client = new KubeClient(options.transport);
    const { clock, logger } = options;
    this.scalers = new ScalerWatch({ client: this.client, clock, logger, onChange: (target) => this.#tellOf(target) });
  }

  /** Listens to all kinds that are watched, now and later. */
  subscribe(listener: MemberListener): void {
    this.#listeners.push(listener);
  }

  /** The informer of our objects of a kind in this member, started on first use. */
  informer(apiVersion: string, kind: string): Informer {
    const key = `${apiVersion}/${kind}`;
    let informer = this.#informers.get(key);
    if (informer === undefined) {
      informer = new Informer({
        client: this.client,
        apiVersion,
        kind,
        labelSelector: `${MANAGED_LABEL}=true`,
        clock: this.#options.clock,
        logger: this.#options.logger,
      });
      informer.subscribe((change) => {
        for (const listener of this.#listeners) listener({ deleted: change.type === "deleted", object: change.object });
      });
      this.#informers.set(key, informer);
      informer.start();
    }
    return informer;
  }

  /** Whether our objects of a kind are watched already. */
  isWatching(apiVersion: string, kind: string): boolean {
    return this.#informers.has(`${apiVersion}/${kind}`);
  }

  /** A workload that begins or ceases to be scaled is to be looked at as if it had changed. */
  #tellOf(target: ScaleTarget): void {
    for (const informer of this.#informers.values()) {
      const object = informer.get(target.namespace, target.name);
      if (object === undefined) continue;
      const { group, kind } = scaleTargetOf(refOf(object));
      if (group !== target.group || kind !== target.kind) continue;
      for (const listener of this.#listeners) listener({ deleted: false, object });
    }
  }

  /** Stops watching a kind, for kinds that nothing is in use of any more. */
  async stopWatching(apiVersion: string, kind: string): Promise<void> {
    const key = `${apiVersion}/${kind}`;
    const informer = this.#informers.get(key);
    this.#informers.delete(key);
    await informer?.stop();
  }

  /**
   * Our object as last seen, once its kind is watched and listed; before that as the server has it, ours or not. There may be
   * another one where it knows of none.
   */
  async known(ref: ObjectRef, signal?: AbortSignal): Promise<KubeObject | undefined> {
    const informer = this.informer(ref.apiVersion, ref.kind);
    // One list serves all who ask at the beginning.
    if (!informer.hasSynced) await informer.tried();
    return informer.hasSynced ? informer.get(ref.namespace, ref.name) : this.client.find(ref, signal);
  }

  /** As `known`, and where it knows of none, as the server has it. */
  async live(ref: ObjectRef, signal?: AbortSignal): Promise<KubeObject | undefined> {
    return (await this.known(ref, signal)) ?? (await this.client.find(ref, signal));
  }

  /** As `known`, but only from memory: undefined when not known (yet). */
  cached(ref: ObjectRef): KubeObject | undefined {
    return this.#informers.get(`${ref.apiVersion}/${ref.kind}`)?.get(ref.namespace, ref.name);
  }

  applied(ref: ObjectRef): AppliedRecord | undefined {
    return this.#applied.get(refKey(ref));
  }

  /** Remembers what we want of an object, and how it looks as the server would have it. */
  recordWanted(ref: ObjectRef, record: AppliedRecord): void {
    this.#applied.set(refKey(ref), record);
  }

  /** As `recordWanted`, after a write that left the object as `now`. */
  recordApplied(ref: ObjectRef, record: AppliedRecord, now: KubeObject = record.answer): void {
    this.recordWanted(ref, record);
    this.informer(ref.apiVersion, ref.kind).adopt(now);
  }

  /** Takes an object as it was read from the server, after the watch had left it at an older state; undefined: gone. */
  missed(stale: KubeObject, now: KubeObject | undefined): void {
    this.informer(stale.apiVersion, stale.kind).amend(stale, now);
  }

  forgetApplied(ref: ObjectRef): void {
    this.#applied.delete(refKey(ref));
  }

  async close(): Promise<void> {
    await Promise.all([this.scalers, ...this.#informers.values()].map((watch) => watch.stop()));
    this.#informers.clear();
    await this.#options.close?.();
  }
}
