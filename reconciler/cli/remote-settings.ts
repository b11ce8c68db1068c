// Which remote bases and files kustomizations may name, from the command line: none unless it says so.
//
// `up` takes `readRemoteSettings` for its Syncs. A command that renders by itself wraps its render:
//
//     const result = await withRemoteBases(invocation, (remotes) =>
//       renderingRemotes(remotes, signal, (contents) => render(tree, path, { remotes: contents })),
//     );

import { readdirSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { isObject } from "../../kube/object.ts";
import { parseYaml } from "../../kube/yaml.ts";
import { AppError, messageOf } from "../../runtime/errors.ts";
import { credentialsFromSecret, type GitCredentials } from "../../sources/git/credentials.ts";
import { type AllowedRemote, parseAllowedRemote } from "../../sources/remote-allow-list.ts";
import type { RemoteBases } from "../../sources/remote-bases.ts";
import { type CommandOption, type Invocation, stringOption, UsageError } from "./command.ts";

export const REMOTE_OPTIONS = {
  "allow-remote-bases": {
    type: "string",
    value: "PATTERNS",
    help: "kustomizations may name repositories and files elsewhere that lie below these, by comma: HOST, HOST/ORG or HOST/ORG/REPO; a commit, a tag or a URL with a version (default: none)",
  },
  "remote-bases-config": {
    type: "string",
    value: "FILE",
    help: "more of these with rules, as YAML: allow is a list of pattern, unpinned (also branches), credentials (a folder with the keys of a Secret) and namespaces (of Syncs)",
  },
} as const satisfies Readonly<Record<string, CommandOption>>;

const FIELDS = ["pattern", "unpinned", "credentials", "namespaces"];

/** What the options allow; nothing without them. Throws a `UsageError` that names what cannot be read. */
export function readRemoteSettings(invocation: Invocation): readonly AllowedRemote[] {
  const patterns = stringOption(invocation, "allow-remote-bases")?.split(",") ?? [];
  const allowed = patterns
    .filter((pattern) => pattern.trim() !== "")
    .map((pattern) => usable("--allow-remote-bases", () => parseAllowedRemote(pattern)));
  const file = stringOption(invocation, "remote-bases-config");
  if (file === undefined) return allowed;
  return [...allowed, ...usable(`--remote-bases-config ${file}`, () => readConfig(resolve(invocation.io.cwd, file)))];
}

/** For a command on one's own machine, with a cache in the user's cache folder. Undefined when nothing is allowed. */
export async function withRemoteBases<T>(
  invocation: Invocation,
  run: (remotes: RemoteBases | undefined) => Promise<T>,
): Promise<T> {
  const allowed = readRemoteSettings(invocation);
  if (allowed.length === 0) return run(undefined);
  // Rarely needed, and long to load.
  const { RemoteBases } = await import("../../sources/remote-bases.ts");
  const { env } = invocation.io;
  const caches = env["XDG_CACHE_HOME"] || join(env["HOME"] || homedir(), ".cache");
  const remotes = new RemoteBases({ cacheRoot: join(caches, "flaghoist", "remote-bases"), allowed });
  try {
    return await run(remotes);
  } finally {
    remotes.close();
  }
}

function readConfig(file: string): AllowedRemote[] {
  const config = parseYaml(readFileSync(file, "utf8"), { file });
  const entries = isObject(config) ? config["allow"] : undefined;
  if (!Array.isArray(entries)) throw new UsageError("it must be a map with the list allow");
  return entries.map((entry: unknown, i) => {
    if (!isObject(entry)) throw new UsageError(`allow[${i}] must be a map with a pattern`);
    const unknown = Object.keys(entry).find((field) => !FIELDS.includes(field));
    if (unknown !== undefined) throw new UsageError(`allow[${i}].${unknown} is not known; ${FIELDS.join(", ")} are`);
    const { pattern, unpinned = false, credentials, namespaces } = entry;
    if (typeof pattern !== "string") throw new UsageError(`allow[${i}].pattern must be a text`);
    if (typeof unpinned !== "boolean") throw new UsageError(`allow[${i}].unpinned must be true or false`);
    if (credentials !== undefined && typeof credentials !== "string")
      throw new UsageError(`allow[${i}].credentials must name a folder`);
    if (namespaces !== undefined && !isTexts(namespaces))
      throw new UsageError(`allow[${i}].namespaces must be a list of names`);
    const folder = credentials === undefined ? undefined : resolve(dirname(file), credentials);
    return parseAllowedRemote(pattern, {
      unpinned,
      namespaces,
      credentials: folder === undefined ? undefined : readCredentials(folder),
    });
  });
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

/** As Kubernetes mounts a Secret: a file for each key. */
function readCredentials(folder: string): GitCredentials {
  const values: Record<string, Uint8Array> = {};
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (!name.startsWith("..") && statSync(path).isFile()) values[name] = readFileSync(path);
  }
  const credentials = credentialsFromSecret(values);
  if (Object.keys(credentials).length === 0) {
    throw new UsageError(`${folder} holds none of username and password, bearerToken, ca.crt, tls.crt and tls.key`);
  }
  return credentials;
}

function usable<T>(option: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const isKnown =
      error instanceof AppError || error instanceof UsageError || (error instanceof Error && "code" in error);
    if (!isKnown) throw error;
    throw new UsageError(`${option}: ${messageOf(error)}`);
  }
}
