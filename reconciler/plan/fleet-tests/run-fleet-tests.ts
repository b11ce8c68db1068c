// Runs fleet tests on where everything goes in a world.
import type { FleetTestCase } from "../../../api/fleet-test.ts";
import type { TestResult } from "../../../api/plan-report.ts";
import { refKey } from "../../../kube/object.ts";
import { Turn } from "../../../runtime/turn.ts";
import type { Loss } from "../possible-losses.ts";
import { ReplicaMinima } from "../replica-minimum.ts";
import type { Outcome } from "../river.ts";
import { Survivals } from "../what-if.ts";
import type { World } from "../world.ts";
import { type Failure, failuresOf, nameOf, type Subject, type TestedFleet } from "./expectations.ts";
import { objectsText, selectsObject } from "./patterns.ts";
import type { FleetTestFile } from "./test-files.ts";

/** The world that tests are run on. */
export interface TestedWorld extends Pick<TestedFleet, "policyOrigin" | "originOf"> {
  readonly world: Pick<World, "clusters" | "templates" | "budgets">;
  readonly outcomes: ReadonlyMap<string, Outcome>;
  readonly now: number;
}

export interface TestLimits {
  /** Tests that are run; the others are skipped. */
  readonly tests: number;
  /** Lines of detail of one test. */
  readonly details: number;
  /** Asked before each test: true when there is no more time. */
  readonly isOver: () => boolean;
}

export const DEFAULT_TEST_LIMITS: TestLimits = { tests: 2000, details: 20, isOver: () => false };

/** Stands for the tests of a file that cannot be read. */
const UNREADABLE = "the file can be read";

/** One result for each test, in order; for a file that cannot be read, one for each thing that is wrong with it. */
export async function runFleetTests(
  files: readonly FleetTestFile[],
  tested: TestedWorld,
  limits: TestLimits = DEFAULT_TEST_LIMITS,
): Promise<TestResult[]> {
  const turn = new Turn();
  const run = new TestRun(tested, limits);
  const results: TestResult[] = [];
  for (const { file, parsed } of files) {
    for (const { line, column, field, words } of parsed.problems ?? []) {
      const message = `${file}:${line}:${column}: ${field === "" ? "" : `${field}: `}${words}`;
      results.push({ name: UNREADABLE, place: { file, line }, outcome: "failed", message });
    }
    for (const { test, line } of parsed.tests ?? []) {
      if (turn.isOver) await turn.next();
      const place = { file, line };
      const { name } = test;
      if (results.length >= limits.tests)
        results.push({ name, place, outcome: "skipped", message: `more than ${limits.tests} tests are not run` });
      else if (limits.isOver()) results.push({ name, place, outcome: "skipped", message: "there was no more time" });
      else results.push({ name, place, ...run.resultOf(test) });
    }
  }
  return results;
}

/** How each test ended before the change, beside how it ends now. Files are compared as they are now. */
export function withBase(now: readonly TestResult[], before: readonly TestResult[]): TestResult[] {
  return now.map((result, at) => {
    const base = before[at];
    return base === undefined || base.name !== result.name || result.name === UNREADABLE
      ? result
      : { ...result, base: base.outcome };
  });
}

class TestRun {
  readonly #limits: TestLimits;
  readonly #fleet: TestedFleet;
  readonly #outcomes: ReadonlyMap<string, readonly Outcome[]>;

  constructor(tested: TestedWorld, limits: TestLimits) {
    const { world, outcomes, now, originOf, policyOrigin } = tested;
    this.#limits = limits;
    const survivals = new Map<string, Survivals>();
    let minima: ReplicaMinima | undefined;
    this.#fleet = {
      clusters: world.clusters,
      originOf,
      ...(policyOrigin === undefined ? {} : { policyOrigin }),
      minimum: ({ template }, replicas) => {
        minima ??= new ReplicaMinima(world);
        return minima.of(template, replicas);
      },
      survival: ({ binding }: Outcome, { what, name, clusters }: Loss) => {
        const key = `${what} ${name}`;
        let known = survivals.get(key);
        if (known === undefined) {
          known = new Survivals(world.clusters, now);
          known.lose(new Set(clusters));
          survivals.set(key, known);
        }
        return known.of(binding);
      },
    };
    this.#outcomes = Map.groupBy(outcomes.values(), ({ ref }) => ref.kind);
  }

  resultOf(test: FleetTestCase): Pick<TestResult, "outcome" | "message" | "details"> {
    if (test.skip !== undefined) return { outcome: "skipped", message: test.skip || "it says so" };
    const outcomes = (this.#outcomes.get(test.objects.kind) ?? [])
      .filter(({ template }) => selectsObject(test.objects, template))
      .sort((a, b) => (refKey(a.ref) < refKey(b.ref) ? -1 : 1));
    if (outcomes.length === 0) {
      if (test.expect.absent === true) return { outcome: "passed" };
      return { outcome: "failed", message: `there is no ${objectsText(test.objects)}` };
    }
    const unknown = outcomes.find((outcome) => outcome.unknown !== undefined);
    if (unknown !== undefined)
      return { outcome: "skipped", message: `where ${nameOf(unknown)} goes is not known: ${unknown.unknown}` };
    const failures = subjectsOf(test, outcomes).flatMap((subject) => failuresOf(test.expect, subject, this.#fleet));
    return this.#resultWith(failures);
  }

  #resultWith(failures: readonly Failure[]): Pick<TestResult, "outcome" | "message" | "details"> {
    const [first, ...others] = failures;
    if (first === undefined) return { outcome: "passed" };
    const lines = [...first.details, ...others.flatMap(({ words, details }) => [`${words}`, ...details])];
    const most = this.#limits.details;
    const details = lines.length > most ? [...lines.slice(0, most), `and ${lines.length - most} more lines`] : lines;
    const more = others.length === 0 ? "" : `, and ${others.length} more`;
    return {
      outcome: "failed",
      message: `${first.words}${more}`,
      ...(details.length === 0 ? {} : { details }),
    };
  }
}

function subjectsOf({ each, objects }: FleetTestCase, outcomes: readonly Outcome[]): readonly Subject[] {
  if (each) return outcomes.map((outcome) => ({ name: nameOf(outcome), outcomes: [outcome] }));
  const [only] = outcomes;
  if (outcomes.length === 1 && only !== undefined) return [{ name: nameOf(only), outcomes }];
  return [{ name: `every ${objectsText(objects)} together`, outcomes }];
}
