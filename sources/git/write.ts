// Making commits without the `git` command: for the demo, for tests, and for what is written back to a repository.

import fs from "node:fs";
import { dirname, join, resolve, sep } from "node:path";
import git from "isomorphic-git";
import http from "isomorphic-git/http/node";
import { messageOf } from "../../runtime/errors.ts";
import { gitAuthFailed, gitInvalidRepository, gitUnreachable, gitUnsafePath } from "../errors.ts";
import type { GitCredentials } from "./credentials.ts";
import { locateRepository } from "./url.ts";

export interface CommitOptions {
  readonly message: string;
  readonly author?: { readonly name: string; readonly email: string };
  /** Milliseconds since the epoch. */
  readonly timeMs: number;
}

/** Content by path; `undefined` removes the file. */
export type FileChanges = Readonly<Record<string, string | Uint8Array | undefined>>;

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
  const { username, password, bearerToken } = { ...location, ...options.credentials };
  const known = username !== undefined || password !== undefined;
  try {
    const result = await git.push({
      fs,
      http,
      dir: directory,
      url: location.url.href,
      ref: options.branch,
      remoteRef: `refs/heads/${options.branch}`,
      force: options.force ?? false,
      ...(bearerToken === undefined ? {} : { headers: { authorization: `Bearer ${bearerToken}` } }),
      ...(known ? { onAuth: () => ({ username: username ?? "git", password: password ?? "" }) } : {}),
      onAuthFailure: () => ({ cancel: true }),
    });
    if (!result.ok) throw gitInvalidRepository(options.url, `refused the push of ${options.branch}`);
  } catch (error) {
    throw translate(options.url, error, known || bearerToken !== undefined);
  }
}

function translate(url: string, error: unknown, hadCredentials: boolean): unknown {
  if (!(error instanceof Error) || error.name === "AppError") return error;
  const code = "code" in error ? String(error.code) : "";
  if (code === "HttpError" || code === "UserCanceledError") {
    return /40[13]/.test(error.message) || code === "UserCanceledError"
      ? gitAuthFailed(url, hadCredentials)
      : gitInvalidRepository(url, "refused the push", error);
  }
  if (code === "PushRejectedError")
    return gitInvalidRepository(url, "has commits that are not here: fetch and try again");
  if (/^E[A-Z]+$/.test(code)) return gitUnreachable(url, code, error);
  return gitInvalidRepository(url, `could not be pushed to: ${messageOf(error).slice(0, 200)}`, error);
}

function checkPath(root: string, path: string): string {
  const target = resolve(root, path);
  if (path === "" || !target.startsWith(root + sep)) throw gitUnsafePath(path, "leads out of the repository");
  const relative = target.slice(root.length + 1).split(sep);
  if (relative.some((part) => part.toLowerCase() === ".git")) throw gitUnsafePath(path, "leads into .git");
  return relative.join("/");
}
