// npm run fuzz -- kustomize [--area NAME] [--cases N] [--seed N] [--show N] [--out DIR]: random kustomizations, built by the
// real kustomize and by us. --show: differences made small (10); --out: writes them as cases of the conformance suite.
import { parseArgs } from "node:util";
import { testSeed } from "../seed.ts";
import { AREAS, ASKED_AREAS } from "./kustomize/areas.ts";
import { buildOurs } from "./kustomize/our-kustomize.ts";
import { printFound, writeCase } from "./kustomize/print.ts";
import { buildReal, findRealKustomize, NO_REAL_KUSTOMIZE } from "./kustomize/real-kustomize.ts";
import { fuzzKustomize } from "./kustomize/run.ts";

/** Answers the exit code. */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      area: { type: "string" },
      cases: { type: "string", default: "2000" },
      seed: { type: "string", default: String(testSeed()) },
      show: { type: "string", default: "10" },
      out: { type: "string" },
    },
  });
  const areas =
    values.area === undefined ? AREAS : [...AREAS, ...ASKED_AREAS].filter(({ name }) => name === values.area);
  const [cases, seed, mostShown] = [Number(values.cases), Number(values.seed), Number(values.show)];
  if (areas.length === 0 || ![cases, seed, mostShown].every((number) => Number.isInteger(number) && number >= 0)) {
    process.stderr.write(
      `areas: ${[...AREAS, ...ASKED_AREAS].map(({ name }) => name).join(", ")}; --cases, --seed and --show are numbers\n`,
    );
    return 2;
  }
  const program = findRealKustomize();
  if (program === undefined) {
    process.stdout.write(`skipped: ${NO_REAL_KUSTOMIZE}\n`);
    return 0;
  }
  process.stdout.write(`# kustomize: ${areas.map(({ name }) => name).join(", ")}; --seed ${seed}\n`);
  const report = await fuzzKustomize({
    areas,
    cases,
    seed,
    mostShown,
    real: (input) => buildReal(program, input),
    ours: buildOurs,
    onFound(found) {
      process.stdout.write(printFound(found));
      if (values.out !== undefined) writeCase(values.out, found);
    },
  });
  const { passed, failed, refused, undecided } = report;
  process.stdout.write(`${refused} refused by both, ${undecided} that kustomize answers by accident or dies of\n`);
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  return failed > 0 ? 1 : 0;
}
