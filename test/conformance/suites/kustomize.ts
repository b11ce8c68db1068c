// Each case is a folder: `input/` with a kustomization, `case.json`, and the exact output or the category of failure.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { emitYaml } from "../../../renderers/kustomize/emit.ts";
import { type KustomizeOptions, renderKustomization } from "../../../renderers/kustomize/render.ts";
import { AppError } from "../../../runtime/errors.ts";
import { DirectoryTree } from "../../../sources/directory.ts";
import type { CaseResult, Suite, SuiteOptions } from "../suite.ts";

interface Case {
  readonly path: string;
  readonly args?: readonly string[];
}

export const suite: Suite = {
  async *run(options: SuiteOptions): AsyncIterable<CaseResult> {
    const ids = readdirSync(options.vectors, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && existsSync(join(options.vectors, entry.name, "case.json")))
      .map((entry) => entry.name)
      .filter((id) => options.only === undefined || id === options.only)
      .sort();
    for (const id of ids) yield runCase(id, join(options.vectors, id));
  },
};

function runCase(id: string, folder: string): CaseResult {
  // The suite's own format, written by its recorder.
  const { path, args } = JSON.parse(readFileSync(join(folder, "case.json"), "utf8")) as Case;
  const errorFile = join(folder, "expected-error.txt");
  const expectedError = existsSync(errorFile) ? readFileSync(errorFile, "utf8").trim() : undefined;
  const outcome = build(join(folder, "input"), path, optionsOf(args ?? []));
  if (expectedError !== undefined) {
    if (outcome.error?.code === `render-${expectedError}`) return { id, passed: true };
    const got = outcome.error === undefined ? "a successful build" : `${outcome.error.code}: ${outcome.error.message}`;
    return { id, passed: false, details: `expected the failure ${expectedError}, got ${got}` };
  }
  if (outcome.error !== undefined) {
    return { id, passed: false, details: `${outcome.error.code}: ${outcome.error.message}` };
  }
  const expected = readFileSync(join(folder, "expected.yaml"), "utf8");
  if (expected === outcome.text) return { id, passed: true };
  return { id, passed: false, details: firstDifference(expected, outcome.text ?? "") };
}

function build(input: string, path: string, options: KustomizeOptions): { text?: string; error?: AppError } {
  try {
    const tree = new DirectoryTree(input);
    return { text: emitYaml(renderKustomization(tree, path, options).objects.map(({ object }) => object)) };
  } catch (error) {
    if (error instanceof AppError) return { error };
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { error: new AppError("bug", message, { recovery: "stall" }) };
  }
}

function optionsOf(args: readonly string[]): KustomizeOptions {
  const argumentOf = (flag: string): string | undefined => args[args.indexOf(flag) + 1];
  return {
    allowFilesOutsideRoot:
      args.includes("--load-restrictor") && argumentOf("--load-restrictor") === "LoadRestrictionsNone",
    order: args.includes("--reorder") && argumentOf("--reorder") === "none" ? "none" : "legacy",
  };
}

function firstDifference(expected: string, actual: string): string {
  const left = expected.split("\n");
  const right = actual.split("\n");
  const at = left.findIndex((line, index) => line !== right[index]);
  const line = at < 0 ? left.length : at;
  const show = (lines: readonly string[]): string => lines.slice(Math.max(line - 2, 0), line + 4).join("\n");
  return `differs from line ${line + 1}\nexpected:\n${show(left)}\ngot:\n${show(right)}`;
}
