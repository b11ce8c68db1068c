// Sends one object to a member by server-side apply, with what has to be done around that.
import { ApiStatusError, isConflict } from "../kube/client/status-error.ts";
import { unionSets } from "../kube/fields/field-set.ts";
import { describeRef, isObject, type KubeObject, refOf } from "../kube/object.ts";
import { AppError } from "../runtime/errors.ts";
import { dropPatch } from "./dropped-metadata.ts";
import { type FieldRules, heldFields, ignoredFields, type RuledDrift, yieldFields } from "./field-rules.ts";
import { refuseForeign } from "./foreign-objects.ts";
import { asksForReplacement, immutableFields, immutableRefused, mayBeReplaced } from "./immutable-fields.ts";
import { type AppliedSource, FIELD_MANAGER, type Member } from "./member.ts";
import { takeOver } from "./takeover.ts";

/** What is to be sent, and what of it stays as others have it. */
export interface Wish {
  /** The manifest with what the member decides carried over. */
  readonly desired: KubeObject;
  readonly source: AppliedSource;
}

/** Applies an object under our field manager, whatever the member has of it. Answers with what became of it. */
export async function sendManifest(
  member: Member,
  desired: KubeObject,
  signal: AbortSignal | undefined,
  dryRun = false,
): Promise<KubeObject> {
  try {
    return await member.client.apply(desired, {
      fieldManager: FIELD_MANAGER,
      force: true,
      dryRun,
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    // It may have been carried out: compared with what was answered before, our own change would look like that of others.
    if (!dryRun && !isRefusal(error)) member.forgetApplied(refOf(desired));
    throw error;
  }
}

/** Whether an answer came that says for sure that nothing was done. */
function isRefusal(error: unknown): boolean {
  return error instanceof ApiStatusError && error.status.code < 500;
}

/** A revision that no object ever has. */
const NO_REVISION = "9223372036854775807";

/**
 * Makes an object that is not there: undefined, with nothing changed, when there is one of that name, whoever made it. An
 * apply that names a revision is refused where an object has another one, and revisions do not matter to what is made.
 */
export async function createManifest(
  member: Member,
  desired: KubeObject,
  signal: AbortSignal | undefined,
): Promise<KubeObject | undefined> {
  const pinned = { ...desired, metadata: { ...desired.metadata, resourceVersion: NO_REVISION } };
  try {
    return await sendManifest(member, pinned, signal);
  } catch (error) {
    if (isConflict(error)) return undefined;
    throw error;
  }
}

/** Whether what is compared depends on who wrote it. */
export function goesByOwner({ rules }: FieldRules): boolean {
  return rules.some((rule) => rule.managers.length > 0);
}

/**
 * Sends a wish, but for the fields that others decide or that are held, and remembers what was answered. What is held is
 * compared from now on with what the server would make of the whole wish.
 */
export async function sendByRules(
  member: Member,
  { desired, source, held }: Wish & { readonly held: readonly RuledDrift[] },
  live: KubeObject,
  signal: AbortSignal | undefined,
): Promise<KubeObject> {
  const answer = await sendYielding(member, { desired, source, held }, live, signal);
  const whole =
    held.length > 0 || goesByOwner(source.rules) ? await sendManifest(member, desired, signal, true) : answer;
  member.recordApplied(refOf(live), { manifest: desired, answer: whole, source }, answer);
  return answer;
}

/** After so many reads in a row, each followed by a change of others, what was read last is good enough. */
const READS_AT_MOST = 4;

/**
 * What was seen may be of the past: that the object is ours, and the values that are sent as they were seen. So the server is
 * asked to make sure, and where it has another revision, that one is judged. Most changes of others are of the status, and
 * cost one read; somebody who never rests must not keep us from applying what depends on nothing but whose the object is.
 */
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
    if (sent === desired && attempt >= READS_AT_MOST) return sendOver(member, { desired, source }, seen, signal);
    try {
      return await sendOver(member, { desired: pinnedTo(sent, seen), source }, seen, signal);
    } catch (error) {
      if (!isConflict(error) || attempt >= READS_AT_MOST) throw error;
      // What is not there is made, whatever revision is named.
      const now = (await member.client.find(refOf(seen), signal)) ?? seen;
      refuseForeign(member, source.manifest, now);
      if (now.metadata.uid !== seen.metadata.uid && sent !== desired) throw error;
      seen = now;
    }
  }
}

/** A manifest that is refused where the object is not of that revision any more. */
function pinnedTo(manifest: KubeObject, { metadata: { resourceVersion } }: KubeObject): KubeObject {
  return resourceVersion === undefined
    ? manifest
    : { ...manifest, metadata: { ...manifest.metadata, resourceVersion } };
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
  const isPinned = desired.metadata.resourceVersion !== undefined;
  const taken = await takeOver(member, desired, live, signal);
  let answer = await sendManifest(member, taken !== undefined && isPinned ? pinnedTo(desired, taken) : desired, signal);
  // Where nobody had any claims, the server makes some up for nobody at the first apply.
  const left = await takeOver(member, desired, answer, signal);
  if (left !== undefined) answer = await sendManifest(member, isPinned ? pinnedTo(desired, left) : desired, signal);
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
  const replacement = anew(source.manifest, desired, live);
  if (left !== undefined && left.metadata.uid !== live.metadata.uid) {
    refuseForeign(member, source.manifest, left);
    return sendManifest(member, replacement, signal);
  }
  const made = left === undefined ? await createManifest(member, replacement, signal) : undefined;
  if (made !== undefined) return made;
  throw new AppError(
    "member-object-ending",
    `${describeRef(ref)} is to be made anew in cluster ${member.name} and waits for the old one to go`,
    { recovery: "wait", afterMs: REPLACED_AFTER_MS },
  );
}

/** What belongs to the old object goes with it (addresses, ports), but not how many replicas a scaler wants. */
function anew(manifest: KubeObject, desired: KubeObject, old: KubeObject): KubeObject {
  const [spec, wanted, had] = [manifest, desired, old].map((object) => object["spec"]);
  if (!isObject(spec) || !isObject(wanted) || !isObject(had) || spec["replicas"] === undefined) return manifest;
  // Not sent, they were the scaler's alone.
  return { ...manifest, spec: { ...spec, replicas: wanted["replicas"] ?? had["replicas"] } };
}
