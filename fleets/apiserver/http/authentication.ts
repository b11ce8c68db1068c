// Who sends a request: a client certificate, a bearer token, or nobody known.
import type { TLSSocket } from "node:tls";
import type { UserInfo } from "../../../kube/client/transport.ts";
import { unauthorized } from "../registry/status-error.ts";
import { credentialId } from "./certificates.ts";

const AUTHENTICATED = "system:authenticated";
const ANONYMOUS: UserInfo = { name: "system:anonymous", groups: ["system:unauthenticated"] };

/** Answers the user of a bearer token, or undefined when it does not hold. A promise only where keys are fetched. */
export type TokenCheck = (token: string) => UserInfo | undefined | Promise<UserInfo | undefined>;

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

export interface AuthenticationOptions {
  readonly checkToken: TokenCheck;
  /** Whether requests without credentials go on as `system:anonymous`. */
  readonly anonymous: boolean;
}

/** The token of an Authorization header; undefined when it holds none, as the reference reads it. */
export function bearerToken(authorization: string | undefined): string | undefined {
  const [scheme = "", token = ""] = (authorization ?? "").trim().split(" ");
  return scheme.toLowerCase() === "bearer" && token !== "" ? token : undefined;
}

/** The user of a request; 401 for credentials that do not hold. */
export async function authenticate(
  socket: TLSSocket,
  authorization: string | undefined,
  { checkToken, anonymous }: AuthenticationOptions,
): Promise<UserInfo> {
  const certified = certificateUser(socket);
  if (certified !== null && certified !== undefined) return certified;
  const token = bearerToken(authorization);
  if (token !== undefined) {
    const user = await checkToken(token);
    if (user === undefined) throw unauthorized();
    return user.groups.includes(AUTHENTICATED) ? user : { ...user, groups: [...user.groups, AUTHENTICATED] };
  }
  if (certified === null || !anonymous) throw unauthorized();
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
