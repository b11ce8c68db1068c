// Limits on what changes may make of objects, so that no repository can blow up the stack or the memory.

import { renderError } from "../../errors.ts";

/** Steps of a field path; a longer one would make an object that is nested too deep to print. */
const MOST_STEPS = 1000;
/** Maps, lists and scalars that one change may copy: copies into their own midst double each time. */
const MOST_COPIED = 1_000_000;
/** Characters of a text that a change makes. */
const MOST_CHARACTERS = 16 * 1024 * 1024;

/** Throws `render-too-large` for a path with too many steps. */
export function checkSteps(steps: number): void {
  if (steps <= MOST_STEPS) return;
  throw renderError("render-too-large", `a field path has ${steps} steps, more than ${MOST_STEPS}`);
}

/** Throws `render-too-large` for a text that is too long. */
export function checkCharacters(text: string): void {
  if (text.length <= MOST_CHARACTERS) return;
  throw renderError("render-too-large", `a value has ${text.length} characters, more than ${MOST_CHARACTERS}`);
}

/** What copying `value` costs, added to the cost so far. Throws `render-too-large` once that is too much. */
export function countCopied(value: unknown, before = 0): number {
  const pending = [value];
  let count = before;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    count += 1;
    if (count > MOST_COPIED) {
      throw renderError(
        "render-too-large",
        `more than ${MOST_COPIED} values are copied; do they hold their own copies?`,
      );
    }
    const items = Array.isArray(next)
      ? next
      : next instanceof Map
        ? next.values()
        : isPlain(next)
          ? Object.values(next)
          : [];
    for (const item of items) pending.push(item);
  }
  return count;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
