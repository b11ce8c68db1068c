// The drift of copies as it is recorded on their Works: known without asking a member, also of those that have an agent.
import { DRIFT_ANNOTATION } from "../../api/drift-rules.ts";
import type { Work } from "../../api/work.ts";
import { findCondition } from "../../kube/conditions.ts";
import type { FieldPath } from "../../kube/fields/path.ts";
import { stringifyJson } from "../../kube/json.ts";
import { type KubeObject, type ObjectRef, refKey, refOf } from "../../kube/object.ts";
import {
  DRIFT_FINDINGS_ANNOTATION,
  readStanding,
  type StandingField,
  unlistedStanding,
} from "../works/drift-record.ts";
import { RUN_MASK } from "./diff/mask.ts";
import type { CopyState, DriftedField } from "./live-drift.ts";

export interface StandingOptions {
  readonly cluster: string;
  /** Of a cluster that does not answer, only what was found before is told. */
  readonly answers: boolean;
  /** The Sync that an object is of, as `namespace/name`; undefined: none that this is about. */
  readonly syncOf: (object: ObjectRef) => string | undefined;
  /** Milliseconds since the epoch: what was first seen after it is left to be mended. */
  readonly seenUntilMs: number;
  /** Says that a field differs, but neither what the cluster has nor who wrote it. */
  readonly hideLive: boolean;
}

export interface StandingCopies {
  readonly copies: readonly CopyState[];
  /** Fields that were seen first too lately to be told of. */
  readonly young: number;
}

/**
 * The copies of a Work that are of these Syncs. Those whose drift nobody looks for (`drift: pause`) are left out. Values are
 * as recorded, without secrets, and equal for equal records, in whichever process.
 */
export function standingCopies(work: Work, options: StandingOptions): StandingCopies {
  const { answers, cluster, hideLive, seenUntilMs, syncOf } = options;
  const text = work.metadata.annotations?.[DRIFT_FINDINGS_ANNOTATION];
  const applied = findCondition(work.status?.conditions, "Applied");
  const copies: CopyState[] = [];
  let young = 0;
  for (const manifest of manifestsOf(work)) {
    const object = refOf(manifest);
    const sync = syncOf(object);
    const mode = manifest.metadata.annotations?.[DRIFT_ANNOTATION] ?? "correct";
    const key = refKey(object);
    const found = readStanding(text).filter((field) => field.object === key);
    if (sync === undefined || (mode === "pause" && found.length === 0)) continue;
    const common = { cluster, object, mode, sync, fields: [], message: undefined };
    const told = found.filter(({ since }) => Date.parse(since) <= seenUntilMs);
    young += found.length - told.length;
    if (told.length > 0) {
      const fields = told.map((field) => fieldOf(object.kind, field, hideLive));
      copies.push({ ...common, state: "drifted", fields });
    }
    const more = unlistedStanding(text);
    if (more > 0) copies.push({ ...common, state: "unknown", message: `${more} more fields differ (flaghoist drift)` });
    if (told.length > 0 || more > 0 || !answers) continue;
    if (work.spec.suspendDispatching === true)
      copies.push({ ...common, state: "waiting", message: "dispatching is suspended" });
    else if (applied?.status !== "True") copies.push({ ...common, state: "waiting", message: applied?.message });
    else if (found.length === 0) copies.push({ ...common, state: "as-wanted" });
  }
  return { copies, young };
}

const HIDDEN = "(hidden)";
const LONG_TEXT = "(long text)";

function fieldOf(
  kind: string,
  { path, wanted, found, manager, since }: StandingField,
  hideLive: boolean,
): DriftedField {
  const fieldPath = guessPath(path);
  return {
    path: readable(path),
    mode: "report",
    firstSeen: since,
    wanted: recordedValue(kind, fieldPath, wanted),
    found: hideLive ? HIDDEN : recordedValue(kind, fieldPath, found),
    manager: hideLive ? undefined : manager,
    since: undefined,
  };
}

/** `containers[name=web]` as `containers[web]`, which is how drift is told elsewhere. */
function readable(path: string): string {
  return path.replace(/\[([A-Za-z]\w*=[^[\]"]*)\]/g, (_, keys: string) => {
    const values = keys.split(",").map((pair) => pair.slice(pair.indexOf("=") + 1));
    return `[${values.join(",")}]`;
  });
}

/** As much of a path as tells whether a credential may stand there. */
function guessPath(path: string): FieldPath {
  const named = /\[(?:[^[\]"]*,)?name=([^[\],"]+)[^[\]"]*\]\.value$/.exec(path)?.[1];
  if (named !== undefined) return [`k:${JSON.stringify({ name: named })}`, "f:value"];
  const key = ["kubectl.kubernetes.io/last-applied-configuration", "proxyHeader"].find((one) => path.includes(one));
  return key === undefined ? [] : [`f:${key}`];
}

/** What a record says, masked. The marks of masks differ from process to process: they become all the same. */
function recordedValue(kind: string, path: FieldPath, text: string | undefined): unknown {
  if (text === undefined) return undefined;
  if (text === HIDDEN) return HIDDEN;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // It was cut: what is left may hold a part of something that a mask would know as a whole.
    return text.startsWith("{") ? "{…}" : text.startsWith("[") ? "[…]" : LONG_TEXT;
  }
  const masked = stringifyJson(RUN_MASK.atFields(kind, path, value));
  return JSON.parse(masked.replace(/\(hidden [0-9a-f]{8}\)/g, HIDDEN));
}

function manifestsOf(work: Work): KubeObject[] {
  // A Work holds whole objects; the schema keeps them as they are.
  return (work.spec.workload?.manifests ?? []) as unknown as KubeObject[];
}
