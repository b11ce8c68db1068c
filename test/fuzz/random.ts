// The small generators that all fuzzers share.
import type { Json, JsonObject } from "../../kube/object.ts";
import type { Random } from "../../runtime/random.ts";

/** Keys that reach the prototype of a careless map. */
export const HOSTILE_KEYS = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "valueOf"];

const TEXTS = [
  "",
  "a",
  "x.y",
  "a/b",
  "é",
  "\u0000",
  "\n",
  '"',
  "\\",
  "{",
  "]",
  "🦑",
  "\ud800",
  "0",
  "-1",
  "1e9",
  "null",
  "~1",
  "%2F",
  "\u2028",
  "$patch",
  ...HOSTILE_KEYS,
];
const NUMBERS = [0, 1, -1, 80, 65_536, 2 ** 31, -(2 ** 31), 2 ** 53 - 1, 1.5, -0.25, 1e21, 1e-7];

/** A short text, often one that parsers trip over. */
export function randomText(random: Random): string {
  if (random.chance(0.6)) return random.pick(TEXTS);
  return random.list(6, () => random.pick(TEXTS)).join("");
}

/** JSON data; `depth` bounds its nesting. */
export function randomJson(random: Random, depth: number): Json {
  const roll = random.below(depth > 0 ? 8 : 4);
  if (roll === 0) return random.pick([null, true, false]);
  if (roll === 1) return random.pick(NUMBERS);
  if (roll <= 3) return randomText(random);
  if (roll <= 5) return random.list(4, () => randomJson(random, depth - 1));
  return randomObject(random, depth);
}

export function randomObject(random: Random, depth: number): JsonObject {
  return Object.fromEntries(random.list(4, () => [randomText(random), randomJson(random, depth - 1)]));
}

/** A text with a few parts removed, doubled, swapped or replaced. `tokens` are what its grammar is made of. */
export function mutateText(random: Random, text: string, tokens: readonly string[]): string {
  let result = text;
  for (let change = random.below(4); change >= 0; change--) {
    const at = random.below(result.length + 1);
    const end = Math.min(result.length, at + 1 + random.below(8));
    switch (random.below(5)) {
      case 0:
        result = result.slice(0, at) + result.slice(end);
        break;
      case 1:
        result = result.slice(0, end) + result.slice(at);
        break;
      case 2:
        result = result.slice(0, at) + random.pick(tokens) + result.slice(at);
        break;
      case 3:
        result = result.slice(0, at) + random.pick(tokens) + result.slice(end);
        break;
      default:
        result = result.slice(0, at) + random.pick(tokens).repeat(1 + random.below(200)) + result.slice(at);
    }
  }
  return result;
}

/** Bytes with bits flipped, parts cut, doubled, or overwritten by extreme numbers. */
export function mutateBytes(random: Random, bytes: Uint8Array): Uint8Array {
  let result = Buffer.from(bytes);
  for (let change = random.below(3); change >= 0; change--) {
    const at = random.below(result.length + 1);
    switch (random.below(5)) {
      case 0:
        if (at < result.length) result[at] = result[at]! ^ (1 << random.below(8));
        break;
      case 1:
        result = result.subarray(0, at);
        break;
      case 2:
        result = Buffer.concat([result.subarray(0, at), result.subarray(random.below(at + 1))]);
        break;
      case 3:
        if (at < result.length) result[at] = random.pick([0, 1, 0x7f, 0x80, 0xff]);
        break;
      default: {
        // A varint of ten bytes: minus one, or the largest number.
        const number = Buffer.from([...new Array<number>(9).fill(0xff), random.pick([0x01, 0x7f, 0x00])]);
        result = Buffer.concat([result.subarray(0, at), number, result.subarray(at)]);
      }
    }
  }
  return result;
}
