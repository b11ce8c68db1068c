// Whether what was applied still is what the manifest makes, as the member's server sees it.
import { equalJson, type KubeObject, refOf } from "../kube/object.ts";
import { compareByRules, type FieldRules } from "./field-rules.ts";
import { valueAtFields, withFieldAt } from "./field-values.ts";
import { type AppliedRecord, FIELD_MANAGER, type Member } from "./member.ts";
import { sendManifest } from "./send-manifest.ts";

/**
 * Asks by a dry run what the manifest would change now. True when that is nothing. Else what was learned is remembered, so
 * that the next look finds the difference: the present state of an object that no watch told of, or what the server would
 * make of the manifest by now.
 */
export async function verifyApplied(
  member: Member,
  record: AppliedRecord,
  cached: KubeObject,
  rules: FieldRules,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const ref = refOf(cached);
  const answer = await sendManifest(member, record.manifest, signal, true);
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
  const again = await sendManifest(member, record.manifest, signal, true);
  let answered = answer;
  for (const { fieldPath } of drift)
    if (!equalJson(valueAtFields(again, fieldPath), valueAtFields(answer, fieldPath)))
      answered = withFieldAt(answered, fieldPath, valueAtFields(live, fieldPath));
  member.recordWanted(ref, { ...record, answer: answered });
  return compareByRules(answered, live, rules, FIELD_MANAGER).length === 0;
}
