// Scripts of commands for real clients, and what came of running one against a server.
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isObject, type JsonObject } from "../../../kube/object.ts";
import { parseYaml, stringifyYaml } from "../../../kube/yaml.ts";
import { maskOutput } from "./masks.ts";
import type { Exchange } from "./transcript.ts";

const COMMAND_LIMIT_MS = 45_000;

/** The commands of a script: one a line, without empty lines and comments. */
export function readScript(folder: string): string[] {
  return readFileSync(join(folder, "script.sh"), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
}

export interface ScriptRun {
  /** Holds `script.sh` and the files that it uses; a copy of it is where the commands run. */
  readonly folder: string;
  /** Path of a kubeconfig of an administrator. */
  readonly kubeconfig: string;
  /** Folders put before the path, for clients that are not installed. */
  readonly path?: readonly string[];
}

/** Runs every command in order, whatever became of those before it. */
export async function runScript(run: ScriptRun): Promise<Exchange[]> {
  const place = mkdtempSync(join(tmpdir(), "flaghoist-clients-"));
  try {
    const work = join(place, "work");
    const home = join(place, "home");
    cpSync(run.folder, work, { recursive: true });
    mkdirSync(home);
    const kubeconfig = join(place, "kubeconfig");
    writeFileSync(kubeconfig, renameContext(readFileSync(run.kubeconfig, "utf8")), { mode: 0o600 });
    const path = [...(run.path ?? []), process.env["PATH"]].join(":");
    const env = { PATH: path, HOME: home, KUBECONFIG: kubeconfig, LC_ALL: "C", TZ: "UTC" };
    const exchanges: Exchange[] = [];
    for (const command of readScript(run.folder)) exchanges.push(await runCommand(command, work, env));
    return exchanges;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

async function runCommand(command: string, cwd: string, env: Readonly<Record<string, string>>): Promise<Exchange> {
  // No standard input: a client that asks gets an end of file.
  const child = spawn("bash", ["-c", command], { cwd, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
  // A client that hangs ends its command alone.
  const timer = setTimeout(() => process.kill(-(child.pid ?? 0), "SIGKILL"), COMMAND_LIMIT_MS);
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    err += chunk.toString();
  });
  const code = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) => resolve(status ?? -1));
  });
  clearTimeout(timer);
  return { command, out: maskOutput(out), err: maskOutput(err), code };
}

/** The current context of a kubeconfig alone, with its cluster and user, all under a name that outputs have in common. */
function renameContext(text: string): string {
  const config = parseYaml(text) as JsonObject;
  function find(list: string, name: unknown): JsonObject {
    const entries = config[list];
    const found = Array.isArray(entries)
      ? entries.find((entry) => isObject(entry) && entry["name"] === name)
      : undefined;
    if (!isObject(found)) throw new Error(`the kubeconfig has no ${list} entry named ${String(name)}`);
    return found;
  }
  const context = find("contexts", config["current-context"])["context"] as JsonObject;
  const cluster = find("clusters", context["cluster"])["cluster"] as JsonObject;
  const user = find("users", context["user"])["user"] as JsonObject;
  return stringifyYaml({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "server", cluster }],
    users: [{ name: "admin", user }],
    contexts: [{ name: "server", context: { cluster: "server", user: "admin" } }],
    "current-context": "server",
  });
}
