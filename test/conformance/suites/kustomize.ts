// Each case is a folder: `input/` with a kustomization, `case.json`, and the exact output (`expected.yaml`) or the category of
// failure (`expected-error.txt`). `deprecations` of case.json names the fields that kustomize warns about. Cases are those of
// vectors/kustomize, or what ../differential/kustomize-harvest/record makes of kustomize's own tests.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { FileSystemTree } from "../../../sources/file-system.ts";
import { compareTexts, type Outcome } from "../../fuzz/kustomize/comparison.ts";
import { buildTree, optionsOf } from "../../fuzz/kustomize/our-kustomize.ts";
import { type CaseResult, isChosen, type Suite, type SuiteOptions } from "../suite.ts";

interface Case {
  readonly path: string;
  readonly args?: readonly string[];
  readonly deprecations?: readonly string[];
  /** Why we answer otherwise on purpose. */
  readonly deviates?: string;
}

export const suite: Suite = {
  async *run(options: SuiteOptions): AsyncIterable<CaseResult> {
    const ids = readdirSync(options.vectors, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && existsSync(join(options.vectors, entry.name, "case.json")))
      .map((entry) => entry.name)
      .filter((id) => isChosen(id, options.only))
      .sort();
    for (const id of ids) yield runCase(id, join(options.vectors, id));
  },
};

function runCase(id: string, folder: string): CaseResult {
  // The suite's own format, written by its recorders.
  const recorded = JSON.parse(readFileSync(join(folder, "case.json"), "utf8")) as Case;
  const input = join(folder, "input");
  const errorFile = join(folder, "expected-error.txt");
  const expectedError = existsSync(errorFile) ? readFileSync(errorFile, "utf8").trim() : undefined;
  // As the command line reads a folder: what leads out of it is looked for where it leads.
  const tree = new FileSystemTree(input);
  const path = tree.pathOf(resolve(input, recorded.path));
  const outcome = buildTree(tree, path, { ...optionsOf(recorded.args ?? []), absoluteRoot: tree.absolute("") });
  const problem =
    expectedError === undefined
      ? outputProblem(outcome, readFileSync(join(folder, "expected.yaml"), "utf8"))
      : errorProblem(outcome, expectedError);
  const details = problem ?? warningsProblem(outcome, recorded);
  if (details === undefined) return { id, passed: true };
  if (recorded.deviates !== undefined) return { id, passed: true, deviates: recorded.deviates };
  return { id, passed: false, details };
}

function errorProblem({ failure }: Outcome, expected: string): string | undefined {
  if (failure?.category === expected) return undefined;
  const got = failure === undefined ? "a successful build" : `${failure.category}: ${failure.message}`;
  return `expected the failure ${expected}, got ${got}`;
}

function outputProblem({ failure, output }: Outcome, expected: string): string | undefined {
  if (failure !== undefined) return `${failure.category}: ${failure.message}`;
  return compareTexts("output", expected, output ?? "")?.text;
}

function warningsProblem({ warnings }: Outcome, { deprecations }: Case): string | undefined {
  // A recorder that looked at output alone says nothing of warnings.
  if (deprecations === undefined) return undefined;
  const expected = [...new Set(deprecations)].sort().join(", ");
  const got = [...new Set((warnings ?? []).map((text) => /^'(\w+)' is deprecated/.exec(text)?.[1] ?? text))].sort();
  if (got.join(", ") === expected) return undefined;
  return `expected warnings about ${expected || "nothing"}, got ${got.join(", ") || "none"}`;
}
