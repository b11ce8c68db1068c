// Rules of the program that embeds the server, run on every write of the kinds they choose.
import type { UserInfo } from "../../../kube/client/transport.ts";
import type { GroupVersionKind, KubeObject } from "../../../kube/object.ts";
import type { FieldError } from "./kind.ts";

export type AdmissionOperation = "CREATE" | "UPDATE" | "DELETE";

export interface AdmissionRequest {
  readonly operation: AdmissionOperation;
  readonly kind: GroupVersionKind;
  readonly resource: string;
  readonly subresource: string | undefined;
  readonly namespace: string | undefined;
  readonly name: string;
  /** The new object; for DELETE the present one. Shared: return a changed copy, do not change it. */
  readonly object: KubeObject;
  /** The present object of an UPDATE or DELETE. */
  readonly oldObject: KubeObject | undefined;
  readonly user: UserInfo;
  readonly dryRun: boolean;
}

/** A refusal that is not about one field. */
export interface AdmissionRefusal {
  readonly message: string;
  readonly code: number;
}

/** Both functions are synchronous and pure. */
export interface AdmissionPlugin {
  handles(kind: GroupVersionKind, operation: AdmissionOperation): boolean;
  /** The object to store instead, or undefined to leave it. */
  mutate?(request: AdmissionRequest): KubeObject | undefined;
  validate?(request: AdmissionRequest): readonly FieldError[] | AdmissionRefusal;
}
