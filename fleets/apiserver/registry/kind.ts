// What the server must know of a kind. Built-in kinds (../kinds) and custom resources (../crd) both implement it;
// the verb handlers use nothing else.

import type { UserInfo } from "../../../kube/client/transport.ts";
import type { FieldType } from "../../../kube/fields/type.ts";
import type { JsonObject, KubeObject } from "../../../kube/object.ts";
import type { StoredObject } from "../storage/stored-object.ts";

/** One cause of a 422, in the words of the Kubernetes API. */
export interface FieldError {
  readonly reason:
    | "FieldValueRequired"
    | "FieldValueInvalid"
    | "FieldValueNotSupported"
    | "FieldValueDuplicate"
    | "FieldValueForbidden"
    | "FieldValueTooLong"
    | "FieldValueTooMany"
    | "FieldValueTypeInvalid"
    | "FieldValueNotFound"
    | "InternalError";
  /** Path in the object: `spec.template.spec.containers[0].name`. */
  readonly field: string;
  /** Text after the path: `Invalid value: "x": must be ...` or `Required value`. */
  readonly message: string;
}

export interface SubresourceInfo {
  /** `status`, `scale`, `binding`, ... */
  readonly name: string;
  readonly verbs: readonly string[];
  /** Kind of the answer when it differs from the main kind, such as autoscaling/v1 Scale. */
  readonly responseKind?: { readonly group: string; readonly version: string; readonly kind: string };
  readonly acceptedTypes?: readonly { readonly group: string; readonly version: string; readonly kind: string }[];
}

export interface ScalePaths {
  /** Paths such as `spec.replicas`, without a leading dot. */
  readonly specReplicas: string;
  readonly statusReplicas: string;
  /** Path of a label selector in text form (custom resources), or undefined. */
  readonly labelSelector?: string;
}

export interface Column {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly description: string;
  readonly priority: number;
}

export interface DecodeResult {
  readonly object: KubeObject;
  /** Strict decoding errors in document order: `unknown field "spec.x"`, `duplicate field "data.a"`. */
  readonly strictErrors: readonly string[];
}

/** Converts objects between the versions of a kind by asking another program. */
export interface VersionConverter {
  /** A stored object in another version, if that is known without asking. */
  known(stored: StoredObject, apiVersion: string): StoredObject | undefined;
  /** Stored objects in a version, in the same order; those that are in it already as they are. */
  forms(stored: readonly StoredObject[], apiVersion: string): Promise<StoredObject[]>;
  /** As `forms`, for any objects. Rejects with a `StatusError`. */
  convert(objects: readonly KubeObject[], apiVersion: string): Promise<KubeObject[]>;
}

/** Everything kind-specific. Functions that change an object change the one given, which the caller owns. */
export interface KindStrategy {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly listKind: string;
  readonly plural: string;
  readonly singular: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  readonly subresources: readonly SubresourceInfo[];
  /** Custom resources: list items carry kind and apiVersion, updates need a resourceVersion, no protobuf. */
  readonly custom: boolean;
  /** Strategic merge patches are taken for a kind that is `custom`, too. */
  readonly strategicMerge?: boolean;
  /** `metadata.generation` is kept for this kind. */
  readonly hasGeneration: boolean;
  readonly hasStatus: boolean;
  /** What of the metadata a write of the status leaves as it is; undefined means all that clients may change. */
  readonly statusKeeps: readonly string[] | undefined;
  readonly scale: ScalePaths | undefined;
  /** PUT to a missing object creates it. */
  readonly createOnUpdate: boolean;
  /** An update without resourceVersion is allowed. */
  readonly unconditionalUpdate: boolean;
  /** Where instances are stored: kinds served under several groups or versions share one. `apps/deployments`. */
  readonly storageKey: string;
  /** The apiVersion in which instances are stored; undefined: the one in which they are written. */
  readonly storageApiVersion?: string;
  /** Kinds whose versions differ in more than their name: `convert` is not for them. */
  readonly converter?: VersionConverter;
  /** `recorded` hash of legacy discovery, when there is one. */
  readonly storageVersionHash?: string;

  /**
   * Brings a parsed body into the kind's canonical form: unknown and duplicate fields dropped and reported, quantities
   * and times canonical, zero values as the server prints them, custom resources pruned. `parseErrors` are complete
   * strict errors of the parser (`duplicate field "data.a"`), in document order; they become part of the answer.
   * Throws a `StatusError` (400) for a value of the wrong JSON type.
   */
  decode(body: JsonObject, parseErrors: readonly string[]): DecodeResult;
  /**
   * An object stored under the same `storageKey` by another version or group, in the form of this one. The argument is
   * not changed; the same object is answered when it has this form already. Objects keep the form they were written in.
   */
  convert(object: KubeObject): KubeObject;
  /** Fills in defaults. `old` is the stored object on update. Runs before managedFields are computed. */
  applyDefaults(object: KubeObject, old: KubeObject | undefined): void;
  /**
   * Clears what a client may not set on create, beyond metadata (status and the like), and adds what the server's own
   * admission adds. Runs after managedFields are computed: what it changes has no owner. metadata has its name, uid
   * and creationTimestamp by then. `user` is who creates it.
   */
  prepareForCreate(object: KubeObject, user?: UserInfo): void;
  /** Restores what an update of the main resource may not change: status for kinds with that subresource, and the like. */
  prepareForUpdate(object: KubeObject, old: KubeObject): void;
  /**
   * Chooses values among what other objects leave free (cluster IPs, node ports). Runs after prepareForCreate or
   * prepareForUpdate and before validation; `others` gives the stored objects of the kind. Absent: nothing to choose.
   */
  allocate?(object: KubeObject, old: KubeObject | undefined, others: () => Iterable<KubeObject>): void;
  /** Warnings about an accepted create or update, without the `299 -` around them. */
  warnings?(object: KubeObject, old: KubeObject | undefined): readonly string[];
  /** Warnings about what the validation of an update found and let pass, told even when it refused other things. */
  toleratedProblems?(object: KubeObject): readonly string[];
  /** Beyond metadata, which the handlers validate for every kind by `nameRule`. */
  validateCreate(object: KubeObject): readonly FieldError[];
  validateUpdate(object: KubeObject, old: KubeObject): readonly FieldError[];
  /** Which text a name may have. */
  readonly nameRule: "subdomain" | "label" | "service" | "path-segment" | "cronjob";
  /** The type model for field ownership and strategic merge. */
  fieldType(): FieldType;
  /** Table columns, and the cells of one object. `nowMs` serves ages. */
  readonly columns: readonly Column[];
  cells(object: KubeObject, nowMs: number): readonly unknown[];
  /** Values of field selectors beyond metadata.name and metadata.namespace; undefined when the kind has none of its own. */
  readonly selectableFields: readonly string[] | undefined;
  fieldValue(object: KubeObject, field: string): string;
}
