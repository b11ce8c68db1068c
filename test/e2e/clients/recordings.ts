// Which recording of a real server goes with the client that is installed.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const VERSION_ARGS: Readonly<Record<string, readonly string[]>> = {
  kubectl: ["version", "--client", "--output=json"],
  helm: ["version", "--short"],
};

/** `v1.32` of the program on the path; undefined when there is none. */
export function readClientVersion(program: string, path: readonly string[] = []): string | undefined {
  const env = { ...process.env, PATH: [...path, process.env["PATH"]].join(":") };
  const { stdout, status } = spawnSync(program, VERSION_ARGS[program] ?? ["version"], { encoding: "utf8", env });
  return status === 0 ? /v\d+\.\d+/.exec(stdout)?.[0] : undefined;
}

/** Where the recording made with a version of a client is kept. Texts of clients change from minor to minor version. */
export function recordingPath(script: string, version: string): string {
  return join(import.meta.dirname, "testdata", "recordings", `${script}-${version}.txt`);
}

export function readRecording(script: string, version: string): string | undefined {
  const path = recordingPath(script, version);
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}
