// What a Secret may hold for a repository, with the key names of Flux and, where they differ, of Argo CD.

import { gitRefInvalid } from "../errors.ts";

export interface GitCredentials {
  readonly username?: string;
  readonly password?: string;
  readonly bearerToken?: string;
  /** PEM of the authorities to trust instead of the system's. */
  readonly caFile?: string;
  /** PEM of a client certificate and its key. */
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  /** Private key for ssh. */
  readonly identity?: string;
  readonly knownHosts?: string;
}

const KEYS: Readonly<Record<keyof GitCredentials, readonly string[]>> = {
  username: ["username"],
  password: ["password"],
  bearerToken: ["bearerToken"],
  caFile: ["ca.crt", "caFile"],
  clientCertificate: ["tls.crt", "tlsClientCertData"],
  clientKey: ["tls.key", "tlsClientCertKey"],
  identity: ["identity", "sshPrivateKey", "ssh-privatekey"],
  knownHosts: ["known_hosts"],
};

/** Picks the known keys of a Secret's decoded data. Other keys are ignored; a value is never shown. */
export function credentialsFromSecret(
  values: Readonly<Record<string, string | Uint8Array | undefined>>,
): GitCredentials {
  const found: Record<string, string> = {};
  for (const [field, names] of Object.entries(KEYS)) {
    const name = names.find((candidate) => Object.hasOwn(values, candidate));
    const value = name === undefined ? undefined : values[name];
    if (value === undefined || value.length === 0) continue;
    const text = typeof value === "string" ? value : Buffer.from(value).toString("utf8");
    // A line feed at the end is what `echo` leaves in a secret; one inside a user name would forge a header.
    found[field] =
      field === "username" || field === "password" || field === "bearerToken" ? oneLine(field, text) : text;
  }
  return found;
}

function oneLine(field: string, text: string): string {
  const line = text.replace(/\r?\n$/, "");
  if (/[\r\n\0]/.test(line)) throw gitRefInvalid(`the ${field} in the secret`, "has more than one line");
  return line;
}

/** Value of the Authorization header; `undefined` without a token, user name and password. */
export function authorizationOf(credentials: GitCredentials): string | undefined {
  if (credentials.bearerToken !== undefined) return `Bearer ${credentials.bearerToken}`;
  if (credentials.username === undefined && credentials.password === undefined) return undefined;
  const pair = `${credentials.username ?? "git"}:${credentials.password ?? ""}`;
  return `Basic ${Buffer.from(pair).toString("base64")}`;
}
