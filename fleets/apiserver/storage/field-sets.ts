// Sets of owned fields, which are the same for most objects that one program writes: kept once, and read once.
import type { JsonObject, KubeObject } from "../../../kube/object.ts";
import { decodeJson, deepFreeze } from "./json-text.ts";
import { SharedValues } from "./shared-values.ts";

const fieldSets = new SharedValues<JsonObject>(2048);

/** Lets equal sets of owned fields be one frozen object: they are a third of what an object takes in memory. */
export function shareFieldSets(object: KubeObject): KubeObject {
  const entries = object.metadata.managedFields;
  if (entries === undefined || Object.isFrozen(object)) return object;
  const shared = entries.map((entry) => {
    const { fieldsV1 } = entry;
    if (fieldsV1 === undefined || isShared(fieldsV1)) return entry;
    return { ...entry, fieldsV1: shareFieldSet(fieldsV1) };
  });
  return { ...object, metadata: { ...object.metadata, managedFields: shared } };
}

/**
 * The object in compact JSON that `encodeJson` wrote, with shared sets of owned fields. Those are most of the text of a
 * small object, and their keys are of the kind that takes a slow parser: one that is known is not read again.
 */
export function readObject(text: string): KubeObject {
  const cut = cutFieldSets(text);
  if (cut !== undefined) {
    // As below.
    const object = decodeJson(cut.text) as KubeObject;
    const entries = object.metadata?.managedFields;
    // Not where the field of that name was somewhere else.
    if (Array.isArray(entries) && entries.length === cut.sets.length) {
      for (const [i, entry] of entries.entries()) Object.assign(entry, { fieldsV1: cut.sets[i] });
      return object;
    }
  }
  // Whoever stored the text stored an object.
  return shareFieldSets(decodeJson(text) as KubeObject);
}

function shareFieldSet(fields: JsonObject): JsonObject {
  return fieldSets.get(JSON.stringify(fields), () => deepFreeze(fields));
}

function isShared(fields: JsonObject): boolean {
  return Object.isFrozen(fields);
}

const LIST = '"managedFields":[';
/** An entry up to its set, and from there on; whatever looks otherwise is read as a whole. */
const HEAD = /\{(?:"[a-zA-Z]+":"[^"\\]*",)*"fieldsV1":(?=\{)/y;
const TAIL = /(?:,"[a-zA-Z]+":"[^"\\]*")*\}/y;

/** The text with a null for each set of owned fields, and these; undefined when it is not of the usual form. */
function cutFieldSets(text: string): { readonly text: string; readonly sets: readonly JsonObject[] } | undefined {
  let at = text.indexOf(LIST);
  if (at < 0 || text[at - 1] === "\\") return undefined;
  at += LIST.length;
  const parts: string[] = [];
  const sets: JsonObject[] = [];
  for (let from = 0; ; at++) {
    HEAD.lastIndex = at;
    if (!HEAD.test(text)) return undefined;
    const start = HEAD.lastIndex;
    const end = endOfObject(text, start);
    sets.push(knownFieldSet(text.slice(start, end)));
    parts.push(text.slice(from, start), "null");
    from = end;
    TAIL.lastIndex = end;
    if (!TAIL.test(text)) return undefined;
    at = TAIL.lastIndex;
    if (text[at] === ",") continue;
    if (text[at] !== "]") return undefined;
    parts.push(text.slice(from));
    return { text: parts.join(""), sets };
  }
}

function knownFieldSet(text: string): JsonObject {
  // Written by us as an object of objects. Kept under a text of its own: this one would keep the whole object's alive.
  return fieldSets.find(text) ?? shareFieldSet(decodeJson(text) as JsonObject);
}

/** The place after the object that begins at `start`. */
function endOfObject(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x7b) depth++;
    else if (code === 0x7d && --depth === 0) return at + 1;
    else if (code === 0x22) {
      for (at++; at < text.length && text.charCodeAt(at) !== 0x22; at++) if (text.charCodeAt(at) === 0x5c) at++;
    }
  }
  return text.length;
}
