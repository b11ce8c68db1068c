// Our own build of an input of the fuzz, as the command line does it, and beside a cache of other builds.

import { HelmProgram } from "../../../reconciler/charts/helm-program.ts";
import type { ChartInflator } from "../../../renderers/kustomize/generators/helm-charts.ts";
import { type KustomizeOptions, renderKustomization } from "../../../renderers/kustomize/render.ts";
import { RenderCache } from "../../../renderers/kustomize/render-cache.ts";
import { emitYaml } from "../../../renderers/kustomize/resources/emit.ts";
import type { TreeFiles } from "../../../renderers/memory-tree.ts";
import { MemoryTree } from "../../../renderers/memory-tree.ts";
import type { RenderWarning } from "../../../renderers/rendered.ts";
import { AppError } from "../../../runtime/errors.ts";
import type { SourceTree } from "../../../sources/tree.ts";
import { programPath } from "../../find-program.ts";
import type { GeneratedKustomization } from "./area.ts";
import { BUG, type Outcome } from "./comparison.ts";

/** Builds one input with our renderer; a bug when what an earlier build left in a cache changes the answer. */
export function buildOurs(input: GeneratedKustomization): Outcome {
  const options = optionsOf(input.args ?? []);
  const plain = buildTree(new MemoryTree(input.files), input.path, options);
  const cache = new RenderCache();
  for (const files of [changed(input.files, 0), changed(input.files, 1)]) {
    buildTree(new MemoryTree(files), input.path, { ...options, cache });
  }
  const again = buildTree(new MemoryTree(input.files), input.path, { ...options, cache, fieldOrigins: true });
  const isSame =
    again.output === plain.output &&
    again.failure?.message === plain.failure?.message &&
    again.warnings?.join("\n") === plain.warnings?.join("\n");
  if (isSame || plain.failure?.category === BUG) return plain;
  const message = `another answer with a cache:\n${again.output ?? again.failure?.message}\ninstead of\n${plain.output ?? plain.failure?.message}`;
  return { failure: { category: BUG, message }, warnings: undefined };
}

/** Every second file with other names in it, as an earlier revision might have been. */
function changed(files: TreeFiles, parity: number): TreeFiles {
  return Object.fromEntries(
    Object.entries(files).map(([path, content], index) => [
      path,
      typeof content === "string" && index % 2 === parity
        ? content.replaceAll("app", "web").replaceAll("dev", "qa")
        : content,
    ]),
  );
}

/** Builds a directory of a tree to what the command line prints. */
export function buildTree(tree: SourceTree, path: string, options: KustomizeOptions): Outcome {
  const warnings: RenderWarning[] = [];
  const texts = (): string[] =>
    warnings.filter(({ code }) => code === "deprecated-field").map(({ message }) => message);
  try {
    const { objects } = renderKustomization(tree, path, { ...options, warnings });
    return { output: emitYaml(objects.map(({ object }) => object)), warnings: texts() };
  } catch (error) {
    if (error instanceof AppError) {
      return { failure: { category: error.code.replace(/^render-/, ""), message: error.message }, warnings: texts() };
    }
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { failure: { category: BUG, message }, warnings: texts() };
  }
}

/** The options that flags of `kustomize build` stand for. Throws for a flag that nobody knows. */
export function optionsOf(args: readonly string[]): KustomizeOptions {
  const options: { -readonly [Key in keyof KustomizeOptions]: KustomizeOptions[Key] } = {};
  const rest = args.flatMap((arg) => (arg.startsWith("--") && arg.includes("=") ? splitFlag(arg) : [arg]));
  for (let at = 0; at < rest.length; at++) {
    const flag = rest[at]!;
    if (flag === "--load-restrictor") options.allowFilesOutsideRoot = rest[++at] === "LoadRestrictionsNone";
    else if (flag === "--reorder") options.order = rest[++at] === "none" ? "none" : "legacy";
    else if (flag === "--enable-managedby-label") options.managedByLabel = true;
    else if (flag === "--enable-helm") options.charts = charts;
    // Plugins that are programs are not run here, whatever the flag.
    else if (!["--enable-alpha-plugins", "--enable-exec"].includes(flag)) {
      throw new Error(`the flag ${flag} is not known here`);
    }
  }
  return options;
}

const helm = new HelmProgram({ environment: { PATH: programPath() } });
const inflated = new Map<string, string>();

/** The real helm, which is asked once for what several builds of one input want. */
const charts: ChartInflator = {
  pull: (request) => helm.blocking.pull(request),
  inflate(request) {
    const key = JSON.stringify([
      request,
      [...request.files].map(([path, bytes]) => [path, Buffer.from(bytes).toString()]),
    ]);
    const text = inflated.get(key) ?? helm.blocking.inflate(request);
    inflated.clear();
    inflated.set(key, text);
    return text;
  },
};

function splitFlag(arg: string): string[] {
  const at = arg.indexOf("=");
  return [arg.slice(0, at), arg.slice(at + 1)];
}
