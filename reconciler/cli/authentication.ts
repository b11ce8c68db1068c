// Who may come in, from the command line: token file, OIDC providers by kube-apiserver's flags or its configuration file.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseTokenFile } from "../../fleets/apiserver/http/authentication.ts";
import { httpsFetcher } from "../../fleets/apiserver/http/fetch-json.ts";
import type { RequestHeaderOptions } from "../../fleets/apiserver/http/front-proxy.ts";
import { isSigningAlgorithm, SIGNING_ALGORITHMS } from "../../fleets/apiserver/tokens/jwt.ts";
import { OidcIssuer } from "../../fleets/apiserver/tokens/oidc-issuer.ts";
import type { UserInfo } from "../../kube/client/transport.ts";
import type { Clock } from "../../runtime/clock.ts";
import { AppError, messageOf } from "../../runtime/errors.ts";
import type { Logger } from "../../runtime/logger.ts";
import { checkIssuerUrl, type OidcProvider, readAuthenticationConfig } from "./authentication-config.ts";
import { type CommandOption, type Invocation, stringOption, UsageError } from "./command.ts";

export interface AuthenticationSettings {
  /** Users of fixed bearer tokens. */
  readonly tokens?: ((token: string) => UserInfo | undefined) | undefined;
  readonly providers: readonly OidcProvider[];
  /** Whether requests without credentials are let in as `system:anonymous`. */
  readonly anonymous: boolean;
  /** The proxy whose word is taken for who the user is. */
  readonly requestHeader: RequestHeaderOptions | undefined;
}

export const AUTHENTICATION_OPTIONS: Readonly<Record<string, CommandOption>> = {
  "token-file": { type: "string", value: "FILE", help: 'users of bearer tokens: lines of token,user,uid,"groups"' },
  "anonymous-auth": { type: "string", value: "BOOL", help: "let in requests without credentials (default: true)" },
  "authentication-config": {
    type: "string",
    value: "FILE",
    help: "OIDC providers, in the form of kube-apiserver's AuthenticationConfiguration",
  },
  "oidc-issuer-url": { type: "string", value: "URL", help: "accept the tokens of this OpenID Connect provider" },
  "oidc-client-id": { type: "string", value: "ID", help: "audience that its tokens must have" },
  "oidc-username-claim": { type: "string", value: "CLAIM", help: "claim that names the user (default: sub)" },
  "oidc-username-prefix": {
    type: "string",
    value: "TEXT",
    help: "put before user names; - for none (default: the issuer's URL and #, none for email)",
  },
  "oidc-groups-claim": { type: "string", value: "CLAIM", help: "claim that names the user's groups" },
  "oidc-groups-prefix": { type: "string", value: "TEXT", help: "put before group names" },
  "oidc-required-claim": {
    type: "string",
    multiple: true,
    value: "CLAIM=VALUE",
    help: "claim that a token must have (repeatable)",
  },
  "oidc-ca-file": { type: "string", value: "FILE", help: "authorities of the provider's certificate" },
  "requestheader-client-ca-file": {
    type: "string",
    value: "FILE",
    help: "believe X-Remote-User, -Group, -Uid and -Extra of callers with a certificate of this authority: a kube-apiserver's aggregation layer",
  },
  "requestheader-allowed-names": {
    type: "string",
    value: "NAMES",
    help: "common names that such a certificate may have, by comma (default: any)",
  },
  "oidc-signing-algs": { type: "string", value: "ALGS", help: "accepted algorithms, by comma (default: RS256)" },
};

/** Reads the options above. Throws a usage error or an `AppError` that says what to change. */
export function readAuthentication(invocation: Invocation): AuthenticationSettings {
  const { cwd } = invocation.io;
  const tokenFile = stringOption(invocation, "token-file");
  const configFile = stringOption(invocation, "authentication-config");
  const provider = readProvider(invocation);
  const anonymous = stringOption(invocation, "anonymous-auth") ?? "true";
  if (anonymous !== "true" && anonymous !== "false")
    throw new UsageError(`--anonymous-auth takes true or false, not "${anonymous}"`);
  if (configFile !== undefined && provider !== undefined)
    throw new UsageError(
      "--authentication-config and the --oidc-* options exclude each other: put all providers into the file",
    );
  const config =
    configFile === undefined
      ? undefined
      : readAuthenticationConfig(readText(resolve(cwd, configFile), "configuration"), configFile);
  return {
    tokens: tokenFile === undefined ? undefined : readTokens(resolve(cwd, tokenFile)),
    providers: config?.providers ?? (provider === undefined ? [] : [provider]),
    anonymous: config?.anonymous ?? anonymous === "true",
    requestHeader: readRequestHeader(invocation),
  };
}

function readRequestHeader(invocation: Invocation): RequestHeaderOptions | undefined {
  const file = stringOption(invocation, "requestheader-client-ca-file");
  const names = stringOption(invocation, "requestheader-allowed-names");
  if (file === undefined) {
    if (names === undefined) return undefined;
    throw new UsageError("--requestheader-allowed-names is for --requestheader-client-ca-file, which is missing");
  }
  const allowedNames = (names ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  return { caPem: readText(resolve(invocation.io.cwd, file), "authority of the front proxy"), allowedNames };
}

function readProvider(invocation: Invocation): OidcProvider | undefined {
  const option = (name: string): string | undefined => stringOption(invocation, `oidc-${name}`);
  const given = Object.keys(AUTHENTICATION_OPTIONS).filter(
    (name) => name.startsWith("oidc-") && invocation.values[name] !== undefined,
  );
  if (given.length === 0) return undefined;
  const issuerUrl = option("issuer-url");
  const clientId = option("client-id");
  if (issuerUrl === undefined || clientId === undefined)
    throw new UsageError("--oidc-issuer-url and --oidc-client-id must be given together when any --oidc-* option is");
  const problem = checkIssuerUrl(issuerUrl);
  if (problem !== undefined) throw new UsageError(`--oidc-issuer-url ${problem}`);
  const algorithms = (option("signing-algs") ?? "RS256").split(",").map((name) => name.trim());
  const caFile = option("ca-file");
  const prefix = option("username-prefix");
  return {
    issuerUrl,
    clientIds: [clientId],
    usernameClaim: option("username-claim") ?? "sub",
    usernamePrefix: prefix === "-" ? "" : prefix === "" ? undefined : prefix,
    groupsClaim: option("groups-claim"),
    groupsPrefix: option("groups-prefix"),
    requiredClaims: readRequiredClaims(invocation.values["oidc-required-claim"]),
    signingAlgorithms: algorithms.map((name) => {
      if (isSigningAlgorithm(name)) return name;
      throw new UsageError(`--oidc-signing-algs knows ${SIGNING_ALGORITHMS.join(", ")}, not "${name}"`);
    }),
    caPem:
      caFile === undefined
        ? undefined
        : readText(resolve(invocation.io.cwd, caFile), "authorities of the OIDC provider"),
  };
}

function readRequiredClaims(values: Invocation["values"][string]): Record<string, string> {
  const list = Array.isArray(values) ? (values as readonly string[]) : [];
  return Object.fromEntries(
    list.map((text) => {
      const at = text.indexOf("=");
      if (at < 1) throw new UsageError(`--oidc-required-claim takes CLAIM=VALUE, not "${text}"`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

function readText(path: string, what: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const message = `cannot read the ${what}: ${messageOf(error)}`;
    throw new AppError("authentication-file-unreadable", message, { recovery: "stall", cause: error });
  }
}

/** Users of bearer tokens, from a file in the form that kube-apiserver's --token-auth-file has. */
function readTokens(path: string): (token: string) => UserInfo | undefined {
  const users = parseTokenFile(readText(path, "token file"));
  return (token) => users.get(token);
}

/** The issuers of providers. A provider that cannot be reached is reported; its tokens are tried again when they come. */
export function openIssuers(providers: readonly OidcProvider[], clock: Clock, logger: Logger): OidcIssuer[] {
  return providers.map((provider) => {
    const issuer = new OidcIssuer(provider, httpsFetcher(provider.caPem), clock, logger);
    issuer.prepare().catch((error: unknown) => {
      logger.warn("cannot read the keys of an OIDC provider; tried again with its next token", {
        issuer: provider.issuerUrl,
        error: messageOf(error),
      });
    });
    return issuer;
  });
}
