// What no two clusters have in common, replaced by words: generated names, hashes, uids, addresses, times.
import { isObject, type KubeObject } from "../../../kube/object.ts";
import type { Played } from "./play.ts";

const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;
const UID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const ADDRESS = /\b10\.\d{1,3}\.\d{1,3}\.\d{1,3}\b|\b127\.0\.0\.1\b|\b192\.168\.\d{1,3}\.\d{1,3}\b/g;
/** The ends that servers put to generated names, of which some are told though nothing was made. */
const GENERATED_END = /(<hash-\d+>)-[bcdfghjklmnpqrstvwxz2456789]{5}\b/g;
const RANDOM = /^[bcdfghjklmnpqrstvwxz2456789]{5}$/;
/** Labels whose value is a hash, or a name that ends in one. */
const HASHES = ["pod-template-hash", "controller-revision-hash", "controller.kubernetes.io/hash"];

/** Puts words in the place of what is different each time. */
export type Mask = (text: string) => string;

/**
 * Finds what to mask in everything that was seen. Hashes are numbered in the order in which their objects came to be,
 * so that equal ones stay equal; the random ends of names are all `<rand>`, and all nodes are `<node>`, because where a
 * Pod goes is often a matter of chance.
 */
export function maskOf(played: Played): Mask {
  const words = new Map<string, string>();
  const hashes = new Map<string, string>();
  function hashWord(hash: string): string {
    const known = hashes.get(hash);
    if (known !== undefined) return known;
    const word = `<hash-${hashes.size + 1}>`;
    hashes.set(hash, word);
    return word;
  }
  const born = played.changes
    .filter(({ type }) => type === "ADDED")
    .map(({ object }) => object)
    .sort((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion));
  for (const object of born) {
    for (const label of HASHES) {
      const value = object.metadata.labels?.[label];
      if (value === undefined || object.kind === "Pod") continue;
      hashWord(value);
    }
    const name = object.metadata.name ?? "";
    const minutes = /-(\d{8,})$/.exec(name)?.[1];
    if (minutes !== undefined && object.kind === "Job" && ownerKindOf(object) === "CronJob") {
      if (!words.has(minutes)) words.set(minutes, `<minute-${[...words.values()].filter(isMinute).length + 1}>`);
    }
  }
  for (const object of born) {
    const { name = "", generateName } = object.metadata;
    // Generated names come whole into the map: their ends alone could be parts of other words.
    const end = generateName !== undefined && name.startsWith(generateName) ? name.slice(generateName.length) : "";
    // A StatefulSet's Pods have such a field too, and names that are not generated.
    if (RANDOM.test(end)) words.set(name, `${generateName}<rand>`);
  }
  for (const node of played.nodes) words.set(node, "<node>");
  words.set(played.namespace, "<namespace>");
  const literals = [...words].sort(([a], [b]) => b.length - a.length);
  const ends = [...hashes];
  return (text) => {
    let masked = text;
    for (const [literal, word] of literals) masked = masked.replaceAll(literal, word);
    for (const [hash, word] of ends) masked = masked.replaceAll(hash, word);
    masked = masked.replace(GENERATED_END, "$1-<rand>");
    return masked.replace(UID, "<uid>").replace(ADDRESS, "<address>");
  };
}

function isMinute(word: string): boolean {
  return word.startsWith("<minute-");
}

function ownerKindOf(object: KubeObject): string | undefined {
  return object.metadata.ownerReferences?.find((each) => each.controller === true)?.kind;
}

/**
 * Times become the step during which they fall, which tells whether they were moved. Servers write whole seconds, so a
 * time belongs to the last step that began before its second was over; rests keep steps apart.
 */
export function maskTimes(text: string, played: Played): string {
  return text.replace(TIME, (time) => {
    const ms = Date.parse(time);
    const last = played.steps.at(-1)!;
    if (ms > last.startMs + 3_600_000) return "<time far off>";
    let step = -1;
    for (const [index, { startMs }] of played.steps.entries()) if (startMs <= ms + 999) step = index;
    return step < 0 ? "<time before>" : `<time of step ${step + 1}>`;
  });
}

/** Applies masks to every text of a value, keys included; resourceVersions are left out. */
export function masked(value: unknown, played: Played, mask: Mask): unknown {
  if (typeof value === "string") return mask(maskTimes(value, played));
  if (Array.isArray(value)) return value.map((each) => masked(each, played, mask));
  if (!isObject(value)) return value;
  const entries = Object.entries(value).filter(([key]) => key !== "resourceVersion");
  return Object.fromEntries(entries.map(([key, each]) => [mask(key), masked(each, played, mask)]));
}
