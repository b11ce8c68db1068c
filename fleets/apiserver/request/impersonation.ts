// Acting as somebody else, by the Impersonate headers.
import type { UserInfo } from "../../../kube/client/transport.ts";
import { quoteGo } from "../../../kube/go-text.ts";
import { setOwn } from "../../../kube/object.ts";
import type { Authorizer } from "../authorization/access.ts";
import { badRequest, forbidden } from "../registry/status-error.ts";

const ANONYMOUS = "system:anonymous";
const IDENTITY = "authentication.k8s.io";
const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/;
const EXTRA_PREFIX = "impersonate-extra-";

/** What a user must be allowed to `impersonate` for one part of another's identity. */
interface Part {
  readonly group: string;
  readonly resource: string;
  readonly subresource: string | undefined;
  readonly namespace: string | undefined;
  readonly name: string;
}

/** Users who acted as somebody else lately: their refusals say which part was refused, as the reference's do. */
const recent = new WeakMap<Authorizer, Set<string>>();
const MOST_RECENT = 1024;

/**
 * The user that a request asks to act as, or `user` when it does not ask. When `user` may not, throws a 403 that names
 * the part, or what `refuse` makes for somebody who has not acted as another before; and a 400 when the request names
 * groups but nobody.
 *
 * Of the reference's two ways only rights for `impersonate` count: those for `impersonate:user-info` and the like, which
 * hold for single verbs, allow nothing here.
 */
export function impersonate(
  user: UserInfo,
  headers: Readonly<Record<string, string>>,
  authorizer: Authorizer,
  refuse: (user: UserInfo, mode: string) => Error,
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
  const known = recent.get(authorizer) ?? new Set();
  recent.set(authorizer, known);
  for (const part of partsOf(name, groups, uid, extra)) {
    if (authorizer({ user, verb: "impersonate", path: "", resource: part }).allowed) continue;
    throw known.has(user.name) ? partRefusal(user, part) : refuse(user, modeOf(name));
  }
  if (known.size >= MOST_RECENT) known.clear();
  known.add(user.name);
  return {
    name,
    groups: [...new Set([...groups, ...ownGroups(name)])],
    ...(uid === undefined ? {} : { uid }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

/** Every part of the identity: each needs a right of its own. */
function partsOf(
  name: string,
  groups: readonly string[],
  uid: string | undefined,
  extra: Readonly<Record<string, readonly string[]>>,
): readonly Part[] {
  const account = SERVICE_ACCOUNT.exec(name);
  const plain = { group: "", subresource: undefined, namespace: undefined };
  return [
    account === null
      ? { ...plain, resource: "users", name }
      : { ...plain, resource: "serviceaccounts", namespace: account[1], name: account[2] ?? "" },
    ...groups.map((group) => ({ ...plain, resource: "groups", name: group })),
    ...Object.entries(extra).flatMap(([key, values]) =>
      values.map((value) => ({ ...plain, group: IDENTITY, resource: "userextras", subresource: key, name: value })),
    ),
    ...(uid === undefined ? [] : [{ ...plain, group: IDENTITY, resource: "uids", name: uid }]),
  ];
}

/** How the reference calls acting as a user of that kind. */
function modeOf(name: string): string {
  if (SERVICE_ACCOUNT.test(name)) return "serviceaccount";
  return name.startsWith("system:node:") ? "arbitrary-node" : "user-info";
}

function partRefusal(user: UserInfo, { group, resource, subresource, namespace, name }: Part): Error {
  const full = subresource === undefined ? resource : `${resource}/${subresource}`;
  const scope = namespace === undefined ? "at the cluster scope" : `in the namespace ${quoteGo(namespace)}`;
  const why = `User ${quoteGo(user.name)} cannot impersonate resource ${quoteGo(full)} in API group ${quoteGo(group)} ${scope}`;
  return forbidden({ group, resource }, name, why);
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
