import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { stringifyJson } from "../../../kube/json.ts";
import { stringifyYaml } from "../../../kube/yaml.ts";
import type { ChartInflator } from "../../../renderers/kustomize/generators/helm-charts.ts";
import { KUSTOMIZATION_FILES } from "../../../renderers/kustomize/kustomization/kustomization.ts";
import type { RemoteContents } from "../../../renderers/kustomize/loading/remote.ts";
import { renderKustomization } from "../../../renderers/kustomize/render.ts";
import { emitYaml } from "../../../renderers/kustomize/resources/emit.ts";
import { joinPath, PathResolver } from "../../../renderers/paths.ts";
import { renderingRemotes } from "../../../renderers/remote-render.ts";
import type { ObjectHistory, RenderedObject, RenderWarning } from "../../../renderers/rendered.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import type { RemoteBases } from "../../../sources/remote-bases.ts";
import { booleanOption, type Command, EXIT, type Invocation, type Io, stringOption, UsageError } from "../command.ts";
import { REMOTE_OPTIONS, withRemoteBases } from "../remote-settings.ts";
import {
  BUILD_OPTIONS,
  type BuildFlags,
  flagNotices,
  type HelmFlags,
  meansKustomization,
  readBuildFlags,
} from "../rendering/build-flags.ts";
import {
  type GitPlace,
  namePaths,
  openFolder,
  openRevision,
  type RenderSource,
  readRepositoryAddress,
  withKustomization,
} from "../rendering/render-source.ts";
import { sourceRoot } from "../source-root.ts";

export const renderCommand: Command = {
  name: "render",
  summary: "print the objects that a folder renders to, as kustomize build does",
  usage: "[PATH|-] [-o PATH] [-f FILE|-] [--git REPOSITORY [--ref REF]] [--renderer auto|plain|kustomize]",
  description:
    "Renders a folder and prints its objects, without a control plane. Of a folder with a kustomization the output, the warnings and the flags are those of `kustomize build`; another folder is rendered as a Sync does. With --git, PATH is a folder of a revision, which needs no checkout; PATH may also be the address of a repository as kustomize has it. PATH `-` takes the kustomization from the standard input, for the current folder.",
  options: {
    ...BUILD_OPTIONS,
    ...REMOTE_OPTIONS,
    kustomization: {
      type: "string",
      short: "f",
      value: "FILE|-",
      help: "the kustomization of PATH, in place of the one there; - is the standard input",
    },
    git: { type: "string", value: "REPOSITORY", help: "render a revision of this repository: an address or a path" },
    ref: { type: "string", value: "REF", help: "branch, tag or commit (default: the default branch, or HEAD)" },
    renderer: {
      type: "string",
      value: "NAME",
      help: "plain, kustomize or auto: by whether PATH has a kustomization, or a flag asks for one (default: auto)",
    },
    root: {
      type: "string",
      value: "FOLDER",
      help: "read nothing outside of this folder, as a Sync reads only its source",
    },
    format: { type: "string", value: "yaml|json", help: "json: one List (default: yaml)" },
    origins: {
      type: "string",
      value: "objects|fields",
      help: "print who wrote each object, or each field, instead of the objects (with --format: as data)",
    },
    check: { type: "boolean", help: "also check the objects of known kinds; exit 1 when one is invalid" },
  },
  examples: [
    ["render overlays/production", "what kustomize build overlays/production prints"],
    ["render apps/shop --check", "what would be applied, and whether it is valid"],
    ["render --git . --ref v1.4 deploy", "a folder of a tag of this repository"],
    ["render https://github.com/acme/shop//deploy?ref=v1.4", "and of one elsewhere"],
    ["render overlays/production --origins fields", "which file, patch or transformer wrote each field"],
    ["render - < kustomization.yaml", "a kustomization from elsewhere, on the files here"],
  ],
  // As kustomize, which knows one code for everything that goes wrong.
  usageExit: EXIT.failed,
  run: async (invocation) => {
    const { io } = invocation;
    for (const notice of flagNotices(invocation)) io.err(`${notice}\n`);
    const wishes = readWishes(invocation);
    const source = await openSource(invocation, wishes);
    try {
      const rendered = await withRemoteBases(invocation, (remotes) =>
        renderSource(source, wishes, invocation, remotes),
      );
      const isValid = !wishes.check || (await check(rendered.objects, source, io));
      await write(rendered, source, wishes, io);
      return isValid ? EXIT.ok : EXIT.failed;
    } catch (error) {
      throw namePaths(error, source);
    } finally {
      source.close();
    }
  },
};

interface Wishes {
  readonly build: BuildFlags;
  readonly renderer: "auto" | "plain" | "kustomize";
  readonly format: "yaml" | "json" | undefined;
  readonly origins: "objects" | "fields" | undefined;
  readonly check: boolean;
}

function readWishes(invocation: Invocation): Wishes {
  if (invocation.positionals.length > 1) throw new UsageError("specify one folder");
  const renderer = stringOption(invocation, "renderer") ?? (meansKustomization(invocation) ? "kustomize" : "auto");
  if (renderer !== "auto" && renderer !== "plain" && renderer !== "kustomize")
    throw new UsageError(`there is no renderer "${renderer}"`);
  const format = stringOption(invocation, "format");
  if (format !== undefined && format !== "yaml" && format !== "json")
    throw new UsageError(`--format takes yaml or json, not "${format}"`);
  const build = readBuildFlags(invocation);
  // What -o means for every other command would make a file of that name here.
  if (build.output === "json" || build.output === "yaml")
    throw new UsageError(`-o takes a path: for data use --format ${build.output}, for a file -o ./${build.output}`);
  const origins = stringOption(invocation, "origins");
  if (origins !== undefined && origins !== "objects" && origins !== "fields")
    throw new UsageError(`--origins takes objects or fields, not "${origins}"`);
  return { build, renderer, format, origins, check: booleanOption(invocation, "check") };
}

async function openSource(invocation: Invocation, { renderer }: Wishes): Promise<RenderSource> {
  const { io, positionals, signal } = invocation;
  const isInput = positionals[0] === "-";
  const path = isInput ? "." : (positionals[0] ?? ".");
  const root = stringOption(invocation, "root");
  const place = readGitPlace(invocation, path);
  if (place !== undefined && root !== undefined) throw new UsageError("--root is for folders, not for repositories");
  const kustomization = stringOption(invocation, "kustomization") ?? (isInput ? "-" : undefined);
  if (kustomization !== undefined && renderer === "plain")
    throw new UsageError("-f goes with kustomize, not with plain");
  const isOpen =
    renderer !== "plain" &&
    (renderer === "kustomize" || kustomization !== undefined || hasKustomizationOnDisk(resolve(io.cwd, path)));
  const source =
    place !== undefined
      ? await openRevision(place, io, signal)
      : openFolder(io.cwd, path, root ?? (isOpen ? undefined : (sourceRoot(resolve(io.cwd, path)) ?? path)));
  if (kustomization === undefined) return source;
  const text = await readKustomization(kustomization, io);
  return withKustomization(source, text, kustomization === "-" ? "standard input" : kustomization);
}

function readGitPlace(invocation: Invocation, path: string): GitPlace | undefined {
  const repository = stringOption(invocation, "git");
  const ref = stringOption(invocation, "ref");
  if (repository !== undefined) return { repository, ref, path };
  const place = readRepositoryAddress(path, invocation.io.cwd);
  if (place === undefined && ref !== undefined) throw new UsageError("--ref goes with --git");
  return place === undefined ? undefined : { ...place, ref: ref ?? place.ref };
}

function hasKustomizationOnDisk(folder: string): boolean {
  return KUSTOMIZATION_FILES.some((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.isFile() === true);
}

async function readKustomization(file: string, io: Io): Promise<Uint8Array> {
  if (file === "-") return Buffer.from((await io.readInput?.()) ?? "");
  try {
    return readFileSync(resolve(io.cwd, file));
  } catch (error) {
    throw new AppError("input-unreadable", `${file} cannot be read: ${messageOf(error)}`, {
      recovery: "stall",
      cause: error,
    });
  }
}

interface Rendered {
  readonly objects: readonly RenderedObject[];
  /** For each object, at the same place. */
  readonly origins: readonly ObjectHistory[];
}

/** Renders, and says the warnings: also those of a build that fails. */
async function renderSource(
  source: RenderSource,
  { build, renderer, origins }: Wishes,
  { io, signal }: Invocation,
  remotes: RemoteBases | undefined,
): Promise<Rendered> {
  const isKustomization = renderer === "kustomize" || (renderer === "auto" && hasKustomization(source));
  if (renderer !== "kustomize" && !isKustomization) return renderAsSync(source, renderer, io);
  let warnings: RenderWarning[] = [];
  const charts = build.helm === undefined ? undefined : await openHelm(build.helm, io);
  const attempt = (contents: RemoteContents | undefined): Rendered => {
    // Each attempt says its own.
    warnings = [];
    return renderKustomization(source.tree, source.path, {
      absoluteRoot: source.absoluteRoot,
      remotes: contents,
      charts,
      allowFilesOutsideRoot: build.allowFilesOutsideRoot,
      managedByLabel: build.managedByLabel,
      warnings,
      // Only with these are the lines known in which a kustomization asks for a change.
      fieldOrigins: origins !== undefined,
      ...(build.order === undefined ? {} : { order: build.order }),
    });
  };
  try {
    const rendered = await renderingRemotes(remotes, signal, attempt);
    return origins === "fields"
      ? rendered
      : { ...rendered, origins: rendered.origins.map(({ writers }) => ({ writers })) };
  } finally {
    // The words of kustomize, before which it writes a number sign or the time.
    for (const { code, message } of warnings) io.err(`${code === "deprecated-field" ? "# " : ""}Warning: ${message}\n`);
  }
}

async function openHelm(flags: HelmFlags, io: Io): Promise<ChartInflator> {
  const { HelmProgram } = await import("../../charts/helm-program.ts");
  return new HelmProgram({ ...flags, environment: io.env }).blocking;
}

function hasKustomization({ tree, path, absoluteRoot }: RenderSource): boolean {
  const resolver = new PathResolver(tree, absoluteRoot);
  return KUSTOMIZATION_FILES.some((name) => resolver.resolve(joinPath(path, name) ?? name).type === "file");
}

async function renderAsSync(source: RenderSource, renderer: "auto" | "plain", io: Io): Promise<Rendered> {
  const { render } = await import("../../../renderers/render.ts");
  const { objects, warnings } = render(source.tree, source.path, { renderer });
  if (objects.length === 0) {
    const name = source.describe(source.path);
    throw new AppError("render-nothing", `${name} holds neither a kustomization.yaml nor manifests`, {
      recovery: "stall",
    });
  }
  for (const { message } of warnings) io.err(`warning: ${message}\n`);
  return { objects, origins: objects.map(({ origin }) => ({ writers: [{ by: "File", ...origin }] })) };
}

/** Says what an API server would refuse; false when there is anything. */
async function check(objects: readonly RenderedObject[], source: RenderSource, io: Io): Promise<boolean> {
  const { describeProblems } = await import("../sync-renderer.ts");
  let invalid = 0;
  for (const { object, origin } of objects) {
    const problem = describeProblems(object);
    if (problem === undefined) continue;
    invalid++;
    const line = origin.line === undefined ? "" : `:${origin.line}`;
    io.err(`${source.describe(origin.file)}${line}: ${problem}\n`);
  }
  return invalid === 0;
}

async function write(rendered: Rendered, source: RenderSource, wishes: Wishes, io: Io): Promise<void> {
  const { build, format, origins } = wishes;
  const path = build.output === undefined ? undefined : resolve(io.cwd, build.output);
  if (path !== undefined && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
    if (format === "json" || origins !== undefined)
      throw new UsageError("-o names a folder, which takes nothing but one YAML file per object");
    const { individualFiles } = await import("../rendering/individual-files.ts");
    for (const [name, text] of individualFiles(rendered.objects))
      writeText(join(path, name), join(build.output ?? "", name), text);
    return;
  }
  const text = await (origins === undefined ? objectsText(rendered, format) : originsReport(rendered, source, format));
  if (path === undefined) io.out(text);
  else writeText(path, build.output ?? path, text);
}

function objectsText({ objects }: Rendered, format: "yaml" | "json" | undefined): string {
  const items = objects.map(({ object }) => object);
  return format === "json" ? `${stringifyJson({ apiVersion: "v1", kind: "List", items }, 2)}\n` : emitYaml(items);
}

async function originsReport(
  { objects, origins }: Rendered,
  source: RenderSource,
  format: "yaml" | "json" | undefined,
): Promise<string> {
  const { originsText, reportOrigins } = await import("../rendering/origins-report.ts");
  const reports = reportOrigins(objects, origins, source.describe);
  if (format === undefined) return originsText(reports);
  return format === "yaml" ? stringifyYaml(reports) : `${stringifyJson(reports, 2)}\n`;
}

function writeText(path: string, name: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (cause) {
    // Node ends its message with the path in its longest form.
    const why = messageOf(cause).replace(/, open .*$/s, "");
    throw new AppError("output-unwritable", `${name} cannot be written: ${why}`, {
      recovery: "stall",
      cause,
    });
  }
}
