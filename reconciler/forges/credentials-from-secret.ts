// What a Secret may hold for a provider, with the key names of Flux' notification providers and of Git credentials.
import { forgeCredentialsInvalid } from "./errors.ts";
import type { ForgeTls } from "./http/connection.ts";
import type { ForgeCredentials } from "./open-forge.ts";

export interface ForgeSecret {
  readonly credentials: ForgeCredentials;
  readonly tls: ForgeTls;
}

type Values = Readonly<Record<string, string | Uint8Array | undefined>>;

/**
 * Picks the known keys of a Secret's decoded data; a value is never shown. A GitHub App (`githubAppID`,
 * `githubAppPrivateKey`, and `githubAppInstallationID` if it is known) counts before `token`, that before `bearerToken`,
 * and that before `username` and `password`. Throws `forge-credentials-invalid` when there is none of them, or half of one.
 */
export function forgeCredentialsFromSecret(values: Values): ForgeSecret {
  const read = (...names: readonly string[]) =>
    names.map((name) => textOf(values, name)).find((text) => text !== undefined);
  const certificate = read("tls.crt", "tlsClientCertData");
  const key = read("tls.key", "tlsClientCertKey");
  const tls: ForgeTls = {
    caFile: read("ca.crt", "caFile"),
    ...(certificate === undefined || key === undefined ? {} : { clientCertificate: certificate, clientKey: key }),
  };
  return { credentials: credentialsIn(read), tls };
}

function credentialsIn(read: (...names: readonly string[]) => string | undefined): ForgeCredentials {
  const appId = read("githubAppID")?.trim();
  const privateKey = read("githubAppPrivateKey");
  if (appId !== undefined || privateKey !== undefined) {
    if (appId === undefined || privateKey === undefined) {
      throw forgeCredentialsInvalid(
        `lack ${appId === undefined ? "githubAppID" : "githubAppPrivateKey"} in the secret`,
      );
    }
    return { type: "app", appId, privateKey, installationId: read("githubAppInstallationID")?.trim() };
  }
  const token = read("token");
  if (token !== undefined) return { type: "token", token };
  const bearer = read("bearerToken");
  if (bearer !== undefined) return { type: "bearer", token: bearer };
  const password = read("password");
  if (password === undefined) {
    throw forgeCredentialsInvalid(
      "are not in the secret: it needs token, or username and password, or githubAppID and githubAppPrivateKey",
    );
  }
  return { type: "basic", username: read("username")?.trim() ?? "", password };
}

function textOf(values: Values, name: string): string | undefined {
  const value = Object.hasOwn(values, name) ? values[name] : undefined;
  if (value === undefined || value.length === 0) return undefined;
  return typeof value === "string" ? value : Buffer.from(value).toString("utf8");
}
