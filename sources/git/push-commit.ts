// Sends one commit to a new branch of an http(s) repository. The server itself sees to it that the branch is not there yet:
// nothing of anybody is ever overwritten.
import { AppError } from "../../runtime/errors.ts";
import { gitCorrupt, gitInvalidRepository, gitTimeout } from "../errors.ts";
import { redactUrl } from "../redact-url.ts";
import type { GitCredentials } from "./credentials.ts";
import { type EditedCommit, packObjects } from "./edit-commit.ts";
import { GitHttp } from "./http.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { credentialsInUrl, locateRepository } from "./url.ts";

export interface CommitPush {
  readonly url: string;
  readonly credentials?: GitCredentials | undefined;
  /** Without `refs/heads/`. */
  readonly branch: string;
  readonly commit: EditedCommit;
  readonly timeoutMs?: number | undefined;
  readonly signal: AbortSignal;
}

const TIMEOUT_MS = 60_000;
const MOST_REPORT_BYTES = 1 << 20;
const NOTHING = "0".repeat(40);
const LONGEST_REASON = 200;

/**
 * Throws `git-push-refused` when the server does not take it from these credentials, `git-branch-exists` when the branch
 * is there by now, and what every request to a Git server throws. Unless it throws, the branch is at the commit.
 */
export async function pushCommit({ url, credentials, branch, commit, ...rest }: CommitPush): Promise<void> {
  const location = locateRepository(url);
  if (location.kind !== "http") throw gitInvalidRepository(url, "cannot be pushed to: only http(s) can");
  const server = new GitHttp(location.url, { ...credentialsInUrl(location), ...credentials });
  const timeoutMs = rest.timeoutMs ?? TIMEOUT_MS;
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = AbortSignal.any([rest.signal, timeout]);
  const ref = `refs/heads/${branch}`;
  try {
    const refs = await readAll(
      await server.send({
        suffix: "/info/refs?service=git-receive-pack",
        headers: {},
        contentType: "application/x-git-receive-pack-advertisement",
        maxBytes: DEFAULT_LIMITS.maxRefsBytes,
        signal,
      }),
    );
    checkAdvertised(url, branch, refs.toString("utf8"));
    const report = await readAll(
      await server.send({
        suffix: "/git-receive-pack",
        headers: { "content-type": "application/x-git-receive-pack-request" },
        contentType: "application/x-git-receive-pack-result",
        body: Buffer.concat([
          packet(`${NOTHING} ${commit.oid} ${ref}\0report-status agent=flaghoist`),
          Buffer.from("0000"),
          packObjects(commit.objects),
        ]),
        maxBytes: MOST_REPORT_BYTES,
        signal,
      }),
    );
    checkReport(url, branch, packetsOf(report));
  } catch (error) {
    rest.signal.throwIfAborted();
    if (timeout.aborted) throw gitTimeout(url, timeoutMs);
    throw error instanceof AppError && error.code === "git-auth-failed" ? notAllowed(url, error) : error;
  } finally {
    server.close();
  }
}

function checkAdvertised(url: string, branch: string, text: string): void {
  const refused = /^(?:[0-9a-f]{4}# service=[\w-]+\n0000)?[0-9a-f]{4}ERR ([^\n]*)/.exec(text)?.[1];
  if (refused !== undefined) throw pushRefused(url, branch, refused);
  if (!text.includes("report-status")) throw gitInvalidRepository(url, "does not say what becomes of a push");
  if (text.includes(` refs/heads/${branch}\n`) || text.includes(` refs/heads/${branch}\0`)) throw exists(url, branch);
}

/** `unpack ok`, and for the branch `ok REF` or `ng REF REASON`. */
function checkReport(url: string, branch: string, lines: readonly string[]): void {
  const unpacked = lines.find((line) => line.startsWith("unpack "));
  const outcome = lines.find((line) => /^(?:ok|ng) /.test(line));
  if (unpacked === undefined || outcome === undefined)
    throw gitCorrupt(`${redactUrl(url)} does not say what became of the push`);
  if (unpacked === "unpack ok" && outcome === `ok refs/heads/${branch}`) return;
  const reason = outcome.startsWith("ng ") ? outcome.split(" ").slice(2).join(" ") : unpacked.slice("unpack ".length);
  // Another process came first.
  if (/already exists|cannot lock|failed to (?:update|lock)|reference broken/i.test(reason)) throw exists(url, branch);
  throw pushRefused(url, branch, reason);
}

function exists(url: string, branch: string): AppError {
  return new AppError("git-branch-exists", `${redactUrl(url)} has a branch ${branch} already`, { recovery: "retry" });
}

function pushRefused(url: string, branch: string, reason: string): AppError {
  const said = Array.from(reason, (char) => (char < " " || char === "\u007f" ? " " : char)).join("");
  return new AppError(
    "git-push-refused",
    `${redactUrl(url)} refused the push of ${branch}: ${said.trim().slice(0, LONGEST_REASON)}; let these credentials make branches of that name`,
    { recovery: "stall" },
  );
}

function notAllowed(url: string, cause: AppError): AppError {
  return new AppError(
    "git-push-refused",
    `${redactUrl(url)} does not let these credentials push: they need the right to write to the repository`,
    { recovery: "stall", cause },
  );
}

async function readAll(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

function packet(text: string): Buffer {
  return Buffer.from((Buffer.byteLength(text) + 4).toString(16).padStart(4, "0") + text);
}

/** The lines of an answer, up to its end or to what is none. */
function packetsOf(answer: Buffer): string[] {
  const lines: string[] = [];
  for (let at = 0; at + 4 <= answer.length; ) {
    const size = Number.parseInt(answer.toString("latin1", at, at + 4), 16);
    if (!(size >= 4) || at + size > answer.length) break;
    lines.push(answer.toString("utf8", at + 4, at + size).replace(/\n$/, ""));
    at += size;
  }
  return lines;
}
