// Who sends a request: a client certificate, a bearer token, or nobody known.
import type { TLSSocket } from "node:tls";
import type { UserInfo } from "../../../kube/client/transport.ts";
import { unauthorized } from "../registry/status-error.ts";
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
