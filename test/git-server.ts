// A real Git server on loopback for tests and the demo: `git http-backend` behind node:http. Counts what is asked.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { createGunzip } from "node:zlib";

export interface GitServerOptions {
  /** Folder whose sub-folders are the repositories. */
  readonly root: string;
  /** With it, every request needs these by basic authentication. */
  readonly basicAuth?: { readonly username: string; readonly password: string };
  readonly bearerToken?: string;
  /** Version 0 for a server that knows no other. */
  readonly protocol?: 0 | 2;
  /** PEM texts; with them the server speaks https. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** May answer a request itself; then returns true. */
  readonly intercept?: (request: IncomingMessage, response: ServerResponse) => boolean;
}

export interface GitServer {
  /** `http://127.0.0.1:PORT`; repositories follow as `/NAME`. */
  readonly url: string;
  /** One line per request: method, path and query, and for a POST what it asks: `ls-refs` or `fetch`. */
  readonly requests: string[];
  /** Authorization headers as they came. */
  readonly authorizations: (string | undefined)[];
  close(): Promise<void>;
}

/** Whether the `git` command exists on this machine. Prints the reason when tests have to be skipped. */
export function hasGit(): boolean {
  const found = spawnSync("git", ["--version"]).status === 0;
  if (!found) console.warn("skipped: the git command is not installed");
  return found;
}

export async function startGitServer(options: GitServerOptions): Promise<GitServer> {
  const requests: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const running = new Set<ChildProcess>();
  function answer(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    const zipped = request.headers["content-encoding"] === "gzip";
    const body = zipped ? request.pipe(createGunzip()) : request;
    body.on("data", (chunk: Buffer) => chunks.push(chunk));
    body.on("end", () => {
      const content = Buffer.concat(chunks);
      const command = commandOf(content.toString("latin1", 0, 60));
      requests.push(`${request.method} ${request.url}${command === undefined ? "" : ` ${command}`}`);
      authorizations.push(request.headers.authorization);
      if (options.intercept?.(request, response) === true) return;
      if (!isAllowed(request, options)) {
        response.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end("no");
        return;
      }
      runBackend(request, response, content, options, running);
    });
  }
  const server = options.tls === undefined ? createServer(answer) : createSecureServer(options.tls, answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `${options.tls === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    requests,
    authorizations,
    close: () => stop(server, running),
  };
}

function commandOf(start: string): string | undefined {
  // Version 0 has no commands: what names wanted objects is a fetch.
  return /command=([\w-]+)/.exec(start)?.[1] ?? (/^[0-9a-f]{4}want /.test(start) ? "fetch" : undefined);
}

function isAllowed(request: IncomingMessage, options: GitServerOptions): boolean {
  const given = request.headers.authorization;
  if (options.bearerToken !== undefined) return given === `Bearer ${options.bearerToken}`;
  if (options.basicAuth === undefined) return true;
  const { username, password } = options.basicAuth;
  return given === `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

function runBackend(
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
  options: GitServerOptions,
  running: Set<ChildProcess>,
): void {
  const url = new URL(request.url ?? "/", "http://localhost");
  const protocol = options.protocol === 0 ? undefined : request.headers["git-protocol"];
  const child = spawn("git", ["http-backend"], {
    env: {
      PATH: process.env["PATH"],
      GIT_PROJECT_ROOT: options.root,
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_CONFIG_COUNT: "2",
      GIT_CONFIG_KEY_0: "http.receivepack",
      GIT_CONFIG_VALUE_0: "true",
      GIT_CONFIG_KEY_1: "safe.directory",
      GIT_CONFIG_VALUE_1: "*",
      REQUEST_METHOD: request.method,
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      CONTENT_LENGTH: String(body.length),
      REMOTE_USER: "test",
      REMOTE_ADDR: "127.0.0.1",
      ...(typeof protocol === "string" ? { GIT_PROTOCOL: protocol } : {}),
    },
  });
  running.add(child);
  child.on("close", () => running.delete(child));
  child.stdin.on("error", () => {});
  child.stdin.end(body);
  let head = Buffer.alloc(0);
  let started = false;
  child.stdout.on("data", (chunk: Buffer) => {
    if (started) {
      response.write(chunk);
      return;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    started = true;
    const headers: Record<string, string> = {};
    for (const line of head.toString("latin1", 0, end).split("\r\n")) {
      const colon = line.indexOf(":");
      headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
    }
    const status = Number.parseInt(headers["status"] ?? "200", 10);
    delete headers["status"];
    response.writeHead(status, headers);
    response.write(head.subarray(end + 4));
  });
  child.stdout.on("end", () => {
    if (!started) response.writeHead(500);
    response.end();
  });
}

function stop(server: Server, running: Set<ChildProcess>): Promise<void> {
  for (const child of running) child.kill("SIGKILL");
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
