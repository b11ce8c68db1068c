// Making commits without the `git` command: for the demo, for tests, and for what is written back to a repository.

import fs from "node:fs";
import { dirname, join, resolve, sep } from "node:path";
import git from "isomorphic-git";
import { gitInvalidRepository, gitRefInvalid, gitTimeout, gitUnsafePath } from "../errors.ts";
import type { GitCredentials } from "./credentials.ts";
import { GitHttp } from "./http.ts";
import { GitHttpClient } from "./http-client.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { credentialsInUrl, locateRepository } from "./url.ts";

export interface CommitOptions {
  readonly message: string;
  readonly author?: { readonly name: string; readonly email: string };
  /** Milliseconds since the epoch. */
  readonly timeMs: number;
}

/** Content by path; `undefined` removes the file. */
export type FileChanges = Readonly<Record<string, string | Uint8Array | undefined>>;

const PUSH_TIMEOUT_MS = 60_000;
const AUTHOR = { name: "Flaghoist", email: "flaghoist@localhost" };

/** Makes an empty repository with a working copy, and the folder if needed. Leaves an existing repository as it is. */
export async function createRepository(directory: string, branch = "main"): Promise<void> {
  fs.mkdirSync(directory, { recursive: true });
  await git.init({ fs, dir: directory, defaultBranch: branch });
}

/**
 * Writes files into the working copy and commits exactly these changes on the current branch. The name of the commit is
 * the result. Throws `git-unsafe-path` for a path that leads out of the folder or into `.git`.
 */
export async function commitFiles(directory: string, files: FileChanges, options: CommitOptions): Promise<string> {
  const root = resolve(directory);
  const changes = Object.entries(files).map(([path, content]) => ({ path: checkPath(root, path), content }));
  for (const { path, content } of changes) {
    const target = join(root, path);
    if (content === undefined) {
      fs.rmSync(target, { force: true });
      await git.remove({ fs, dir: root, filepath: path });
    } else {
      fs.mkdirSync(dirname(target), { recursive: true });
      fs.writeFileSync(target, content);
      await git.add({ fs, dir: root, filepath: path });
    }
  }
  const person = { ...(options.author ?? AUTHOR), timestamp: Math.floor(options.timeMs / 1000), timezoneOffset: 0 };
  return git.commit({ fs, dir: root, message: options.message, author: person, committer: person });
}

export interface PushOptions {
  readonly url: string;
  readonly branch: string;
  readonly credentials?: GitCredentials | undefined;
  readonly force?: boolean | undefined;
}

/** Sends the branch to an http(s) repository. Throws `git-auth-failed`, `git-unreachable`, `git-invalid-repository`. */
export async function pushBranch(directory: string, options: PushOptions): Promise<void> {
  const location = locateRepository(options.url);
  if (location.kind !== "http") throw gitInvalidRepository(options.url, "cannot be pushed to: only http(s) can");
  const server = new GitHttp(location.url, { ...credentialsInUrl(location), ...options.credentials });
  const { maxRefsBytes } = DEFAULT_LIMITS;
  const signal = AbortSignal.timeout(PUSH_TIMEOUT_MS);
  const client = new GitHttpClient(server, {}, { signal, maxRefsBytes, maxBytes: maxRefsBytes });
  try {
    const result = await client.run((http) =>
      git.push({
        fs,
        http,
        dir: directory,
        url: server.url,
        ref: options.branch,
        remoteRef: `refs/heads/${options.branch}`,
        force: options.force ?? false,
      }),
    );
    if (!result.ok) throw gitInvalidRepository(options.url, `refused the push of ${options.branch}`);
  } catch (error) {
    throw translate(options.url, error);
  } finally {
    server.close();
  }
}

function translate(url: string, error: unknown): unknown {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof git.Errors.PushRejectedError)
    return gitInvalidRepository(url, "has commits that are not here: fetch and try again");
  if (cause instanceof git.Errors.NotFoundError) return gitRefInvalid("the branch to push", "does not exist here");
  if (cause instanceof git.Errors.GitPushError) return gitInvalidRepository(url, "refused the push", cause);
  return error instanceof DOMException ? gitTimeout(url, PUSH_TIMEOUT_MS) : error;
}

function checkPath(root: string, path: string): string {
  const target = resolve(root, path);
  if (path === "" || !target.startsWith(root + sep)) throw gitUnsafePath(path, "leads out of the repository");
  const relative = target.slice(root.length + 1).split(sep);
  if (relative.some((part) => part.toLowerCase() === ".git")) throw gitUnsafePath(path, "leads into .git");
  return relative.join("/");
}
