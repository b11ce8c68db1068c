import type { KubeObject } from "../../kube/object.ts";
import type { OverrideResult } from "../overrides/override-result.ts";

/** One cluster's copy of an object. */
export interface Copy {
  readonly cluster: string;
  readonly manifest: KubeObject;
  /** Undefined for objects that do not count replicas. */
  readonly replicas: number | undefined;
  readonly overrides: OverrideResult;
}
