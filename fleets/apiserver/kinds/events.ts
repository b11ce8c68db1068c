// Events have two forms, of the core group and of events.k8s.io, and are one stored object.
import type { JsonObject, KubeObject } from "../../../kube/object.ts";

/** Field names that differ: core, events.k8s.io. */
const RENAMED: readonly (readonly [core: string, events: string])[] = [
  ["involvedObject", "regarding"],
  ["message", "note"],
  ["source", "deprecatedSource"],
  ["firstTimestamp", "deprecatedFirstTimestamp"],
  ["lastTimestamp", "deprecatedLastTimestamp"],
  ["count", "deprecatedCount"],
  ["reportingComponent", "reportingController"],
];

function rename(event: KubeObject, names: ReadonlyMap<string, string>): JsonObject {
  const out: JsonObject = {};
  // KubeObject fields are JSON.
  const source = event as unknown as JsonObject;
  for (const key in source) out[names.get(key) ?? key] = source[key];
  return out;
}

const TO_CORE = new Map(RENAMED.map(([core, events]) => [events, core]));
const TO_EVENTS = new Map(RENAMED);

function finish(
  fields: JsonObject,
  apiVersion: string,
  always: readonly string[],
  optional: readonly string[],
): KubeObject {
  const out: JsonObject = { ...fields, apiVersion };
  for (const name of always) out[name] ??= "";
  for (const name of optional) if (out[name] === "") delete out[name];
  // The metadata came with the fields.
  return out as unknown as KubeObject;
}

/** The core form of an event of events.k8s.io. */
export function coreEventOf(event: KubeObject): KubeObject {
  return finish(rename(event, TO_CORE), "v1", ["reportingComponent", "reportingInstance"], []);
}

/** The events.k8s.io form of a core event. */
export function eventsEventOf(event: KubeObject): KubeObject {
  return finish(rename(event, TO_EVENTS), "events.k8s.io/v1", [], ["reportingController", "reportingInstance"]);
}
