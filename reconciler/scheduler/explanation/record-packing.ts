// Plain data as short text: compressed with a dictionary of what such data usually holds.

import { deflateRawSync, inflateRawSync } from "node:zlib";

/** More than this never comes out of a record that we made: what claims more is broken, or meant to harm. */
const MAX_UNPACKED_BYTES = 4 * 1024 * 1024;

/**
 * What small records have in common, the most frequent last. Part of the format: with another dictionary old records
 * can no longer be read.
 */
const DICTIONARY = Buffer.from(
  [
    "cluster.karmada.io/unreachable",
    "cluster.karmada.io/not-ready",
    "node.kubernetes.io/unschedulable",
    "topology.kubernetes.io/zone",
    "maintenance",
    "PreferNoSchedule",
    '"environment":"production"',
    '"stage":"staging"',
    '"env":"prod"',
    '"tier":"edge"',
    "ap-northeast-1",
    "ap-southeast-1",
    "eu-central-1",
    "eu-west-1",
    "us-west-2",
    "us-east-1",
    "azure",
    '"gcp"',
    '"aws"',
    '"z":["',
    '","NoExecute"]]}',
    '","true","NoSchedule"]]}',
    '","p":"',
    ',"r":"',
    '{"l":{"',
    '{"t":[["',
    '{"n":[12,1]}',
    "[0,[0,0,0,0,110,110,",
    "[[{}],[0,1,0,2,0,3]]",
    '0,"cluster-1",8,"2",8,"3"',
    '[0,"member1",6,"2",6,"3"',
  ].join(""),
);

/** Data as compressed base64 text. */
export function pack(data: unknown): string {
  return deflateRawSync(Buffer.from(JSON.stringify(data)), { dictionary: DICTIONARY, level: 6 }).toString("base64");
}

/** What `pack` was given. Throws an Error that says how the text is broken. */
export function unpack(text: string): unknown {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) throw new Error("not whole base64 text");
  let json: string;
  try {
    const options = { dictionary: DICTIONARY, maxOutputLength: MAX_UNPACKED_BYTES };
    json = inflateRawSync(Buffer.from(text, "base64"), options).toString("utf8");
  } catch (error) {
    throw new Error("not compressed as expected, or cut off", { cause: error });
  }
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new Error("holds no JSON, or was changed", { cause: error });
  }
}

/** Sorted names, each as the number of characters it shares with the one before and the rest of it. */
export function foldNames(names: readonly string[]): (number | string)[] {
  let before = "";
  return names.flatMap((name) => {
    let shared = 0;
    while (shared < name.length && shared < before.length && name[shared] === before[shared]) shared++;
    before = name;
    return [shared, name.slice(shared)];
  });
}

/** What `foldNames` was given; undefined when `folded` cannot be that. */
export function unfoldNames(folded: unknown): string[] | undefined {
  if (!Array.isArray(folded) || folded.length % 2 !== 0) return undefined;
  const names: string[] = [];
  let before = "";
  for (let i = 0; i < folded.length; i += 2) {
    const shared: unknown = folded[i];
    const rest: unknown = folded[i + 1];
    if (typeof shared !== "number" || typeof rest !== "string") return undefined;
    before = before.slice(0, shared) + rest;
    names.push(before);
  }
  return names;
}

/** Equal neighbours as pairs of a value and how often it comes. */
export function foldRuns(values: ArrayLike<number>): number[] {
  const runs: number[] = [];
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    const last = runs.length - 2;
    if (last >= 0 && runs[last] === value) runs[last + 1] = (runs[last + 1] as number) + 1;
    else runs.push(value, 1);
  }
  return runs;
}

/** What `foldRuns` was given; undefined when `runs` do not make `length` whole numbers. */
export function unfoldRuns(runs: unknown, length: number): number[] | undefined {
  if (!Array.isArray(runs)) return undefined;
  const values: number[] = [];
  for (let i = 0; i < runs.length; i += 2) {
    const value: unknown = runs[i];
    const times: unknown = runs[i + 1];
    if (!Number.isInteger(value) || !Number.isInteger(times)) return undefined;
    if ((times as number) < 1 || values.length + (times as number) > length) return undefined;
    for (let k = 0; k < (times as number); k++) values.push(value as number);
  }
  return values.length === length ? values : undefined;
}
