// What is told of a Work on its way to a member and back: on the Work in Karmada's words, and on the template, where its
// users look.
import type { Work } from "../../../api/work.ts";
import { type KubeObject, type ObjectRef, refOf } from "../../../kube/object.ts";
import { TEMPLATE_UID_ANNOTATION } from "../../works/metadata-keys.ts";
import { type EventRecorder, type EventSubject, subjectOf } from "../events.ts";

/** Tells about one Work of one cluster. */
export class WorkEvents {
  readonly #events: Pick<EventRecorder, "record">;
  readonly #cluster: string;
  readonly #work: Work;

  constructor(events: Pick<EventRecorder, "record">, cluster: string, work: Work) {
    this.#events = events;
    this.#cluster = cluster;
    this.#work = work;
  }

  /** The object could not be brought to the member. */
  failedToApply(manifest: KubeObject, problem: string): void {
    const object = nameOf(refOf(manifest));
    const message = `Failed to create or update resource(${object}) in member cluster(${this.#cluster}): ${problem}`;
    this.#events.record(templateOf(manifest), "Warning", "SyncFailed", message);
  }

  /** An annotation about drift means nothing and counts as absent. */
  misunderstood(manifest: KubeObject, problem: string): void {
    this.#events.record(templateOf(manifest), "Warning", "DriftRuleInvalid", `${problem}; it counts as absent`);
  }

  /** The object was written in the member. */
  applied(manifest: KubeObject): void {
    const message = `Successfully applied resource(${nameOf(refOf(manifest))}) to cluster ${this.#cluster}`;
    this.#events.record(templateOf(manifest), "Normal", "SyncSucceed", message);
  }

  failedToSync(problem: string): void {
    const message = `Failed to sync work(${this.#name}) to cluster(${this.#cluster}), err: ${problem}`;
    this.#events.record(subjectOf(this.#work), "Warning", "SyncFailed", message);
  }

  synced(): void {
    const message = `Sync work(${this.#name}) to cluster(${this.#cluster}) successful.`;
    this.#events.record(subjectOf(this.#work), "Normal", "SyncSucceed", message);
  }

  /** The status of the copy means nothing to us; what was last read of it stays. */
  failedToReflect(copy: KubeObject, problem: string): void {
    const message = `Reflect status for object(${kindAndNameOf(copy)}) failed, err: ${problem}.`;
    this.#tellBoth(copy, "ReflectStatusFailed", message);
  }

  /** Whether the copy is healthy cannot be told; it counts as Unknown. */
  failedToJudge(copy: KubeObject, problem: string): void {
    const message = `Interpret health of object(${kindAndNameOf(copy)}) failed, err: ${problem}.`;
    this.#tellBoth(copy, "InterpretHealthFailed", message);
  }

  #tellBoth(copy: KubeObject, reason: string, message: string): void {
    this.#events.record(subjectOf(this.#work), "Warning", reason, message);
    this.#events.record(templateOf(copy), "Warning", reason, `cluster ${this.#cluster}: ${message}`);
  }

  get #name(): string {
    const { namespace = "", name = "" } = this.#work.metadata;
    return `${namespace}/${name}`;
  }
}

function nameOf({ namespace = "", name }: ObjectRef): string {
  return `${namespace}/${name}`;
}

function kindAndNameOf(object: KubeObject): string {
  return `${object.kind}/${nameOf(refOf(object))}`;
}

/** The template of a copy has its kind and name, and the UID that the copy remembers. */
function templateOf(copy: KubeObject): EventSubject {
  return { ...refOf(copy), uid: copy.metadata.annotations?.[TEMPLATE_UID_ANNOTATION] };
}
