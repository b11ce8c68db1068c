// Several recordings of a script as one: what they have in common must hold, what differed may be as in any of them.
import { equalJson, isObject } from "../../../kube/object.ts";
import type { Alike, RecordedStep, Recording, Sequences } from "./recording.ts";
import type { Script } from "./script.ts";

/** Stands for a value that was different in several runs of the same script on a real cluster. */
export const VARIES = "<varies>";

/** Sequences that were seen, each once. */
type Alternatives<T> = Readonly<Record<string, Readonly<Record<string, readonly (readonly T[])[]>>>>;

export interface VectorStep {
  readonly answers: readonly string[];
  readonly settled: Readonly<Record<string, readonly Alike[] | typeof VARIES>>;
  readonly conditions: Alternatives<string>;
  readonly counters: Alternatives<number>;
  readonly health: Alternatives<string>;
  readonly came: Readonly<Record<string, readonly number[]>>;
  readonly went: Readonly<Record<string, readonly number[]>>;
  readonly events: { readonly always: readonly string[]; readonly sometimes: readonly string[] };
}

export interface Vector {
  readonly id: string;
  /** Where it was recorded: versions, and how often. */
  readonly recorded: { readonly kubernetes: string; readonly kwok: string; readonly runs: number };
  readonly script: Script;
  readonly steps: readonly VectorStep[];
}

/** Sums recordings of the same script up. */
export function vectorOf(
  script: Script,
  recordings: readonly Recording[],
  versions: Omit<Vector["recorded"], "runs">,
): Vector {
  const steps = script.steps.map((_, index) => stepOf(recordings.map((recording) => recording.steps[index]!)));
  return { id: script.id, recorded: { ...versions, runs: recordings.length }, script, steps };
}

function stepOf(runs: readonly RecordedStep[]): VectorStep {
  return {
    answers: merged(runs.map(({ answers }) => answers)) as readonly string[],
    // What a merge of such objects gives is one, with `<varies>` in places.
    settled: merged(runs.map(({ settled }) => settled)) as VectorStep["settled"],
    conditions: alternatives(runs.map(({ conditions }) => conditions)),
    counters: alternatives(runs.map(({ counters }) => counters)),
    health: alternatives(runs.map(({ health }) => health)),
    came: countAlternatives(runs.map(({ came }) => came)),
    went: countAlternatives(runs.map(({ went }) => went)),
    events: eventsOf(runs.map(({ events }) => events)),
  };
}

/**
 * Events of all runs, and of some. An Event that was not told in every run may differ from others by its numbers only:
 * it is kept with `#` in their place, without the prefix that client-go gives it when there were many alike.
 */
function eventsOf(runs: readonly (readonly string[])[]): VectorStep["events"] {
  const exact = runs[0]!.filter((event) => runs.every((events) => events.includes(event)));
  const loose = runs.map((events) => new Set(events.filter((event) => !exact.includes(event)).map(withoutNumbers)));
  const all = [...new Set(loose.flatMap((events) => [...events]))].sort();
  const everywhere = (event: string): boolean => loose.every((events) => events.has(event));
  return {
    always: [...exact, ...all.filter(everywhere)],
    sometimes: all.filter((event) => !everywhere(event)),
  };
}

function withoutNumbers(event: string): string {
  // Numbers of words such as `<hash-1>` and `web-0` are names.
  return event.replace("(combined from similar events): ", "").replace(/(?<![\w<-])\d+/g, "#");
}

/** The value that all have; where they differ, as deep down as their shapes allow, `<varies>`. */
export function merged(values: readonly unknown[]): unknown {
  const [first, ...others] = values;
  if (others.every((other) => equalJson(first, other))) return first;
  if (values.every(Array.isArray)) {
    const lists = values as readonly (readonly unknown[])[];
    if (lists.some((list) => list.length !== lists[0]!.length)) return VARIES;
    return lists[0]!.map((_, index) => merged(lists.map((list) => list[index])));
  }
  if (!values.every(isObject)) return VARIES;
  const objects = values as readonly Record<string, unknown>[];
  const keys = [...new Set(objects.flatMap((object) => Object.keys(object)))].sort();
  return Object.fromEntries(
    keys.map((key) => [
      key,
      objects.every((object) => key in object) ? merged(objects.map((object) => object[key])) : VARIES,
    ]),
  );
}

function alternatives<T>(runs: readonly Sequences<T>[]): Alternatives<T> {
  const found: Record<string, Record<string, readonly (readonly T[])[]>> = {};
  for (const name of keysOf(runs)) {
    const parts: Record<string, readonly (readonly T[])[]> = {};
    found[name] = parts;
    for (const part of keysOf(runs.map((run) => run[name] ?? {})))
      parts[part] = distinct(runs.map((run) => run[name]?.[part] ?? []));
  }
  return found;
}

function countAlternatives(runs: readonly Readonly<Record<string, number>>[]): Record<string, readonly number[]> {
  return Object.fromEntries(keysOf(runs).map((name) => [name, distinct(runs.map((run) => run[name] ?? 0))]));
}

function keysOf(objects: readonly object[]): string[] {
  return [...new Set(objects.flatMap((object) => Object.keys(object)))].sort();
}

function distinct<T>(values: readonly T[]): T[] {
  return values.filter((value, index) => values.findIndex((other) => equalJson(value, other)) === index);
}

/** Where a run differs from a vector, one line a difference; empty when it is as recorded. */
export function differencesFrom(vector: Vector, recording: Recording): string[] {
  return vector.steps.flatMap((expected, index) => {
    const actual = recording.steps[index]!;
    const found = stepDifferences(expected, actual);
    if (!actual.cameToRest) found.unshift("does not come to rest");
    const { name } = vector.script.steps[index]!;
    return found.map((difference) => `step ${index + 1} (${name}): ${difference}`);
  });
}

function stepDifferences(expected: VectorStep, actual: RecordedStep): string[] {
  const found: string[] = [];
  walk("answer", expected.answers, actual.answers, found);
  for (const name of keysOf([expected.settled, actual.settled]))
    walk(`at rest, ${name}`, expected.settled[name], actual.settled[name], found);
  sequenceDifferences("condition", expected.conditions, actual.conditions, found);
  sequenceDifferences("counter", expected.counters, actual.counters, found);
  sequenceDifferences("health", expected.health ?? {}, expected.health === undefined ? {} : actual.health, found);
  countDifferences("came", expected.came, actual.came, found);
  countDifferences("went", expected.went, actual.went, found);
  eventDifferences(expected.events, actual.events, found);
  return found;
}

function eventDifferences(
  { always, sometimes }: VectorStep["events"],
  actual: readonly string[],
  found: string[],
): void {
  const told = (event: string): boolean =>
    actual.includes(event) || actual.some((each) => withoutNumbers(each) === event);
  for (const event of always) if (!told(event)) found.push(`event missing: ${event}`);
  const known = new Set([...always, ...sometimes]);
  for (const event of actual)
    if (!known.has(event) && !known.has(withoutNumbers(event))) found.push(`event unexpected: ${event}`);
}

/**
 * Whether a course is one of those that were seen. What went differently in several runs depends on who was faster: then
 * any course with the same ends will do, as long as a counter stays within the bounds that were seen, and states follow
 * one another as they were seen to.
 */
function isCourse(course: readonly unknown[], seen: readonly (readonly unknown[])[]): boolean {
  if (seen.some((each) => equalJson(each, course))) return true;
  const values = seen.flat();
  if (seen.length < 2 || !seen.some((each) => each[0] === course[0] && each.at(-1) === course.at(-1))) return false;
  if (values.every((each) => typeof each === "number")) {
    const [least, most] = [Math.min(...values), Math.max(...values)];
    return course.every((each) => Number(each) >= least && Number(each) <= most);
  }
  const steps = new Set(seen.flatMap(stepsOf));
  return stepsOf(course).every((step) => steps.has(step));
}

function stepsOf(course: readonly unknown[]): string[] {
  return course.slice(1).map((state, index) => `${course[index]} -> ${state}`);
}

function sequenceDifferences<T>(what: string, expected: Alternatives<T>, actual: Sequences<T>, found: string[]): void {
  for (const name of keysOf([expected, actual])) {
    const [wanted = {}, got = {}] = [expected[name], actual[name]];
    for (const part of keysOf([wanted, got])) {
      const seen = wanted[part] ?? [[]];
      const sequence = got[part] ?? [];
      if (isCourse(sequence, seen)) continue;
      found.push(`${what} ${part} of ${name}: expected ${seen.map(arrows).join(" or ")}, got ${arrows(sequence)}`);
    }
  }
}

function arrows(sequence: readonly unknown[]): string {
  return sequence.length === 0 ? "no change" : sequence.join(" -> ");
}

function countDifferences(
  what: string,
  expected: Readonly<Record<string, readonly number[]>>,
  actual: Readonly<Record<string, number>>,
  found: string[],
): void {
  for (const name of keysOf([expected, actual])) {
    const seen = expected[name] ?? [0];
    const count = actual[name] ?? 0;
    if (count < Math.min(...seen) || count > Math.max(...seen))
      found.push(`${what}: expected ${seen.join(" or ")} ${name}, got ${count}`);
  }
}

function walk(path: string, want: unknown, got: unknown, found: string[]): void {
  if (want === VARIES || equalJson(want, got)) return;
  if (Array.isArray(want) && Array.isArray(got) && want.length === got.length) {
    for (const [index, each] of want.entries()) walk(`${path}[${index}]`, each, got[index], found);
  } else if (isObject(want) && isObject(got)) {
    for (const key of keysOf([want, got])) walk(`${path}.${key}`, want[key], got[key], found);
  } else {
    found.push(`${path}: expected ${shown(want)}, got ${shown(got)}`);
  }
}

function shown(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}
