// Repositories behind ssh, through the `git` command: it knows agents, jump hosts and host keys better than we would.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  gitAuthFailed,
  gitCommandMissing,
  gitInvalidRepository,
  gitObjectMissing,
  gitRepositoryNotFound,
  gitTooLarge,
  gitUnreachable,
} from "../errors.ts";
import type { RepositoryCache } from "./cache.ts";
import type { GitCredentials } from "./credentials.ts";
import { formatBytes, type GitLimits } from "./limits.ts";
import { isOid, type RemoteRef } from "./remote-ref.ts";
import type { FetchRequest, Transport } from "./transport.ts";

/** What is allowed to reach the command's environment: enough to find programs and a person's own ssh agent. */
const PASSED_ON = ["PATH", "HOME", "USER", "SSH_AUTH_SOCK", "TMPDIR", "LANG"];

export interface SshOptions {
  readonly url: string;
  readonly credentials: GitCredentials;
  readonly limits: GitLimits;
  /** Program to run instead of `ssh`, for tests. */
  readonly sshCommand?: string | undefined;
}

/** Credentials may hold `identity` (private key) and `knownHosts`; without these the person's own ssh settings count. */
export function sshTransport(options: SshOptions): Transport {
  const { url, limits } = options;
  let bytes = 0;
  let requests = 0;

  async function git(args: readonly string[], maxBytes: number, signal: AbortSignal): Promise<string> {
    const folder = mkdtempSync(join(tmpdir(), "flaghoist-ssh-"));
    try {
      requests++;
      const result = await run(args, environment(folder, options), maxBytes, signal, url);
      bytes += result.stdout.length;
      if (result.code !== 0) throw failure(options, result.stderr);
      return result.stdout;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  return {
    async listRefs(prefixes, signal) {
      // The command matches patterns by whole parts of names, so a prefix becomes a pattern.
      const patterns = prefixes.map((prefix) => (prefix === "HEAD" ? prefix : `${prefix}*`));
      const text = await git(["ls-remote", "--symref", "--", url, ...patterns], limits.maxRefsBytes, signal);
      return parseListing(text);
    },
    async fetchInto(cache, request, signal) {
      await fetchWith(git, cache, request, signal, url);
    },
    get bytes() {
      return bytes;
    },
    get requests() {
      return requests;
    },
    close() {},
  };
}

type Git = (args: readonly string[], maxBytes: number, signal: AbortSignal) => Promise<string>;

async function fetchWith(
  git: Git,
  cache: RepositoryCache,
  request: FetchRequest,
  signal: AbortSignal,
  url: string,
): Promise<void> {
  const { history } = request;
  const range =
    history === "all"
      ? []
      : "depth" in history
        ? [`--depth=${history.depth}`]
        : [`--shallow-since=@${history.sinceSeconds}`];
  await git(
    [
      `--git-dir=${cache.directory}`,
      "-c",
      "gc.auto=0",
      "-c",
      "maintenance.auto=false",
      // Everything stays in packs, which is what is read here.
      "-c",
      "fetch.unpackLimit=1",
      "-c",
      "transfer.fsckObjects=false",
      "fetch",
      "--quiet",
      "--no-tags",
      "--no-write-fetch-head",
      "--no-recurse-submodules",
      ...range,
      "--",
      url,
      request.commit,
    ],
    1 << 20,
    signal,
  );
  cache.store.close();
}

function environment(folder: string, options: SshOptions): NodeJS.ProcessEnv {
  const { identity, knownHosts } = options.credentials;
  const ssh = [options.sshCommand ?? "ssh", "-oBatchMode=yes", "-oConnectTimeout=15"];
  if (identity !== undefined) {
    const path = join(folder, "identity");
    // ssh refuses a key without a line feed at its end.
    writeFileSync(path, `${identity.trimEnd()}\n`, { mode: 0o600 });
    ssh.push(`-oIdentityFile=${path}`, "-oIdentitiesOnly=yes", "-oIdentityAgent=none");
  }
  if (knownHosts !== undefined) {
    const path = join(folder, "known_hosts");
    writeFileSync(path, `${knownHosts.trimEnd()}\n`, { mode: 0o600 });
    ssh.push(`-oUserKnownHostsFile=${path}`, "-oGlobalKnownHostsFile=/dev/null", "-oStrictHostKeyChecking=yes");
  }
  const passed = PASSED_ON.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]));
  return {
    ...Object.fromEntries(passed),
    GIT_SSH_COMMAND: ssh.join(" "),
    GIT_SSH_VARIANT: "ssh",
    GIT_TERMINAL_PROMPT: "0",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    // No other transport, whatever a URL or a setting says.
    GIT_ALLOW_PROTOCOL: "ssh",
    GIT_PROTOCOL_FROM_USER: "0",
    LC_ALL: "C",
  };
}

interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  maxBytes: number,
  signal: AbortSignal,
  url: string,
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    // Its own group, so that ssh ends together with git.
    const child = spawn("git", args, { env, cwd: "/", stdio: ["ignore", "pipe", "pipe"], detached: true });
    const out: Buffer[] = [];
    let size = 0;
    let stderr = "";
    function end(reason: unknown): void {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      } catch {
        // It has ended meanwhile.
      }
      reject(reason);
    }
    function onAbort(): void {
      end(signal.reason);
    }
    signal.addEventListener("abort", onAbort, { once: true });
    child.stdout.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) end(gitTooLarge(`the answer of ${url}`, formatBytes(maxBytes)));
      else out.push(chunk);
    });
    child.stderr.on("data", (chunk: Buffer) => {
      if (stderr.length < 10_000) stderr += chunk.toString("utf8");
    });
    child.on("error", (error: NodeJS.ErrnoException) => {
      signal.removeEventListener("abort", onAbort);
      reject(error.code === "ENOENT" ? gitCommandMissing(url) : error);
    });
    child.on("close", (code) => {
      signal.removeEventListener("abort", onAbort);
      resolve({ code, stdout: Buffer.concat(out).toString("utf8"), stderr });
    });
  });
}

function failure(options: SshOptions, stderr: string): Error {
  const { url, credentials } = options;
  if (/Permission denied|publickey|Authentication failed/i.test(stderr)) {
    return gitAuthFailed(url, credentials.identity !== undefined);
  }
  if (/Host key verification failed|REMOTE HOST IDENTIFICATION/i.test(stderr)) {
    return gitUnreachable(url, "its host key is not among known_hosts of the secret");
  }
  if (/ssh: (?:command )?not found|cannot run \S*ssh|error: cannot spawn/i.test(stderr)) return gitCommandMissing(url);
  if (/not our ref|couldn't find remote ref|unadvertised object/i.test(stderr)) return gitObjectMissing("asked for");
  if (/not found|does not exist|not appear to be a git repository/i.test(stderr)) {
    return gitRepositoryNotFound(url, credentials.identity !== undefined);
  }
  if (/Could not resolve|Connection refused|timed out|unreachable|Connection closed/i.test(stderr)) {
    return gitUnreachable(url, "the host does not answer or is not known");
  }
  // The command's own words may repeat what a server sent; they are not passed on.
  return gitInvalidRepository(url, "could not be read by the git command");
}

/** What `git ls-remote --symref` prints. */
function parseListing(text: string): RemoteRef[] {
  const names = new Map<string, string>();
  const targets = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [left = "", name = ""] = line.split("\t");
    if (left.startsWith("ref: ")) targets.set(name, left.slice(5));
    else if (isOid(left)) names.set(name, left);
  }
  const refs: RemoteRef[] = [];
  for (const [name, oid] of names) {
    if (name.endsWith("^{}")) continue;
    const peeled = names.get(`${name}^{}`);
    const target = targets.get(name);
    refs.push({
      name,
      oid: peeled ?? oid,
      ...(peeled === undefined ? {} : { tagOid: oid }),
      ...(target === undefined ? {} : { target }),
    });
  }
  return refs;
}
