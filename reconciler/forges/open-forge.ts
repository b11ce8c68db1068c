import type { Clock } from "../../runtime/clock.ts";
import { AzureForge } from "./azure/azure-forge.ts";
import { BitbucketCloudForge } from "./bitbucket/bitbucket-cloud-forge.ts";
import { BitbucketDataCenterForge } from "./bitbucket/bitbucket-data-center-forge.ts";
import { forgeUnsupported } from "./errors.ts";
import type { Forge, ForgeUser } from "./forge.ts";
import { GiteaForge } from "./gitea/gitea-forge.ts";
import { appAuth, InstallationAuth, readAppKey } from "./github/github-app.ts";
import { GitHubForge } from "./github/github-forge.ts";
import { GitLabForge } from "./gitlab/gitlab-forge.ts";
import type { ForgeTls } from "./http/connection.ts";
import { basicAuth, checkSecret, type ForgeAuth, fixedHeader, tokenAuth } from "./http/credentials.ts";
import { ForgeHttp, type HttpLimits } from "./http/forge-http.ts";
import { type AddressOptions, PROVIDERS, type RepositoryAddress, repositoryAddress } from "./repository-address.ts";

/**
 * token: a personal, project or repository access token, or the one a workflow has. jobToken: GitLab's CI_JOB_TOKEN.
 * basic: user name and app password or API token (Bitbucket), or any name and a personal token (Azure DevOps).
 * bearer: as a bearer token where `token` would be sent in another way, such as Azure DevOps' System.AccessToken.
 * app: a GitHub App.
 */
export type ForgeCredentials =
  | { readonly type: "token"; readonly token: string }
  | { readonly type: "bearer"; readonly token: string }
  | { readonly type: "jobToken"; readonly token: string }
  | { readonly type: "basic"; readonly username: string; readonly password: string }
  | {
      readonly type: "app";
      readonly appId: string;
      readonly privateKey: string;
      readonly installationId?: string | undefined;
    };

export interface OpenForgeOptions extends AddressOptions {
  /** The clone URL. */
  readonly repository: string;
  readonly credentials: ForgeCredentials;
  /** Whose credentials these are, where the provider does not tell. */
  readonly user?: ForgeUser | undefined;
  readonly tls?: ForgeTls | undefined;
  readonly clock: Clock;
  /** At least 0, below 1. */
  readonly random: () => number;
  readonly limits?: Partial<HttpLimits> | undefined;
}

/**
 * Opens a repository at its provider; asks nothing yet. Throws `forge-address-unknown`, `forge-credentials-invalid`, or
 * `forge-unsupported` for credentials of another provider. `http_proxy`, `https_proxy` and `no_proxy` are followed.
 */
export function openForge(options: OpenForgeOptions): Forge {
  const address = repositoryAddress(options.repository, options);
  const { credentials, clock, user } = options;
  const connect = (auth: ForgeAuth) => connectTo(address, options, auth);
  switch (address.kind) {
    case "github": {
      if (credentials.type !== "app") {
        return new GitHubForge({ address, http: connect(tokenAuth(tokenOf(credentials, address))), clock, user });
      }
      const asApp = connect(appAuth(credentials.appId, readAppKey(credentials.privateKey), clock));
      const { installationId } = credentials;
      const auth = new InstallationAuth({ http: asApp, clock, repository: address.path, installationId });
      return new GitHubForge({ address, http: connect(auth), clock, user });
    }
    case "gitlab": {
      const isJob = credentials.type === "jobToken";
      return new GitLabForge({ address, http: connect(gitlabAuth(credentials, address)), clock, user, isJob });
    }
    case "gitea":
      return new GiteaForge({ address, http: connect(tokenAuth(tokenOf(credentials, address), "token")), clock, user });
    case "bitbucket-cloud":
      return new BitbucketCloudForge({ address, http: connect(atlassianAuth(credentials, address)), clock, user });
    case "bitbucket-data-center":
      return new BitbucketDataCenterForge({ address, http: connect(atlassianAuth(credentials, address)), clock, user });
    case "azure-devops": {
      const auth = azureAuth(credentials, address);
      // Users are known to a service of their own, except on a server.
      const identities = address.apiUrl.replace("https://dev.azure.com/", "https://vssps.dev.azure.com/");
      const asIdentities = connectTo({ ...address, apiUrl: identities }, options, auth);
      return new AzureForge({ address, http: connect(auth), identities: asIdentities, clock, user });
    }
  }
}

function atlassianAuth(credentials: ForgeCredentials, address: RepositoryAddress): ForgeAuth {
  if (credentials.type === "basic") return basicAuth(credentials.username, credentials.password);
  return tokenAuth(tokenOf(credentials, address));
}

/** Personal tokens are passwords there, of whatever user. */
function azureAuth(credentials: ForgeCredentials, address: RepositoryAddress): ForgeAuth {
  if (credentials.type === "bearer") return tokenAuth(credentials.token);
  if (credentials.type === "basic") return basicAuth(credentials.username, credentials.password);
  return basicAuth("", tokenOf(credentials, address));
}

function gitlabAuth(credentials: ForgeCredentials, address: RepositoryAddress): ForgeAuth {
  if (credentials.type === "bearer") return tokenAuth(credentials.token);
  if (credentials.type === "jobToken") {
    const job = checkSecret("token", credentials.token);
    return fixedHeader("job-token", job, job);
  }
  const token = checkSecret("token", tokenOf(credentials, address));
  return fixedHeader("private-token", token, token);
}

/** The version of the API that is spoken, where requests have to name it. */
const HEADERS: Partial<Record<RepositoryAddress["kind"], Readonly<Record<string, string>>>> = {
  github: { accept: "application/vnd.github+json", "x-github-api-version": "2022-11-28" },
  // Known to Server from 2022 on.
  "azure-devops": { accept: "application/json;api-version=7.0" },
};

/** Requests to the API of a repository. */
export function connectTo(address: RepositoryAddress, options: OpenForgeOptions, auth: ForgeAuth): ForgeHttp {
  const { clock, random, tls, limits } = options;
  return new ForgeHttp({
    provider: PROVIDERS[address.kind],
    repository: address.path.join("/"),
    apiUrl: address.apiUrl,
    auth,
    clock,
    random,
    tls,
    limits,
    headers: HEADERS[address.kind] ?? {},
  });
}

function tokenOf(credentials: ForgeCredentials, { kind }: RepositoryAddress): string {
  if (credentials.type === "token" || credentials.type === "bearer") return credentials.token;
  throw forgeUnsupported(PROVIDERS[kind], `credentials of type ${credentials.type}`, "give a token");
}
