// Tells a member for whom the control plane asks.
import type { UserInfo } from "../../kube/client/transport.ts";
import { headerNamePart, headerValue } from "../apiserver/http/forwarded-headers.ts";
import { badRequest } from "../apiserver/registry/status-error.ts";

/** A member gives these itself to whoever it acts for; asking for them would need a right of its own. */
const GIVEN_GROUPS: ReadonlySet<string> = new Set(["system:authenticated", "system:unauthenticated"]);
/** Extras that tell of the credential that was shown here, which no member has seen. */
const CREDENTIAL_EXTRAS = "authentication.kubernetes.io/";

/**
 * The `Impersonate-*` headers for a user. `whole`: the account may impersonate UIDs and every extra; otherwise (accounts
 * that Karmada made) the UID and what describes the credential stay here, and other extras go along, for the member to
 * refuse: they may narrow what the user is allowed. Throws a 400 for a user whose name or groups no header can hold.
 */
export function impersonationHeaders(user: UserInfo, whole: boolean): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = { "impersonate-user": headerText(user.name) };
  const groups = user.groups.filter((group) => !GIVEN_GROUPS.has(group)).map(headerText);
  if (groups.length > 0) headers["impersonate-group"] = groups;
  if (whole && user.uid !== undefined && user.uid !== "") headers["impersonate-uid"] = headerText(user.uid);
  for (const [key, values] of Object.entries(user.extra ?? {})) {
    if (values.length === 0 || (!whole && key.startsWith(CREDENTIAL_EXTRAS))) continue;
    headers[`impersonate-extra-${headerNamePart(key)}`] = values.map(headerText);
  }
  return headers;
}

/** True when the headers depend on what the account may impersonate. */
export function needsWholeIdentity(user: UserInfo): boolean {
  if (user.uid !== undefined && user.uid !== "") return true;
  return Object.keys(user.extra ?? {}).some((key) => key.startsWith(CREDENTIAL_EXTRAS));
}

function headerText(text: string): string {
  const value = headerValue(text);
  if (value === undefined || value.trim() !== value || value === "") {
    throw badRequest(`the user ${JSON.stringify(text)} cannot be told to a cluster: no header can hold this text`);
  }
  return value;
}
