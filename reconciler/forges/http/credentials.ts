// How requests say who sends them.

import { forgeCredentialsInvalid } from "../errors.ts";
import type { Call } from "../forge.ts";

/** Makes the headers that show who is asking. */
export interface ForgeAuth {
  headers(call: Call): Promise<Readonly<Record<string, string>>>;
  /** Forgets what the provider has just refused; true when another request may be accepted. */
  renew(): boolean;
  /** What must not be seen in any message. */
  secrets(): readonly string[];
  /** Ends connections of its own. */
  close?(): void;
}

/** A header that is always the same, such as `authorization`. Throws `forge-credentials-invalid` for one that cannot be sent. */
export function fixedHeader(name: string, value: string, secret: string): ForgeAuth {
  const headers = { [name]: value };
  return { headers: () => Promise.resolve(headers), renew: () => false, secrets: () => [secret, value] };
}

/** `Authorization: Bearer TOKEN`, or another scheme such as `token`. */
export function tokenAuth(token: string, scheme = "Bearer"): ForgeAuth {
  const secret = checkSecret("token", token);
  return fixedHeader("authorization", `${scheme} ${secret}`, secret);
}

export function basicAuth(username: string, password: string): ForgeAuth {
  if (username.includes(":")) throw forgeCredentialsInvalid("have a user name with a colon");
  const secret = checkSecret("password", password);
  return fixedHeader("authorization", `Basic ${Buffer.from(`${username}:${secret}`).toString("base64")}`, secret);
}

/** The secret itself, without the line end that `echo` leaves behind one. A line end inside it would forge a header. */
export function checkSecret(what: string, text: string): string {
  const value = text.replace(/\r?\n$/, "");
  if (value === "") throw forgeCredentialsInvalid(`have an empty ${what}`);
  if (!/^[\x21-\x7e]+$/.test(value)) {
    throw forgeCredentialsInvalid(`have a ${what} with white space, line ends or characters that are not ASCII`);
  }
  return value;
}
