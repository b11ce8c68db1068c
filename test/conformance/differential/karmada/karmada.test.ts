import { afterAll, describe, expect, it } from "vitest";
import { testSeed } from "../../../seed.ts";
import { compareOperation } from "./comparison.ts";
import { OPERATIONS } from "./operations.ts";
import { findOracle, Oracle } from "./oracle.ts";

// Only where it is asked for by name: the program's answers are recorded in vectors/oracle for every other run.
const path = process.env["KARMADA_ORACLE"] === undefined ? undefined : findOracle();
const SEED = testSeed();
const CASES = Number(process.env["TEST_CASES"] ?? 100);

if (path === undefined) {
  console.info("skipped: KARMADA_ORACLE names no program made by test/conformance/differential/karmada-oracle/build");
}

describe.skipIf(path === undefined)(`the real Karmada (seed ${SEED})`, () => {
  const oracle = path === undefined ? undefined : new Oracle(path);
  afterAll(() => oracle?.close());

  it.each(Object.keys(OPERATIONS))("answers as we do: %s", { timeout: 300_000 }, async (name) => {
    const operation = OPERATIONS[name];
    if (oracle === undefined || operation === undefined) throw new Error("nobody to ask");
    const differences: string[] = [];
    let passed = 0;
    for await (const { id, outcome } of compareOperation(oracle, name, operation, { seed: SEED, cases: CASES })) {
      if (outcome.kind === "failed") differences.push(`${id}: ${outcome.details}`);
      if (outcome.kind === "passed") passed++;
    }

    expect(differences).toEqual([]);
    expect(passed).toBeGreaterThan(CASES / 2);
  });
});
