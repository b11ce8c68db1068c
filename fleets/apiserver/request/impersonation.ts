// Acting as somebody else, by the Impersonate headers.
import type { UserInfo } from "../../../kube/client/transport.ts";
import { quoteGo } from "../../../kube/go-text.ts";
import { setOwn } from "../../../kube/object.ts";
import type { Authorizer } from "../authorization/access.ts";
import { badRequest } from "../registry/status-error.ts";

const ANONYMOUS = "system:anonymous";
const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):[^:]+$/;
const EXTRA_PREFIX = "impersonate-extra-";

/**
 * The user that a request asks to act as, or `user` when it does not ask. Throws what `refuse` makes when `user` may
 * not, and a 400 when the request names groups but nobody.
 */
export function impersonate(
  user: UserInfo,
  headers: Readonly<Record<string, string>>,
  authorizer: Authorizer,
  refuse: (user: UserInfo) => Error,
): UserInfo {
  const name = headers["impersonate-user"] ?? "";
  const groups = listOf(headers["impersonate-group"]);
  const uid = headers["impersonate-uid"];
  const extra: Record<string, readonly string[]> = {};
  for (const key in headers) {
    if (key.startsWith(EXTRA_PREFIX)) setOwn(extra, unescapeKey(key.slice(EXTRA_PREFIX.length)), listOf(headers[key]));
  }
  if (name === "") {
    if (groups.length === 0 && uid === undefined && Object.keys(extra).length === 0) return user;
    throw badRequest(`requested ${describe(uid ?? "", groups, extra)} without impersonating a user name`);
  }
  const asked: readonly (readonly [string, string])[] = [
    ["users", name],
    ...groups.map((group) => ["groups", group] as const),
    ...(uid === undefined ? [] : [["uids", uid] as const]),
  ];
  for (const [resource, target] of asked) {
    const wanted = { group: "", resource, subresource: undefined, namespace: undefined, name: target };
    if (!authorizer({ user, verb: "impersonate", path: "", resource: wanted }).allowed) throw refuse(user);
  }
  return {
    name,
    groups: [...new Set([...groups, ...ownGroups(name)])],
    ...(uid === undefined ? {} : { uid }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

/** The key of an extra value; one with a broken escape is taken as it is. */
function unescapeKey(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

/** A user without a name as Go prints it. */
function describe(uid: string, groups: readonly string[], extra: Readonly<Record<string, readonly string[]>>): string {
  const list = (texts: readonly string[]): string =>
    texts.length === 0 ? "[]string(nil)" : `[]string{${texts.map(quoteGo).join(", ")}}`;
  const keys = Object.keys(extra).sort();
  const pairs = keys.map((key) => `${quoteGo(key)}:${list(extra[key] ?? [])}`);
  const map = keys.length === 0 ? "(nil)" : `{${pairs.join(", ")}}`;
  return `&user.DefaultInfo{Name:"", UID:${quoteGo(uid)}, Groups:${list(groups)}, Extra:map[string][]string${map}}`;
}

function listOf(header: string | undefined): string[] {
  return header === undefined ? [] : header.split(",").map((text) => text.trim());
}

function ownGroups(name: string): string[] {
  if (name === ANONYMOUS) return ["system:unauthenticated"];
  const account = SERVICE_ACCOUNT.exec(name);
  if (account === null) return ["system:authenticated"];
  return ["system:serviceaccounts", `system:serviceaccounts:${account[1]}`, "system:authenticated"];
}
