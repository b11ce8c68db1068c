// Acting as somebody else, by the Impersonate headers.
import type { UserInfo } from "../../../kube/client/transport.ts";
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
    if (key.startsWith(EXTRA_PREFIX)) extra[decodeURIComponent(key.slice(EXTRA_PREFIX.length))] = listOf(headers[key]);
  }
  if (name === "") {
    if (groups.length === 0 && uid === undefined && Object.keys(extra).length === 0) return user;
    const list = groups.map((group) => JSON.stringify(group)).join(", ");
    throw badRequest(
      `requested &user.DefaultInfo{Name:"", UID:${JSON.stringify(uid ?? "")}, Groups:[]string{${list}}, Extra:map[string][]string(nil)} without impersonating a user name`,
    );
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

function listOf(header: string | undefined): string[] {
  return header === undefined ? [] : header.split(",").map((text) => text.trim());
}

function ownGroups(name: string): string[] {
  if (name === ANONYMOUS) return ["system:unauthenticated"];
  const account = SERVICE_ACCOUNT.exec(name);
  if (account === null) return ["system:authenticated"];
  return ["system:serviceaccounts", `system:serviceaccounts:${account[1]}`, "system:authenticated"];
}
