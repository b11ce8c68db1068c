// A few seconds of `npm run fuzz -- kustomize`, where the real program is there, and what its runner needs to be right about.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { testSeed } from "../seed.ts";
import { AREAS } from "./kustomize/areas.ts";
import { errorCategory } from "./kustomize/error-category.ts";
import { buildOurs } from "./kustomize/our-kustomize.ts";
import { printFound } from "./kustomize/print.ts";
import { buildReal, findRealKustomize, NO_REAL_KUSTOMIZE, runKustomize } from "./kustomize/real-kustomize.ts";
import { fuzzKustomize } from "./kustomize/run.ts";

const program = findRealKustomize();
const seed = testSeed();
const cases = Number(process.env["TEST_CASES"] ?? 60);

describe.skipIf(program === undefined)(
  program === undefined ? `kustomize, skipped: ${NO_REAL_KUSTOMIZE}` : `kustomize beside ours (seed ${seed})`,
  () => {
    it("builds what the areas make to the same bytes, and refuses it for the same reason", {
      timeout: 120_000,
    }, async () => {
      const real = (input: Parameters<typeof buildOurs>[0]) => buildReal(program!, input);

      const { found, failed } = await fuzzKustomize({ areas: AREAS, cases, seed, real, ours: buildOurs, mostShown: 3 });

      expect(found.map(printFound).join("\n")).toBe("");
      expect(failed).toBe(0);
    });

    it("fails with messages of the recorded categories", { timeout: 60_000 }, async () => {
      const vectors = join(import.meta.dirname, "..", "conformance", "vectors", "kustomize");
      const failures = readdirSync(vectors).filter((name) =>
        readdirSync(join(vectors, name)).includes("expected-error.txt"),
      );
      const wrong: string[] = [];
      for (const name of failures) {
        const folder = join(vectors, name);
        const expected = readFileSync(join(folder, "expected-error.txt"), "utf8").trim();
        // The format of the vectors.
        const { path, args } = JSON.parse(readFileSync(join(folder, "case.json"), "utf8")) as {
          path: string;
          args?: string[];
        };
        const { stderr } = await runKustomize(program!, join(folder, "input"), path, args ?? []);
        if (errorCategory(stderr) !== expected)
          wrong.push(`${name}: ${expected}, not ${errorCategory(stderr)}: ${stderr}`);
      }

      expect(wrong).toEqual([]);
      expect(failures.length).toBeGreaterThan(80);
    });
  },
);
