// Brings one object in a member cluster to the wanted state.
import { isEmptySet } from "../kube/fields/field-set.ts";
import { equalJson, type KubeObject, refOf } from "../kube/object.ts";
import {
  CORRECT_ALL,
  compareByRules,
  type FieldRules,
  ignoredFields,
  type RuledDrift,
  yieldFields,
} from "./field-rules.ts";
import { valueAtFields, withoutFields } from "./field-values.ts";
import { refuseForeign } from "./foreign-objects.ts";
import { type AppliedRecord, type AppliedSource, FIELD_MANAGER, type Member } from "./member.ts";
import { createManifest, goesByOwner, sendByRules, sendManifest, type Wish } from "./send-manifest.ts";
import { isStillAsApplied } from "./still-applied.ts";
import { verifyApplied } from "./verify-applied.ts";

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
  /** Whether it was never sent before, as far as anybody knows: then it is made without asking whether it is there. */
  readonly isNew?: boolean;
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
  const { rules = CORRECT_ALL, retainVersion = 0, signal } = options;
  const source = { manifest, rulesVersion: retainVersion, rules };
  const known = await (options.isNew === true ? member.known(ref, signal) : member.live(ref, signal));
  if (known !== undefined) return applyTo(member, known, source, options);
  let answer = await createManifest(member, manifest, signal);
  if (answer === undefined) {
    const found = await member.client.find(ref, signal);
    if (found !== undefined) return applyTo(member, found, source, options);
    // Gone again already.
    answer = await sendManifest(member, manifest, signal);
  }
  member.recordApplied(ref, { manifest, answer, source });
  return { outcome: "created", object: answer, drift: [] };
}

/** Applies over an object that is there. */
async function applyTo(
  member: Member,
  found: KubeObject,
  source: AppliedSource,
  options: ApplyOptions,
): Promise<ApplyResult> {
  const { manifest, rules } = source;
  const ref = refOf(manifest);
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
  const isKnown = record !== undefined && record.answer.metadata.uid === live.metadata.uid;
  if (!isKnown) return meetAgain(member, { desired, source }, live, options);
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
    const answer = await sendManifest(member, desired, options.signal, true);
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

/** Whether there may be drift that is not put right. */
function letsBe({ mode, rules }: FieldRules): boolean {
  return mode !== "correct" || rules.some((rule) => rule.mode === "report" || rule.mode === "pause");
}
