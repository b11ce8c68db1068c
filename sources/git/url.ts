// Where a repository is. The text comes from users, so nothing in it may become an option of a command.

import { fileURLToPath } from "node:url";
import { gitUrlInvalid } from "../errors.ts";
import type { GitCredentials } from "./credentials.ts";

export interface HttpLocation {
  readonly kind: "http";
  /** Without user name and password. */
  readonly url: URL;
  readonly username?: string;
  readonly password?: string;
}

export type RepositoryLocation =
  | HttpLocation
  | { readonly kind: "ssh"; readonly url: string; readonly host: string }
  | { readonly kind: "local"; readonly path: string };

/**
 * Tells what a repository URL means: http(s), ssh (also `git@host:path`), file or a path of this machine.
 * Throws `git-url-invalid` for anything else, so that `ext::`, other transports and options never reach a command.
 */
export function locateRepository(text: string): RepositoryLocation {
  if (text === "") throw gitUrlInvalid(text, "is empty");
  if (hasBlank(text) && !text.startsWith("/") && !text.startsWith(".")) {
    throw gitUrlInvalid(text, "holds white space or control characters");
  }
  if (text.startsWith("-")) throw gitUrlInvalid(text, "starts with a dash");
  if (/^https?:\/\//i.test(text)) return locateHttp(text);
  if (/^ssh:\/\//i.test(text)) return locateSsh(text);
  if (/^file:\/\//i.test(text)) return locateFile(text);
  if (text.startsWith("/") || text.startsWith("./") || text.startsWith("../") || text === ".") {
    if (text.includes("\0")) throw gitUrlInvalid(text, "holds a NUL");
    return { kind: "local", path: text };
  }
  const scp = /^(?:([\w.-]+)@)?([\w.-]+):([^:].*)$/.exec(text);
  if (scp !== null && !text.includes("::") && !text.includes("://")) {
    const host = scp[2] ?? "";
    checkHost(text, host);
    if (scp[1]?.startsWith("-") === true || scp[3]?.startsWith("-") === true) {
      throw gitUrlInvalid(text, "has a part that starts with a dash");
    }
    return { kind: "ssh", url: text, host };
  }
  throw gitUrlInvalid(text, "is none of https://, http://, ssh://, git@host:path, file:// and a path");
}

/** User name and password that stood in the URL; nothing when neither did. */
export function credentialsInUrl({ username, password }: HttpLocation): GitCredentials {
  if (username === undefined && password === undefined) return {};
  return { username: username ?? "git", password: password ?? "" };
}

function parse(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw gitUrlInvalid(text, "is not a valid URL");
  }
}

function locateHttp(text: string): RepositoryLocation {
  const url = parse(text);
  if (url.search !== "" || url.hash !== "") throw gitUrlInvalid(text, "has a query or fragment");
  const username = decode(text, url.username);
  const password = decode(text, url.password);
  url.username = "";
  url.password = "";
  url.pathname = url.pathname.replace(/\/+$/, "");
  return { kind: "http", url, ...(username === "" ? {} : { username }), ...(password === "" ? {} : { password }) };
}

function decode(text: string, part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw gitUrlInvalid(text, "has a broken percent escape");
  }
}

function locateSsh(text: string): RepositoryLocation {
  const url = parse(text);
  checkHost(text, url.hostname);
  if (url.password !== "") throw gitUrlInvalid(text, "holds a password: ssh takes a key from a secret");
  if (url.search !== "" || url.hash !== "") throw gitUrlInvalid(text, "has a query or fragment");
  if (decode(text, url.username).startsWith("-")) throw gitUrlInvalid(text, "has a user that starts with a dash");
  if (decode(text, url.pathname).startsWith("/-")) throw gitUrlInvalid(text, "has a path that starts with a dash");
  return { kind: "ssh", url: url.href, host: url.hostname };
}

function locateFile(text: string): RepositoryLocation {
  try {
    return { kind: "local", path: fileURLToPath(text) };
  } catch {
    throw gitUrlInvalid(text, "is not a file URL of this machine");
  }
}

function checkHost(text: string, host: string): void {
  if (host === "" || host.startsWith("-")) throw gitUrlInvalid(text, "has no valid host");
}

/** Whether the text holds white space or control characters. */
export function hasBlank(text: string): boolean {
  return Array.from(text).some((char) => char <= " " || char === "\u007f");
}
