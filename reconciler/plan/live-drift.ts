// What differs between the manifests that clusters are to have and what they have, told field by field.

import { CORRECT_ALL, type DriftMode, type FieldRules, ignoredFields, modeOf } from "../../fleets/field-rules.ts";
import { withoutFields } from "../../fleets/field-values.ts";
import { diffOwned } from "../../kube/fields/drift.ts";
import type { FieldPath } from "../../kube/fields/path.ts";
import type { FieldType } from "../../kube/fields/type.ts";
import { type KubeObject, type ObjectRef, refKey } from "../../kube/object.ts";
import { RUN_MASK } from "./diff/mask.ts";
import { ownedPath } from "./field-path.ts";

export interface DriftedField {
  /** `spec.template.spec.containers[web].image`. */
  readonly path: string;
  /** The path as field ownership writes it; empty for a whole object. */
  readonly fieldPath?: FieldPath;
  /** Whether it is undone, only told of, or let be; absent: as its copy says. */
  readonly mode?: DriftMode;
  /** RFC 3339: when it was first seen, for what is only told of. */
  readonly firstSeen?: string | undefined;
  readonly wanted: unknown;
  /** Undefined when the field is gone. */
  readonly found: unknown;
  /** What stands for a hidden `found`: the same for the same value, within one run. */
  readonly mark?: unknown;
  /** Who wrote it last; undefined when nobody is recorded. */
  readonly manager: string | undefined;
  /** When that manager last wrote anything, as the cluster recorded it. */
  readonly since: string | undefined;
}

/** How one copy compares. */
export interface CopyState {
  readonly cluster: string;
  readonly object: ObjectRef;
  /**
   * `waiting`: its present manifest was not applied yet, so that differences say nothing. `unknown`: nobody says what of it
   * its cluster may change.
   */
  readonly state: "as-wanted" | "drifted" | "missing" | "waiting" | "unknown";
  readonly fields: readonly DriftedField[];
  /** Whether drift is undone (`correct`), or stays. */
  readonly mode: string;
  /** `shop/apps`, for objects that a Sync put there. */
  readonly sync: string | undefined;
  /** Why it waits, or is not known. */
  readonly message: string | undefined;
}

const HIDDEN = "(hidden)";

/**
 * The fields of `manifest`, but for those that `rules` leave to others, that `live` does not have with that value. What the manifest does not say is no drift, and
 * neither is the same amount written differently. Values of Secrets are hidden.
 */
export function compareCopy(
  manifest: KubeObject,
  live: KubeObject,
  type: FieldType,
  manager: string,
  rules: FieldRules = CORRECT_ALL,
): DriftedField[] {
  // The server keeps these itself, and text fields of Secrets are written into others.
  const { status: _status, stringData: _stringData, ...rest } = manifest;
  const desired: KubeObject = {
    ...rest,
    apiVersion: manifest.apiVersion,
    kind: manifest.kind,
    metadata: manifest.metadata,
  };
  const ignored = ignoredFields(desired, live, rules);
  const found = diffOwned(withoutFields(desired, ignored), withoutFields(live, ignored), type, { manager });
  return found.map((drift) => {
    const owner =
      drift.owners.find((candidate) => candidate.manager !== manager) ?? latestOther(live, manager, drift.change);
    const secret = manifest.kind === "Secret" && drift.path[0] === "f:data";
    return {
      path: ownedPath(drift.path),
      fieldPath: drift.path,
      mode: modeOf(drift.path, desired, live, rules),
      wanted: secret ? HIDDEN : drift.desired,
      found: drift.actual === undefined ? undefined : secret ? HIDDEN : drift.actual,
      ...(secret && drift.actual !== undefined
        ? { mark: RUN_MASK.atFields(manifest.kind, drift.path, drift.actual) }
        : {}),
      manager: owner?.manager,
      since: owner?.time,
    };
  });
}

// A field that is gone has no owner any more: the one who wrote last is the best guess, if it wrote after us.
function latestOther(
  live: KubeObject,
  manager: string,
  change: "changed" | "missing" | "extra",
): { readonly manager: string; readonly time: string | undefined } | undefined {
  if (change !== "missing") return undefined;
  const entries = (live.metadata.managedFields ?? []).filter((entry) => (entry.subresource ?? "") === "");
  const ours = entries.find((entry) => entry.manager === manager)?.time ?? "";
  const [latest] = entries
    .filter((entry) => entry.manager !== manager && (entry.time ?? "") >= ours)
    .sort((a, b) => ((a.time ?? "") < (b.time ?? "") ? 1 : -1));
  return latest?.manager === undefined ? undefined : { manager: latest.manager, time: latest.time };
}

/** The same difference of one object in several clusters. */
export interface DriftGroup {
  readonly object: ObjectRef;
  readonly path: string;
  readonly wanted: unknown;
  readonly found: unknown;
  readonly manager: string | undefined;
  /** The earliest time among the clusters. */
  readonly since: string | undefined;
  /** The same of when it was first seen. */
  readonly firstSeen?: string | undefined;
  readonly clusters: readonly string[];
}

/** Joins equal differences over clusters, in the order of objects and fields; what is secret is masked. */
export function groupDrift(states: readonly CopyState[]): readonly DriftGroup[] {
  const groups = new Map<string, DriftGroup>();
  for (const { cluster, object, state, fields } of states) {
    const entries: readonly DriftedField[] =
      state === "missing"
        ? [{ path: "", wanted: "present", found: undefined, manager: undefined, since: undefined }]
        : state === "drifted"
          ? fields
          : [];
    for (const { path, fieldPath = [], manager, since, firstSeen, ...values } of entries) {
      const [wanted, found] = [values.wanted, values.found].map((value) =>
        RUN_MASK.atFields(object.kind, fieldPath, value),
      );
      const key = [refKey(object), path, JSON.stringify(wanted), JSON.stringify(found), manager].join("\n");
      const known = groups.get(key);
      const times = [known?.since, since].filter((time) => time !== undefined).sort();
      groups.set(key, {
        object,
        path,
        wanted,
        found,
        manager,
        since: times[0],
        firstSeen: [known?.firstSeen, firstSeen].filter((time) => time !== undefined).sort()[0],
        clusters: [...(known?.clusters ?? []), cluster].sort(),
      });
    }
  }
  return [...groups.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
}
