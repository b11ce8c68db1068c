// What a built-in kind does beyond what the tables say. Everything is optional: a kind without rules is stored as sent.
import type { UserInfo } from "../../../kube/client/transport.ts";
import type { KubeObject } from "../../../kube/object.ts";
import type { FieldError, KindStrategy, ScalePaths } from "../registry/kind.ts";

export interface KindRules {
  readonly generation?: boolean;
  /** Of the metadata, what a write of the status leaves as it is. */
  readonly statusKeeps?: readonly string[];
  readonly nameRule?: KindStrategy["nameRule"];
  readonly createOnUpdate?: boolean;
  readonly conditionalUpdateOnly?: boolean;
  readonly scale?: ScalePaths;
  /** Field selectors beyond the name and namespace. */
  readonly selectable?: Readonly<Record<string, (object: KubeObject) => string>>;
  /** Clients may set status on create, as kubelets do for Nodes. */
  readonly keepsStatusOnCreate?: boolean;
  /** Kinds served in two forms keep one object: the other form in the form of this kind. */
  readonly convert?: (object: KubeObject) => KubeObject;
  /** Defaults that depend on the stored object, after those of the rows. */
  readonly applyDefaults?: (object: KubeObject, old: KubeObject | undefined) => void;
  readonly prepareForCreate?: (object: KubeObject, user: UserInfo | undefined) => void;
  readonly prepareForUpdate?: (object: KubeObject, old: KubeObject) => void;
  readonly allocate?: NonNullable<KindStrategy["allocate"]>;
  readonly warnings?: NonNullable<KindStrategy["warnings"]>;
  /** Checks of any object, new or changed. */
  readonly validate?: (object: KubeObject, old: KubeObject | undefined) => readonly FieldError[];
  /** Further checks of a change: what may not change. */
  readonly validateUpdate?: (object: KubeObject, old: KubeObject) => readonly FieldError[];
  readonly cells?: (object: KubeObject, nowMs: number) => readonly unknown[];
}
