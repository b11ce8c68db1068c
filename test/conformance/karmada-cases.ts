// Running recorded cases of the form `{id, input, expected}`, as the Karmada vectors have them.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../../runtime/errors.ts";
import { differences } from "./compare.ts";
import type { CaseResult, Suite } from "./suite.ts";

export interface RecordedCase<Input> {
  readonly id: string;
  readonly tags?: readonly string[];
  readonly input: Input;
  readonly expected?: unknown;
  readonly outcomes?: readonly unknown[];
}

/** What an answer is compared with, after differences of mere form were taken out of both. */
export interface Comparable {
  readonly expected: unknown;
  readonly actual: unknown;
  /** Why the two differed in form; reported with the passed case. */
  readonly deviates?: string;
}

export type Normalize<Input> = (input: Input, expected: unknown, actual: unknown) => Comparable;

/**
 * A suite over one file of cases. `answer` gives our result for an input, or throws. An expected error is met by any
 * error: texts of libraries are not promised. `"<now>"` and `"<uuid>"` in the expectation stand for any text.
 */
export function caseSuite<Input>(file: string, answer: (input: Input) => unknown, normalize?: Normalize<Input>): Suite {
  return {
    async *run({ vectors, only }) {
      // The files are written by us in this form.
      const cases = JSON.parse(readFileSync(join(vectors, file), "utf8")) as readonly RecordedCase<Input>[];
      for (const recorded of cases) {
        if (only !== undefined && recorded.id !== only) continue;
        yield judge(recorded, answer, normalize);
      }
    },
  };
}

/** Whether our answer to a recorded case is the recorded one; `caseSuite` says what may differ. */
export function judge<Input>(
  recorded: RecordedCase<Input>,
  answer: (input: Input) => unknown,
  normalize?: Normalize<Input>,
): CaseResult {
  let actual: unknown;
  try {
    actual = answer(recorded.input);
  } catch (error) {
    actual = { error: messageOf(error), stack: error instanceof Error ? error.stack : undefined };
  }
  const allowed = recorded.outcomes ?? [recorded.expected];
  let details = "";
  for (const expected of allowed) {
    const compared = normalize?.(recorded.input, expected, actual) ?? { expected, actual };
    const found = compare(compared.expected, compared.actual);
    if (found.length === 0) {
      return {
        id: recorded.id,
        passed: true,
        ...(compared.deviates === undefined ? {} : { deviates: compared.deviates }),
      };
    }
    details += `${found.join("\n")}\n`;
  }
  return { id: recorded.id, passed: false, details };
}

function compare(expected: unknown, actual: unknown): string[] {
  const want = asRecord(expected);
  const got = asRecord(actual);
  if (want["error"] !== undefined) {
    if (got["error"] === undefined) return [`expected the error ${JSON.stringify(want["error"])}`];
    const { error: _wanted, ...wantRest } = want;
    const { error: _found, stack: _stack, ...gotRest } = got;
    return differences(wantRest, gotRest);
  }
  if (got["error"] !== undefined) return [`unexpected error: ${String(got["error"])}\n${String(got["stack"])}`];
  const { anyOrder, ...rest } = want;
  if (anyOrder === true) return differences(sortLists(rest), sortLists(got));
  return differences(rest, fillPlaceholders(rest, got));
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : { value };
}

function sortLists(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(record).map(([key, value]) => [
      key,
      Array.isArray(value) ? [...value].sort((a, b) => compareText(stableText(a), stableText(b))) : value,
    ]),
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function stableText(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => compareText(a, b)))
      : inner,
  );
}

/** A copy of `actual` in which texts stand as the placeholder wherever `expected` has one. */
function fillPlaceholders(expected: unknown, actual: unknown): unknown {
  if ((expected === "<now>" || expected === "<uuid>") && typeof actual === "string") return expected;
  if (Array.isArray(expected) && Array.isArray(actual)) {
    return actual.map((item, index) => fillPlaceholders(expected[index], item));
  }
  if (typeof expected === "object" && expected !== null && typeof actual === "object" && actual !== null) {
    const want = expected as Record<string, unknown>;
    return Object.fromEntries(Object.entries(actual).map(([key, value]) => [key, fillPlaceholders(want[key], value)]));
  }
  return actual;
}
