// Brings one object in a member cluster to the wanted state, or takes it away.
import { isConflict, isNotFound } from "../kube/client/status-error.ts";
import { isEmptySet, unionSets } from "../kube/fields/field-set.ts";
import { describeRef, equalJson, isObject, type KubeObject, type ObjectRef, refOf } from "../kube/object.ts";
import { AppError } from "../runtime/errors.ts";
import { dropPatch } from "./dropped-metadata.ts";
import {
  CORRECT_ALL,
  compareByRules,
  type FieldRules,
  heldFields,
  ignoredFields,
  type RuledDrift,
  yieldFields,
} from "./field-rules.ts";
import { valueAtFields, withFieldAt, withoutFields } from "./field-values.ts";
import { asksForReplacement, immutableFields, immutableRefused, mayBeReplaced } from "./immutable-fields.ts";
import { type AppliedRecord, type AppliedSource, FIELD_MANAGER, MANAGED_LABEL, type Member } from "./member.ts";
import { isStillAsApplied } from "./still-applied.ts";
import { takeOver } from "./takeover.ts";

const CONFLICT_RESOLUTION = "work.karmada.io/conflict-resolution";

export interface ApplyResult {
  /**
   * `corrected`: the manifest had not changed, but someone had changed the object. `replaced`: what could not be changed
   * was deleted and made anew.
   */
  readonly outcome: "created" | "configured" | "corrected" | "replaced" | "unchanged";
  readonly object: KubeObject;
  /** What had drifted before this apply. Fields of another mode than `correct` still are as others have them. */
  readonly drift: readonly RuledDrift[];
}

export interface ApplyOptions {
  /** Carries over from the live object what the member decides (a Service's address, replicas under a scaler). */
  readonly retain: (desired: KubeObject, live: KubeObject) => KubeObject | Promise<KubeObject>;
  /** Another number when `retain` may answer differently than before; 0 when absent. */
  readonly retainVersion?: number;
  /** Which fields others may decide, and what is done about the rest. */
  readonly rules?: FieldRules;
  /** Fields, by `path`, that were known to be drifted before this process saw the object. */
  readonly standing?: readonly string[];
  /** Asks the member what the manifest would change even when nothing seems to have changed. */
  readonly verify?: boolean;
  /** Whether this very manifest is known to have been applied, by an earlier run of the program. */
  readonly appliedBefore?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Applies `manifest` by server-side apply under our field manager, taking over fields that others hold. Nothing is
 * sent when the manifest is the one last applied and the live object still has what we applied; after a restart its claims
 * tell that.
 *
 * Throws `member-object-foreign` for an object that was there before us, unless the manifest says `overwrite`
 * (Karmada's conflict resolution), and whatever the member answers.
 */
export async function applyManifest(member: Member, manifest: KubeObject, options: ApplyOptions): Promise<ApplyResult> {
  const ref = refOf(manifest);
  const found = await member.live(ref, options.signal);
  const { rules = CORRECT_ALL } = options;
  const source = { manifest, rulesVersion: options.retainVersion ?? 0, rules };
  if (found !== undefined) {
    refuseForeign(member, manifest, found);
    // Whoever is asked what to carry over need not be asked when there is nothing to send whatever it says.
    const before = member.applied(ref);
    if (before !== undefined && isSettled(before, source, found)) {
      if (options.verify !== true || (await verifyApplied(member, before, found, rules, options.signal)))
        return { outcome: "unchanged", object: found, drift: [] };
      return applyManifest(member, manifest, { ...options, verify: false });
    }
    const { desired, live } = await retainFrom(member, manifest, found, options);
    const record = member.applied(ref);
    const known = record !== undefined && record.answer.metadata.uid === live.metadata.uid;
    if (!known) return meetAgain(member, { desired, source }, live, options);
    const drift = compareByRules(record.answer, live, rules, FIELD_MANAGER);
    const sameAsBefore = isSameWish(record, { desired, source }, live);
    // A new wish for a field counts more than what others made of the old one.
    const held = drift.filter((field) => field.mode !== "correct" && !isWishedAnew(field, record.manifest, desired));
    if (sameAsBefore && held.length === drift.length) {
      member.recordWanted(ref, { ...record, source });
      return { outcome: "unchanged", object: live, drift };
    }
    const answer = await sendByRules(member, { desired, source, held }, live, options.signal);
    const unchanged = answer.metadata.resourceVersion === live.metadata.resourceVersion;
    const told = drift.filter((field) => field.mode === "correct" || held.includes(field));
    if (answer.metadata.uid !== live.metadata.uid) return { outcome: "replaced", object: answer, drift: told };
    return {
      outcome: unchanged ? "unchanged" : sameAsBefore ? "corrected" : "configured",
      object: answer,
      drift: told,
    };
  }
  const answer = await send(member, manifest, options.signal);
  member.recordApplied(ref, { manifest, answer, source });
  return { outcome: "created", object: answer, drift: [] };
}

/** The same manifest was sent by the same rules, and the object still has all that was applied. */
function isSettled(record: AppliedRecord, source: AppliedSource, live: KubeObject): boolean {
  return (
    record.source !== undefined &&
    record.source.rulesVersion === source.rulesVersion &&
    record.answer.metadata.uid === live.metadata.uid &&
    equalJson(record.source.rules, source.rules) &&
    equalJson(record.source.manifest, source.manifest) &&
    (record.answer === live || compareByRules(record.answer, live, source.rules, FIELD_MANAGER).length === 0)
  );
}

/**
 * Asks by a dry run what the manifest would change now. True when that is nothing. Else what was learned is remembered, so
 * that the next look finds the difference: the present state of an object that no watch told of, or what the server would
 * make of the manifest by now.
 */
async function verifyApplied(
  member: Member,
  record: AppliedRecord,
  cached: KubeObject,
  rules: FieldRules,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const ref = refOf(cached);
  const answer = await send(member, record.manifest, signal, true);
  const isCurrent =
    answer.metadata.uid === cached.metadata.uid && answer.metadata.resourceVersion === cached.metadata.resourceVersion;
  const live = isCurrent ? cached : await member.client.find(ref, signal);
  if (live === undefined || live.metadata.uid !== cached.metadata.uid) {
    member.missed(cached, live);
    return false;
  }
  const drift = compareByRules(answer, live, rules, FIELD_MANAGER);
  if (!isCurrent) member.missed(cached, live);
  if (drift.length === 0) return isCurrent || compareByRules(record.answer, live, rules, FIELD_MANAGER).length === 0;
  // What a webhook makes anew each time (a checksum, a time) is nothing that anybody changed.
  const again = await send(member, record.manifest, signal, true);
  let answered = answer;
  for (const { fieldPath } of drift)
    if (!equalJson(valueAtFields(again, fieldPath), valueAtFields(answer, fieldPath)))
      answered = withFieldAt(answered, fieldPath, valueAtFields(live, fieldPath));
  member.recordWanted(ref, { ...record, answer: answered });
  return compareByRules(answered, live, rules, FIELD_MANAGER).length === 0;
}

/** What is to be sent, and what of it stays as others have it. */
interface Wish {
  /** The manifest with what the member decides carried over. */
  readonly desired: KubeObject;
  readonly source: AppliedSource;
}

/** Whether sending would say what was said before, but for fields that others decide. */
function isSameWish(record: AppliedRecord, { desired, source }: Wish, live: KubeObject): boolean {
  // Who decides a field is told by what we send: other rules are sent even when all values stay.
  if (record.source !== undefined && !equalJson(record.source.rules, source.rules)) return false;
  if (equalJson(record.manifest, desired)) return true;
  const ignored = ignoredFields(desired, live, source.rules);
  return !isEmptySet(ignored) && equalJson(withoutFields(record.manifest, ignored), withoutFields(desired, ignored));
}

function isWishedAnew({ fieldPath }: RuledDrift, before: KubeObject, now: KubeObject): boolean {
  return !equalJson(valueAtFields(before, fieldPath), valueAtFields(now, fieldPath));
}

/** Who tells what is kept may have to ask, and the object may change meanwhile: then its new state counts. */
async function retainFrom(
  member: Member,
  manifest: KubeObject,
  found: KubeObject,
  options: ApplyOptions,
): Promise<{ readonly desired: KubeObject; readonly live: KubeObject }> {
  let live = found;
  for (let attempt = 0; ; attempt++) {
    const desired = await options.retain(manifest, live);
    const now = member.cached(refOf(live)) ?? live;
    if (now.metadata.resourceVersion === live.metadata.resourceVersion || attempt >= 4) return { desired, live };
    live = now;
  }
}

/**
 * Applies to an object that is ours although this process has not applied it yet: after a restart, or new to us. What
 * the apply would change back from another manager's value has drifted meanwhile.
 */
async function meetAgain(member: Member, wish: Wish, live: KubeObject, options: ApplyOptions): Promise<ApplyResult> {
  const ref = refOf(live);
  const { desired, source } = wish;
  if (options.appliedBefore === true && isAsSent(wish, live)) {
    member.recordWanted(ref, { manifest: desired, answer: live, source });
    return { outcome: "unchanged", object: live, drift: [] };
  }
  const wasOurs = live.metadata.managedFields?.some((entry) => entry.manager === FIELD_MANAGER) === true;
  const driftFrom = (answer: KubeObject): RuledDrift[] =>
    wasOurs ? compareByRules(answer, live, source.rules, FIELD_MANAGER) : [];
  let held: readonly RuledDrift[] = [];
  if (wasOurs && letsBe(source.rules)) {
    const answer = await send(member, desired, options.signal, true);
    const drift = driftFrom(answer);
    // A field that still is ours differs because the manifest has changed, and that is for us to send.
    held = drift.filter(
      (field) =>
        field.mode !== "correct" && (field.manager !== undefined || options.standing?.includes(field.path) === true),
    );
    if (drift.length > 0 && held.length === drift.length) {
      // Nothing was written: the answer must not pass for the state of the object.
      member.recordWanted(ref, { manifest: desired, answer, source });
      return { outcome: "unchanged", object: live, drift };
    }
  }
  const answer = await sendByRules(member, { ...wish, held }, live, options.signal);
  if (answer.metadata.uid !== live.metadata.uid) return { outcome: "replaced", object: answer, drift: [] };
  if (answer.metadata.resourceVersion === live.metadata.resourceVersion)
    return { outcome: "unchanged", object: answer, drift: held };
  const corrected = driftFrom(answer).filter((field) => field.manager !== undefined);
  return { outcome: corrected.length > 0 ? "corrected" : "configured", object: answer, drift: [...corrected, ...held] };
}

/**
 * Whether the object has what was sent of a wish by an earlier run of the program. What the member decided was carried over
 * in what was sent, unless that made the object.
 */
function isAsSent({ desired, source }: Wish, live: KubeObject): boolean {
  if (goesByOwner(source.rules)) return false;
  return [desired, source.manifest].some((sent) => isStillAsApplied(yielded({ desired: sent, source }, live), live));
}

/** What is sent of a wish where nothing is held. */
function yielded({ desired, source }: Wish, live: KubeObject): KubeObject {
  if (source.rules.rules.length === 0) return desired;
  return yieldFields(desired, live, ignoredFields(desired, live, source.rules), FIELD_MANAGER);
}

/** Whether what is compared depends on who wrote it. */
function goesByOwner({ rules }: FieldRules): boolean {
  return rules.some((rule) => rule.managers.length > 0);
}

/** Whether there may be drift that is not put right. */
function letsBe({ mode, rules }: FieldRules): boolean {
  return mode !== "correct" || rules.some((rule) => rule.mode === "report" || rule.mode === "pause");
}

/**
 * Sends a wish, but for the fields that others decide or that are held, and remembers what was answered. What is held is
 * compared from now on with what the server would make of the whole wish.
 */
async function sendByRules(
  member: Member,
  { desired, source, held }: Wish & { readonly held: readonly RuledDrift[] },
  live: KubeObject,
  signal: AbortSignal | undefined,
): Promise<KubeObject> {
  const answer = await sendYielding(member, { desired, source, held }, live, signal);
  const whole = held.length > 0 || goesByOwner(source.rules) ? await send(member, desired, signal, true) : answer;
  member.recordApplied(refOf(live), { manifest: desired, answer: whole, source }, answer);
  return answer;
}

/** Values that are sent as they were seen must be those of the present: the server is asked to make sure. */
async function sendYielding(
  member: Member,
  { desired, source, held }: Wish & { readonly held: readonly RuledDrift[] },
  live: KubeObject,
  signal: AbortSignal | undefined,
): Promise<KubeObject> {
  let seen = live;
  for (let attempt = 0; ; attempt++) {
    const ignored = source.rules.rules.length === 0 ? {} : ignoredFields(desired, seen, source.rules);
    const sent = yieldFields(desired, seen, unionSets(ignored, heldFields(held)), FIELD_MANAGER);
    if (sent === desired) return sendOver(member, { desired, source }, seen, signal);
    const { uid, resourceVersion } = seen.metadata;
    const pinned = {
      ...sent,
      metadata: { ...sent.metadata, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
    };
    try {
      return await sendOver(member, { desired: pinned, source }, seen, signal);
    } catch (error) {
      if (!isConflict(error) || attempt >= 4) throw error;
      const now = await member.client.find(refOf(seen), signal);
      if (now === undefined || now.metadata.uid !== uid) throw error;
      seen = now;
    }
  }
}

/** Applies over `live`; replaces it where it cannot be changed and its author wants that. */
async function sendOver(
  member: Member,
  wish: Wish,
  live: KubeObject,
  signal: AbortSignal | undefined,
): Promise<KubeObject> {
  const { desired } = wish;
  try {
    return await mergeInto(member, desired, live, signal);
  } catch (error) {
    const fields = immutableFields(error);
    if (fields === undefined) throw error;
    if (!asksForReplacement(desired) || !mayBeReplaced(desired))
      throw immutableRefused(member.name, desired, fields, error);
    return replace(member, wish, live, signal);
  }
}

/** Applies over `live`, and takes away what an earlier version of the manifest left there under another's name. */
async function mergeInto(
  member: Member,
  desired: KubeObject,
  live: KubeObject,
  signal: AbortSignal | undefined,
): Promise<KubeObject> {
  await takeOver(member, desired, live, signal);
  let answer = await send(member, desired, signal);
  // Where nobody had any claims, the server makes some up for nobody at the first apply.
  if (await takeOver(member, desired, answer, signal)) answer = await send(member, desired, signal);
  const patch = dropPatch(live, desired, answer);
  if (patch === undefined) return answer;
  return member.client.patch(refOf(answer), patch, "merge", {
    fieldManager: FIELD_MANAGER,
    ...(signal === undefined ? {} : { signal }),
  });
}

const REPLACED_AFTER_MS = 1_000;

/** Deletes `live`, and makes it anew once it is gone. Throws `member-object-ending` while it is not. */
async function replace(
  member: Member,
  { desired, source }: Wish,
  live: KubeObject,
  signal: AbortSignal | undefined,
): Promise<KubeObject> {
  const ref = refOf(live);
  if (live.metadata.deletionTimestamp === undefined)
    await member.client.delete(ref, { uid: live.metadata.uid, ...(signal === undefined ? {} : { signal }) });
  const left = await member.client.find(ref, signal);
  if (left?.metadata.uid === live.metadata.uid)
    throw new AppError(
      "member-object-ending",
      `${describeRef(ref)} is to be made anew in cluster ${member.name} and waits for the old one to go`,
      { recovery: "wait", afterMs: REPLACED_AFTER_MS },
    );
  if (left !== undefined) refuseForeign(member, source.manifest, left);
  return send(member, anew(source.manifest, desired, live), signal);
}

/** What belongs to the old object goes with it (addresses, ports), but not how many replicas a scaler wants. */
function anew(manifest: KubeObject, desired: KubeObject, old: KubeObject): KubeObject {
  const [spec, wanted, had] = [manifest, desired, old].map((object) => object["spec"]);
  if (!isObject(spec) || !isObject(wanted) || !isObject(had) || spec["replicas"] === undefined) return manifest;
  // Not sent, they were the scaler's alone.
  return { ...manifest, spec: { ...spec, replicas: wanted["replicas"] ?? had["replicas"] } };
}

async function send(
  member: Member,
  desired: KubeObject,
  signal: AbortSignal | undefined,
  dryRun = false,
): Promise<KubeObject> {
  return member.client.apply(desired, {
    fieldManager: FIELD_MANAGER,
    force: true,
    dryRun,
    ...(signal === undefined ? {} : { signal }),
  });
}

function refuseForeign(member: Member, manifest: KubeObject, live: KubeObject): void {
  if (live.metadata.labels?.[MANAGED_LABEL] === "true") return;
  if (manifest.metadata.annotations?.[CONFLICT_RESOLUTION] === "overwrite") return;
  const { kind, metadata } = manifest;
  // The words are Karmada's: users and their alerts know them.
  throw new AppError(
    "member-object-foreign",
    `resource(kind=${kind}, ${metadata.namespace ?? ""}/${metadata.name ?? ""}) already exists in the cluster ${member.name} and the ` +
      `${CONFLICT_RESOLUTION} strategy value is empty, Karmada will not manage this resource`,
    { recovery: "retry", details: { object: describeRef(refOf(manifest)), cluster: member.name } },
  );
}

/** Deletes our object in a member. Objects that are not ours stay. Answers whether one was deleted. */
export async function removeManifest(member: Member, ref: ObjectRef, signal?: AbortSignal): Promise<boolean> {
  member.forgetApplied(ref);
  const live = await findLive(() => member.live(ref, signal));
  if (live === undefined || live.metadata.labels?.[MANAGED_LABEL] !== "true") return false;
  return member.client.delete(ref, { uid: live.metadata.uid, ...(signal === undefined ? {} : { signal }) });
}

/** Objects of a kind that the member no longer serves went with it. */
async function findLive(find: () => Promise<KubeObject | undefined>): Promise<KubeObject | undefined> {
  try {
    return await find();
  } catch (error) {
    if (error instanceof AppError && error.code === "api-kind-unknown") return undefined;
    throw error;
  }
}

/**
 * Lets go of an object in a member without deleting it: removes what marks it as ours and our claim on its fields.
 * `strip` names the labels and annotations to take away. An object that is gone is not an error.
 */
export async function releaseManifest(
  member: Member,
  ref: ObjectRef,
  strip: { readonly labels: readonly string[]; readonly annotations: readonly string[] },
  signal?: AbortSignal,
): Promise<void> {
  member.forgetApplied(ref);
  for (let attempt = 0; ; attempt++) {
    const live = await findLive(() => member.client.find(ref, signal));
    if (live === undefined || live.metadata.labels?.[MANAGED_LABEL] !== "true") return;
    const others = live.metadata.managedFields?.filter((entry) => entry.manager !== FIELD_MANAGER) ?? [];
    const patch = {
      metadata: {
        uid: live.metadata.uid,
        resourceVersion: live.metadata.resourceVersion,
        labels: Object.fromEntries(strip.labels.map((key) => [key, null])),
        annotations: Object.fromEntries(strip.annotations.map((key) => [key, null])),
        // The server takes an empty list for "as before"; one empty entry clears it.
        managedFields: others.length > 0 ? others : [{}],
      },
    };
    try {
      await member.client.patch(ref, patch, "merge", {
        fieldManager: `${FIELD_MANAGER}-release`,
        ...(signal === undefined ? {} : { signal }),
      });
      return;
    } catch (error) {
      if (isNotFound(error)) return;
      if (!isConflict(error) || attempt >= 5) throw error;
    }
  }
}
