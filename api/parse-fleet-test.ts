// Reads a file of fleet tests. Everything that is wrong with it is told at once, with line and field.
import { isObject } from "../kube/object.ts";
import { compileRegex } from "../kube/regex/regex.ts";
import { RegexError } from "../kube/regex/syntax.ts";
import { parseYaml, parseYamlNodes } from "../kube/yaml.ts";
import { type TextPosition, TextPositions } from "../kube/yaml-position.ts";
import { AppError } from "../runtime/errors.ts";
import { FLEET_TEST_VERSION, type FleetTestCase, fleetTestSchema } from "./fleet-test.ts";
import { type SchemaProblem, schemaProblems, withoutNulls } from "./schema-problems.ts";

/** A test, and the line of its name. */
export interface ParsedFleetTest {
  readonly test: FleetTestCase;
  readonly line: number;
}

export interface FleetTestProblem extends TextPosition {
  /** `tests[0].expect.replica`; empty for the file itself. */
  readonly field: string;
  readonly words: string;
}

/** Either the tests of a file, or what is wrong with it, in the order of the text. Never throws for what it holds. */
export type ParsedFleetTests =
  | { readonly tests: readonly ParsedFleetTest[]; readonly problems?: never }
  | { readonly tests?: never; readonly problems: readonly FleetTestProblem[] };

/** A file with more is not one with slips; whoever mends these finds the others. */
const MOST_PROBLEMS = 100;

export function parseFleetTests(text: string, file: string): ParsedFleetTests {
  let value: unknown;
  let place: (field: string) => TextPosition;
  try {
    value = parseYaml(text, { file });
    const root = parseYamlNodes(text, { file })[0]?.node;
    const positions = new TextPositions(text);
    place = (field) => (root === undefined ? { line: 1, column: 1 } : positions.ofField(root, field));
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const line = error.details["line"];
    return { problems: [{ line: typeof line === "number" ? line : 1, column: 1, field: "", words: error.message }] };
  }
  const problems = problemsOf(value);
  if (problems.length > 0) {
    const told = problems.slice(0, MOST_PROBLEMS).map((problem) => ({ ...place(problem.field), ...problem }));
    return { problems: told.sort((a, b) => a.line - b.line || a.column - b.column) };
  }
  const { tests } = fleetTestSchema.parse(withoutNulls(value, fleetTestSchema));
  return { tests: tests.map((test, at) => ({ test, line: place(`tests[${at}].name`).line })) };
}

function problemsOf(value: unknown): readonly SchemaProblem[] {
  if (!isObject(value)) return [{ field: "", words: "the file must hold one object, a FleetTest" }];
  if (value["kind"] === undefined && value["apiVersion"] === undefined)
    return [{ field: "", words: `is no FleetTest: it needs apiVersion: ${FLEET_TEST_VERSION} and kind: FleetTest` }];
  const bySchema = schemaProblems(fleetTestSchema, value);
  // Of a file of another kind, no more is said than that.
  const ofKind = bySchema.filter(({ field }) => field === "apiVersion" || field === "kind");
  if (ofKind.length > 0) return ofKind;
  // What lacks something because that was misspelt is told of once.
  const told = bySchema.filter(
    ({ field, words }) =>
      !/^(?:needs|expects)\b/.test(words) || !bySchema.some((other) => other.field.startsWith(`${field}.`)),
  );
  return told.length > 0 ? told : badExpressions(value);
}

function badExpressions(value: unknown): readonly SchemaProblem[] {
  const { tests } = fleetTestSchema.parse(withoutNulls(value, fleetTestSchema));
  return tests.flatMap(({ expect }, at) =>
    (expect.fields ?? []).flatMap(({ matches }, index): SchemaProblem[] => {
      const regex = matches === undefined ? undefined : compileRegex(matches);
      if (!(regex instanceof RegexError)) return [];
      const field = `tests[${at}].expect.fields[${index}].matches`;
      return [{ field, words: `is no regular expression: ${regex.message}` }];
    }),
  );
}
