// How Git itself is spoken with what a provider's API is asked with.
import type { GitCredentials } from "../../sources/git/credentials.ts";
import { forgeUnsupported } from "./errors.ts";
import type { Call } from "./forge.ts";
import { appAuth, InstallationAuth, readAppKey } from "./github/github-app.ts";
import { checkSecret } from "./http/credentials.ts";
import { connectTo, type ForgeCredentials, type OpenForgeOptions } from "./open-forge.ts";
import { PROVIDERS, type RepositoryAddress, repositoryAddress } from "./repository-address.ts";

/** Where a repository is pushed to, and as whom. */
export interface GitAccess {
  /** Over http(s). */
  readonly url: string;
  readonly credentials: GitCredentials;
}

/**
 * Git's access to a repository by the credentials of its provider. Asks the provider only for the token of a GitHub App.
 * Throws what `openForge` throws, and `forge-unsupported` for credentials that are good for the API alone.
 */
export async function gitAccessOf(options: OpenForgeOptions, call: Call): Promise<GitAccess> {
  const address = repositoryAddress(options.repository, options);
  const login = await loginOf(options, address, call);
  const { caFile, clientCertificate, clientKey } = options.tls ?? {};
  return {
    url: gitUrl(options.repository, address),
    credentials: {
      ...login,
      ...(caFile === undefined ? {} : { caFile }),
      ...(clientCertificate === undefined ? {} : { clientCertificate }),
      ...(clientKey === undefined ? {} : { clientKey }),
    },
  };
}

/** What each provider documents as the user name beside a token. */
const TOKEN_USERS: Readonly<Record<RepositoryAddress["kind"], string>> = {
  github: "x-access-token",
  gitlab: "oauth2",
  gitea: "oauth2",
  "bitbucket-cloud": "x-token-auth",
  "bitbucket-data-center": "x-token-auth",
  "azure-devops": "token",
};

async function loginOf(
  options: OpenForgeOptions,
  address: RepositoryAddress,
  call: Call,
): Promise<Pick<GitCredentials, "username" | "password" | "bearerToken">> {
  const { credentials } = options;
  const username = TOKEN_USERS[address.kind];
  switch (credentials.type) {
    case "token":
      return { username, password: checkSecret("token", credentials.token) };
    case "bearer":
      // Azure DevOps takes the token of a pipeline in no other way.
      return address.kind === "azure-devops"
        ? { bearerToken: checkSecret("token", credentials.token) }
        : { username, password: checkSecret("token", credentials.token) };
    case "basic":
      return {
        // Its API tokens belong to an address for mail at the API, and to this name for Git.
        username:
          address.kind === "bitbucket-cloud" && credentials.username.includes("@")
            ? "x-bitbucket-api-token-auth"
            : credentials.username,
        password: checkSecret("password", credentials.password),
      };
    case "app":
      return { username, password: await installationToken(options, credentials, address, call) };
    case "jobToken":
      throw forgeUnsupported(PROVIDERS[address.kind], "push by a job's token", "give a token");
  }
}

async function installationToken(
  options: OpenForgeOptions,
  app: Extract<ForgeCredentials, { readonly type: "app" }>,
  address: RepositoryAddress,
  call: Call,
): Promise<string> {
  const { clock } = options;
  const http = connectTo(address, options, appAuth(app.appId, readAppKey(app.privateKey), clock));
  const auth = new InstallationAuth({ http, clock, repository: address.path, installationId: app.installationId });
  try {
    const { authorization = "" } = await auth.headers(call);
    return authorization.replace(/^Bearer /, "");
  } finally {
    auth.close();
  }
}

function gitUrl(repository: string, { apiUrl, kind, path, webUrl }: RepositoryAddress): string {
  if (/^https?:\/\//i.test(repository)) return repository;
  if (kind === "azure-devops") return webUrl;
  if (kind !== "bitbucket-data-center") return `${webUrl}.git`;
  const [key = "", slug = ""] = path.map((part) => encodeURIComponent(part.toLowerCase()));
  return `${apiUrl.replace(/\/rest$/, "")}/scm/${key}/${slug}.git`;
}
