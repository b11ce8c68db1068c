import { statSync } from "node:fs";
import { relative, resolve } from "node:path";
import { emitYaml } from "../../../renderers/kustomize/emit.ts";
import { render } from "../../../renderers/render.ts";
import { AppError } from "../../../runtime/errors.ts";
import { DirectoryTree } from "../../../sources/directory.ts";
import { type Command, EXIT, OUTPUT_OPTION, stringOption, UsageError } from "../command.ts";
import { print } from "../output.ts";
import { sourceRoot } from "../source-folder.ts";
import { describeProblems, toRenderedFile } from "../sync-renderer.ts";

export const renderCommand: Command = {
  name: "render",
  summary: "print the objects that a folder renders to",
  usage: "[PATH] [--renderer auto|plain|kustomize]",
  description:
    "Renders a folder as a Sync would and prints the objects as YAML, without a control plane. Kustomizations may refer to folders above PATH as long as they stay inside --root.",
  options: {
    renderer: { type: "string", value: "NAME", help: "auto, plain or kustomize (default: auto)" },
    root: {
      type: "string",
      value: "FOLDER",
      help: "the source's root (default: the nearest folder above PATH with .git, else PATH)",
    },
    check: { type: "boolean", help: "also check the objects of known kinds; exit 1 when one is invalid" },
    ...OUTPUT_OPTION,
  },
  examples: [
    ["render apps/shop", "what would be applied"],
    ["render apps/shop --check", "and whether it is valid"],
  ],
  run: async (invocation) => {
    const { io } = invocation;
    const path = resolve(io.cwd, invocation.positionals[0] ?? ".");
    const renderer = stringOption(invocation, "renderer") ?? "auto";
    if (renderer !== "auto" && renderer !== "plain" && renderer !== "kustomize")
      throw new UsageError(`there is no renderer "${renderer}"`);
    if (!isFolder(path)) throw new AppError("render-path-missing", `${path} is no folder`, { recovery: "stall" });
    const flag = stringOption(invocation, "root");
    const root = flag === undefined ? (sourceRoot(path) ?? path) : resolve(io.cwd, flag);
    const result = render(new DirectoryTree(root), relative(root, path), { renderer });
    for (const warning of result.warnings) io.err(`warning: ${warning.message}\n`);
    let invalid = 0;
    if (invocation.values["check"] === true) {
      for (const { object, origin } of result.objects.map(toRenderedFile)) {
        const problem = describeProblems(object);
        if (problem === undefined) continue;
        invalid++;
        io.err(`${origin}: ${problem}\n`);
      }
    }
    const objects = result.objects.map((rendered) => rendered.object);
    print(invocation, objects, () => emitYaml(objects));
    return invalid > 0 ? EXIT.failed : EXIT.ok;
  },
};

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
