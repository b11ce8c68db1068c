// Who sends a request: a client certificate, a bearer token, or nobody known.
import type { TLSSocket } from "node:tls";
import type { UserInfo } from "../../../kube/client/transport.ts";
import { forbidden, statusError, unauthorized } from "../registry/status-error.ts";
import type { Authorizer } from "../server-context.ts";
import { credentialId } from "./certificates.ts";

const AUTHENTICATED = "system:authenticated";
const ANONYMOUS: UserInfo = { name: "system:anonymous", groups: ["system:unauthenticated"] };

/** Answers the user of a bearer token, or undefined when it does not hold. */
export type TokenCheck = (token: string) => UserInfo | undefined;

const certificateUsers = new WeakMap<object, UserInfo | null>();

/** The user of a verified client certificate; null for one that does not hold, undefined for none. */
function certificateUser(socket: TLSSocket): UserInfo | null | undefined {
  const known = certificateUsers.get(socket);
  if (known !== undefined) return known;
  const certificate = socket.getPeerCertificate();
  if (certificate === undefined || certificate.raw === undefined) return undefined;
  const { CN, O } = certificate.subject;
  const name = Array.isArray(CN) ? CN[0] : CN;
  const groups = O === undefined ? [] : Array.isArray(O) ? O : [O];
  const user =
    socket.authorized && name !== undefined
      ? {
          name,
          groups: [...groups, AUTHENTICATED],
          extra: { "authentication.kubernetes.io/credential-id": [credentialId(certificate.raw)] },
        }
      : null;
  certificateUsers.set(socket, user);
  return user;
}

/** The user of a request; 401 for credentials that do not hold. */
export function authenticate(socket: TLSSocket, authorization: string | undefined, checkToken: TokenCheck): UserInfo {
  const certified = certificateUser(socket);
  if (certified !== null && certified !== undefined) return certified;
  const token = /^bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
  if (token !== undefined) {
    const user = checkToken(token);
    if (user === undefined) throw unauthorized();
    return user.groups.includes(AUTHENTICATED) ? user : { ...user, groups: [...user.groups, AUTHENTICATED] };
  }
  if (certified === null) throw unauthorized();
  return ANONYMOUS;
}

type HeaderValue = string | readonly string[] | undefined;

function listOf(value: HeaderValue): readonly string[] {
  return value === undefined ? [] : typeof value === "string" ? [value] : value;
}

/** The user that the request asks to act as, when `user` may; else `user`. */
export function impersonate(
  user: UserInfo,
  headers: Readonly<Record<string, HeaderValue>>,
  authorizer: Authorizer,
): UserInfo {
  const [name] = listOf(headers["impersonate-user"]);
  const groups = listOf(headers["impersonate-group"])
    .flatMap((text) => text.split(","))
    .map((text) => text.trim());
  const [uid] = listOf(headers["impersonate-uid"]);
  const extra: Record<string, readonly string[]> = {};
  for (const [key, value] of Object.entries(headers)) {
    if (key.startsWith("impersonate-extra-")) extra[decodeURIComponent(key.slice(18))] = listOf(value);
  }
  const asksMore = groups.length > 0 || uid !== undefined || Object.keys(extra).length > 0;
  if (name === undefined || name === "") {
    if (!asksMore) return user;
    throw statusError(
      500,
      "InternalError",
      "Internal error occurred: requested impersonation without impersonating a user",
    );
  }
  const asked = [["users", name], ...groups.map((group) => ["groups", group])] as const;
  for (const [resource, target] of asked) {
    const { allowed } = authorizer({
      user,
      verb: "impersonate",
      path: "",
      resource: { group: "", resource: resource!, subresource: undefined, namespace: undefined, name: target },
    });
    if (!allowed) {
      const why = `User ${JSON.stringify(user.name)} cannot impersonate resource ${JSON.stringify(resource)} in API group "" at the cluster scope`;
      throw forbidden({ group: "", resource: resource! }, target!, why);
    }
  }
  const own = name === ANONYMOUS.name ? ANONYMOUS.groups : [AUTHENTICATED];
  return {
    name,
    groups: [...new Set([...groups, ...own])],
    ...(uid === undefined ? {} : { uid }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

/** A token file as the reference reads it: lines of `token,user,uid[,"group1,group2"]`. */
export function parseTokenFile(text: string): ReadonlyMap<string, UserInfo> {
  const users = new Map<string, UserInfo>();
  for (const line of text.split("\n")) {
    const match = /^([^,]+),([^,]+),([^,]*)(?:,"?([^"]*)"?)?\s*$/.exec(line.trim());
    if (match === null) continue;
    const groups = (match[4] ?? "")
      .split(",")
      .map((group) => group.trim())
      .filter((group) => group !== "");
    users.set(match[1]!, { name: match[2]!, uid: match[3]!, groups });
  }
  return users;
}
