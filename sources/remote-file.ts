// One file over http(s), for kustomizations that name it by URL.

import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { AppError, messageOf } from "../runtime/errors.ts";
import { remoteFileFailed } from "./errors.ts";
import { authorizationOf, type GitCredentials } from "./git/credentials.ts";
import { formatBytes } from "./git/limits.ts";
import { explainNetworkCode, isLoopback, retryAfter } from "./network.ts";
import { redactUrl } from "./redact-url.ts";

export interface RemoteFileRequest {
  /** With its query, which a server may need. */
  readonly url: URL;
  /** Sent to the URL's own origin alone. */
  readonly credentials?: GitCredentials | undefined;
  /** Whether a redirect may be followed to there. */
  readonly mayRedirect: (target: URL) => boolean;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

const MAX_REDIRECTS = 5;

/**
 * Gets a file. Throws `remote-file-failed`: to retry where the network or a busy server is at fault, to wait where a person
 * has to change something there, to stall where the answer cannot be used.
 */
export async function fetchRemoteFile(request: RemoteFileRequest): Promise<Uint8Array> {
  const { url, signal } = request;
  try {
    let target = url;
    for (let hops = 0; ; hops++) {
      const answer = await ask(target, request);
      const { location } = answer.headers;
      if (![301, 302, 303, 307, 308].includes(answer.statusCode ?? 0) || location === undefined) {
        return await read(answer, request);
      }
      answer.destroy();
      if (hops >= MAX_REDIRECTS) throw remoteFileFailed(url.href, "it redirects too often", { recovery: "wait" });
      target = redirected(target, location, request);
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof AppError) throw error;
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    const why = code === "" ? messageOf(error) : `${code} ${explainNetworkCode(code)}`.trimEnd();
    throw remoteFileFailed(url.href, why, { recovery: "retry", cause: error });
  }
}

function ask(target: URL, { url, credentials = {}, signal }: RemoteFileRequest): Promise<IncomingMessage> {
  const own = target.origin === url.origin;
  const authorization = own ? authorizationOf(credentials) : undefined;
  const { caFile, clientCertificate, clientKey } = own ? credentials : {};
  const secure = target.protocol === "https:";
  // A proxy cannot reach what listens on this machine only.
  const proxyEnv = isLoopback(target.hostname) ? {} : process.env;
  const agent = secure
    ? new HttpsAgent({
        proxyEnv,
        ...(caFile === undefined ? {} : { ca: caFile }),
        ...(clientCertificate === undefined ? {} : { cert: clientCertificate }),
        ...(clientKey === undefined ? {} : { key: clientKey }),
      })
    : new HttpAgent({ proxyEnv });
  return new Promise((resolve, reject) => {
    const outgoing = (secure ? httpsRequest : httpRequest)(
      target,
      {
        signal,
        agent,
        headers: {
          "user-agent": "flaghoist",
          accept: "*/*",
          ...(authorization === undefined ? {} : { authorization }),
        },
      },
      resolve,
    );
    outgoing.on("error", reject);
    outgoing.end();
  });
}

function redirected(from: URL, location: string, { url, mayRedirect }: RemoteFileRequest): URL {
  const target = URL.parse(location, from);
  if (target === null)
    throw remoteFileFailed(url.href, "it redirects to something that is no URL", { recovery: "wait" });
  const downgrades = from.protocol === "https:" && target.protocol !== "https:";
  if (downgrades || target.username !== "" || target.password !== "" || !mayRedirect(target)) {
    const why = `it redirects to ${redactUrl(target.href)}, which is not allowed`;
    throw remoteFileFailed(url.href, why, { recovery: "stall" });
  }
  return target;
}

async function read(answer: IncomingMessage, { url, maxBytes, credentials }: RemoteFileRequest): Promise<Uint8Array> {
  const status = answer.statusCode ?? 0;
  if (status !== 200) {
    answer.destroy();
    throw refusal(url.href, status, answer, authorizationOf(credentials ?? {}) !== undefined);
  }
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of answer) {
      const bytes: Buffer = chunk;
      size += bytes.length;
      if (size > maxBytes) {
        throw remoteFileFailed(url.href, `it has more than ${formatBytes(maxBytes)}`, { recovery: "stall" });
      }
      chunks.push(bytes);
    }
  } finally {
    if (!answer.complete) answer.destroy();
  }
  return Buffer.concat(chunks);
}

function refusal(url: string, status: number, answer: IncomingMessage, hadCredentials: boolean): AppError {
  if (status === 401 || status === 403) {
    const advice = hadCredentials ? "check the credentials of its pattern" : "its pattern has no credentials";
    return remoteFileFailed(url, `access was refused (HTTP ${status}): ${advice}`, { recovery: "wait" });
  }
  if (status === 429 || status >= 500) {
    const afterMs = retryAfter(answer);
    return remoteFileFailed(url, `it answers HTTP ${status}`, {
      recovery: afterMs === undefined ? "retry" : "wait",
      afterMs,
    });
  }
  return remoteFileFailed(url, `it answers HTTP ${status}`, { recovery: "wait" });
}
