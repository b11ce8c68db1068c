// Scenario files as they go wrong: by slips of people and tools, and by hands that mean harm.
import { isObject, type Json, type JsonObject, setOwn } from "../../kube/object.ts";
import type { Random } from "../../runtime/random.ts";
import { HOSTILE_KEYS, mutateText, randomJson, randomText } from "../fuzz/random.ts";

const NUMBERS = [0, -1, 1.5, 1e9, 2 ** 31, 2 ** 53, 1e21, 1e308, -1e308, 5e-324];
const TEXTS = [
  ...["NaN", ".nan", "-.inf", "Infinity", "1e999", "0x10", "1e9", "-3", "1e-30", "1_000", "9".repeat(400)],
  ...["1ns", "1ms", "0", "0s", "0.0000001ms", "999999999h", "999999999.999999999h", "-5m", "5 m", "5mm", "2562047h48m"],
  ...["*", "**", "edge-*", "member1", "{number}", "{number:99}", "{constructor}", "{}", "a".repeat(300), "A_b", ""],
  ...["2026-02-30T00:00:00Z", "9999-12-31T23:59:59Z", "0000-01-01T00:00:00Z", "v1.99999999999.0", "v1.36.3"],
  ...["50%", "100%", "999%", "0%", "1Ei", "9E", "1e30", "-1Gi", "10n", "{.items[*]..a}", "..", "[?(@.a"],
  ...["a\nb", "a\r\nb", "\u0000", "\ufeff", "\u2028", "\ud800", "../../etc/passwd", "/dev/zero", "."],
];
const SCALARS: readonly Json[] = [...NUMBERS, ...TEXTS, true, false, null];

/** A file of the same value, with a few of its parts taken away, doubled, renamed, or of another type. */
export function mutatedValue(random: Random, value: JsonObject, names: readonly string[]): string {
  const copy = structuredClone(value);
  for (let change = random.below(3); change >= 0; change--) changeSomething(random, copy, names);
  return JSON.stringify(copy, null, random.pick([0, 2]));
}

function changeSomething(random: Random, root: JsonObject, names: readonly string[]): void {
  const places = containers(root);
  // What is near the root is as likely as what is deep.
  const at = random.pick(random.chance(0.3) ? places.slice(0, 12) : places);
  if (Array.isArray(at)) changeList(random, at);
  else changeMap(random, at, names);
}

function containers(value: Json | undefined): (Json[] | JsonObject)[] {
  if (Array.isArray(value)) return [value, ...value.flatMap(containers)];
  return isObject(value) ? [value as JsonObject, ...Object.values(value as JsonObject).flatMap(containers)] : [];
}

function changeList(random: Random, list: Json[]): void {
  const at = random.below(list.length + 1);
  switch (random.below(5)) {
    case 0:
      list.splice(at, 1);
      break;
    case 1:
      list.push(...structuredClone(list.slice(0, 3)));
      break;
    case 2:
      list.splice(at, 0, oddValue(random));
      break;
    case 3:
      list.reverse();
      break;
    default:
      list[at] = oddValue(random);
  }
}

function changeMap(random: Random, map: JsonObject, names: readonly string[]): void {
  const keys = Object.keys(map);
  const key = keys.length === 0 ? "name" : random.pick(keys);
  switch (random.below(6)) {
    case 0:
      delete map[key];
      break;
    case 1:
      setOwn(map, random.chance(0.3) ? random.pick(HOSTILE_KEYS) : random.pick(names), oddValue(random));
      break;
    case 2: {
      const value = map[key] ?? null;
      delete map[key];
      setOwn(
        map,
        random.pick([...HOSTILE_KEYS, ...names, `${key}s`, key.toUpperCase(), key.slice(1), "a.b", "x[0]"]),
        value,
      );
      break;
    }
    case 3:
      map[key] = [map[key] ?? null];
      break;
    default:
      map[key] = oddValue(random);
  }
}

function oddValue(random: Random): Json {
  if (random.chance(0.7)) return random.pick(SCALARS);
  return random.chance(0.5) ? randomText(random) : randomJson(random, 3);
}

const TOKENS = [
  ...[
    "\t",
    "\r",
    "\r\n",
    "\n",
    "\ufeff",
    "\u0000",
    "\ud800",
    "---\n",
    "...\n",
    "- ",
    ": ",
    "{",
    "}",
    "[",
    "]",
    "&a ",
    "*a",
  ],
  ...["!!binary ", "!<x> ", "<<: *a\n", "? ", "| ", ">-\n", "'", '"', "#", "%YAML 1.2\n", "  ", "\\", "~", "name: a\n"],
];

/** The text with characters taken away, doubled or put in. */
export function mutatedScenarioText(random: Random, text: string): string {
  return mutateText(random, text, TOKENS);
}

/** Every key of a value, wherever it is. */
export function keysOf(value: Json | undefined): string[] {
  if (Array.isArray(value)) return value.flatMap(keysOf);
  if (!isObject(value)) return [];
  return Object.entries(value as JsonObject).flatMap(([key, each]) => [key, ...keysOf(each)]);
}
