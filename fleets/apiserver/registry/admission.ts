// Rules that every write of the kinds they choose goes through: those of the program that embeds the server, the server's
// own, and those that other programs hold (webhooks).
import type { UserInfo } from "../../../kube/client/transport.ts";
import type { GroupVersionKind, JsonObject, KubeObject } from "../../../kube/object.ts";
import type { FieldError, KindStrategy } from "./kind.ts";

export type AdmissionOperation = "CREATE" | "UPDATE" | "DELETE" | "CONNECT";

/** What the plugins of one request remember between the two rounds of mutation. */
export interface MutationRounds {
  /** True in the second round, which follows when somebody asked for it in the first. */
  readonly isSecond: boolean;
  /** Asks for a second round, because the object changed after plugins that care had seen it. */
  askForSecond(): void;
  /** Notes of plugins, by plugin. */
  readonly notes: Map<AdmissionPlugin, unknown>;
}

export interface AdmissionRequest {
  readonly operation: AdmissionOperation;
  /** The kind of `object`: that of the resource, or of the subresource's own object, such as autoscaling/v1 Scale. */
  readonly kind: GroupVersionKind;
  readonly resource: string;
  readonly subresource: string | undefined;
  readonly namespace: string | undefined;
  readonly name: string;
  /**
   * The new object; for DELETE the present one; for CONNECT the options of the connection. Shared: return a changed
   * copy, do not change it.
   */
  readonly object: KubeObject;
  /** The present object of an UPDATE or DELETE. */
  readonly oldObject: KubeObject | undefined;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  /** The kind of the resource in the path, whatever the object is. */
  readonly target: KindStrategy;
  /** The options of the request, as an object of meta.k8s.io; undefined for CONNECT. */
  readonly options: JsonObject | undefined;
  /** Aborts when the client goes. */
  readonly signal: AbortSignal | undefined;
  /** Undefined while validating. */
  readonly rounds: MutationRounds | undefined;
  /** Adds a `Warning` to the answer. */
  warn(text: string): void;
  /** Adds to the audit record of the request. */
  annotate(key: string, value: string): void;
}

/** A refusal that is not about one field. */
export interface AdmissionRefusal {
  readonly message: string;
  readonly code: number;
  /** The reason of the status; undefined: the usual one of the code. */
  readonly reason?: string;
}

export type AdmissionVerdict = readonly FieldError[] | AdmissionRefusal;

/**
 * Both functions are pure, and answer at once unless the rule is held by another program: only then a promise. While it is
 * awaited others may write; the write is then done again from its beginning. A thrown `StatusError` is the answer.
 */
export interface AdmissionPlugin {
  /** Asks other programs. What the server writes on its own account passes these plugins by. */
  readonly remote?: boolean;
  /** Asked on every write, so quick. `kind` is the kind of the resource, for subresources too. */
  handles(kind: KindStrategy, operation: AdmissionOperation): boolean;
  /** The object to store instead, or undefined to leave it. What it answers for DELETE and CONNECT is not looked at. */
  mutate?(request: AdmissionRequest): KubeObject | undefined | Promise<KubeObject | undefined>;
  validate?(request: AdmissionRequest): AdmissionVerdict | Promise<AdmissionVerdict>;
}
