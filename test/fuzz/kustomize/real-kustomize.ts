// The real kustomize as a program: found, and run over files in a temporary folder.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TreeFiles } from "../../../renderers/memory-tree.ts";
import { findProgram, programPath } from "../../find-program.ts";
import type { GeneratedKustomization } from "./area.ts";
import type { Outcome } from "./comparison.ts";
import { errorCategory } from "./error-category.ts";

export const NO_REAL_KUSTOMIZE =
  "there is no kustomize to compare with: put 5.8.2 on PATH or into the folder KUBEBUILDER_ASSETS " +
  "(go install sigs.k8s.io/kustomize/kustomize/v5@v5.8.2)";

const TIMEOUT_MS = 60_000;

/** The real kustomize; undefined when there is none. */
export function findRealKustomize(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  return findProgram("kustomize", environment);
}

/** What the program wrote and how it ended; `status` is undefined when it had to be killed. */
export interface ProgramResult {
  readonly status: number | undefined;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs `kustomize build PATH ARGS` in a folder; plugins, credentials and Git's network protocols are out of its reach. */
export function runKustomize(
  program: string,
  folder: string,
  path: string,
  args: readonly string[],
): Promise<ProgramResult> {
  const env = {
    PATH: programPath(),
    HOME: join(folder, ".no-home"),
    GIT_TERMINAL_PROMPT: "0",
    GIT_ALLOW_PROTOCOL: "none",
  };
  return new Promise((resolve) => {
    const options = { cwd: folder, env, encoding: "buffer", timeout: TIMEOUT_MS, maxBuffer: 2 ** 28 } as const;
    execFile(program, ["build", path, ...args], options, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === "number" ? error.code : undefined;
      resolve({ status, stdout, stderr: stderr.toString() });
    });
  });
}

/** Builds one input with the real program. */
export async function buildReal(program: string, input: GeneratedKustomization): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "flaghoist-fuzz-"));
  try {
    writeFiles(folder, input.files);
    const { status, stdout, stderr } = await runKustomize(program, folder, input.path, input.args ?? []);
    const warnings = deprecationsIn(stderr);
    if (status === 0) return { output: stdout.toString(), warnings };
    const lines = stderr.split("\n").filter((line) => !line.startsWith("# Warning: ") && !line.startsWith("Flag --"));
    const message = lines.join("\n").replaceAll(folder, "").trim();
    const category = status === undefined ? "crash" : errorCategory(message);
    return { failure: { category, message }, warnings };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Writes the files of an input below a folder. */
export function writeFiles(folder: string, files: TreeFiles): void {
  for (const [path, content] of Object.entries(files)) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    if (typeof content === "object" && "link" in content) symlinkSync(content.link, file);
    else writeFileSync(file, content);
  }
}

/** The warnings about deprecated fields on standard error, in their order and without their marker. */
export function deprecationsIn(standardError: string): string[] {
  const marker = "# Warning: ";
  return standardError
    .split("\n")
    .filter((line) => line.startsWith(marker))
    .map((line) => line.slice(marker.length));
}
