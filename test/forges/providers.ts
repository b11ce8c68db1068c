// The providers that the specification of a forge runs over.
import type { ForgeKind } from "../../reconciler/forges/forge.ts";
import type { HttpLimits } from "../../reconciler/forges/http/forge-http.ts";
import { type ForgeCredentials, type OpenForgeOptions, openForge } from "../../reconciler/forges/open-forge.ts";
import { FakeAzure } from "./fake-azure.ts";
import { FakeBitbucketCloud } from "./fake-bitbucket-cloud.ts";
import { FakeBitbucketDataCenter } from "./fake-bitbucket-data-center.ts";
import { FakeGitea } from "./fake-gitea.ts";
import { FakeGitHub } from "./fake-github.ts";
import { FakeGitLab } from "./fake-gitlab.ts";
import { type FakeServer, TOKEN } from "./fake-server.ts";
import { HastyClock, NEVER_MS } from "./hasty-clock.ts";

export interface Provider {
  readonly kind: ForgeKind;
  readonly server: () => FakeServer;
  readonly credentials: ForgeCredentials;
  /** The paths of requests about comments. */
  readonly commentPaths: RegExp;
  /** The method that changes comments. */
  readonly updates: "PATCH" | "PUT";
}

const BY_TOKEN: ForgeCredentials = { type: "token", token: TOKEN };

export const PROVIDERS: readonly Provider[] = [
  { kind: "github", server: () => new FakeGitHub(), credentials: BY_TOKEN, commentPaths: /comments/, updates: "PATCH" },
  { kind: "gitlab", server: () => new FakeGitLab(), credentials: BY_TOKEN, commentPaths: /notes/, updates: "PUT" },
  { kind: "gitea", server: () => new FakeGitea(), credentials: BY_TOKEN, commentPaths: /comments/, updates: "PATCH" },
  {
    kind: "bitbucket-cloud",
    server: () => new FakeBitbucketCloud(),
    credentials: BY_TOKEN,
    commentPaths: /comments/,
    updates: "PUT",
  },
  {
    kind: "bitbucket-data-center",
    server: () => new FakeBitbucketDataCenter(),
    credentials: BY_TOKEN,
    commentPaths: /comments/,
    updates: "PUT",
  },
  {
    kind: "azure-devops",
    server: () => new FakeAzure(),
    credentials: BY_TOKEN,
    commentPaths: /threads/,
    updates: "PATCH",
  },
];

export interface Opened {
  readonly forge: ReturnType<typeof openForge>;
  readonly clock: HastyClock;
}

/** A client of a fake server, with time that passes at once. */
export function openFake(
  provider: Provider,
  server: FakeServer,
  more: Partial<OpenForgeOptions> & { readonly limits?: Partial<HttpLimits> } = {},
): Opened {
  const clock = new HastyClock();
  const forge = openForge({
    repository: server.cloneUrl,
    kind: provider.kind,
    baseUrl: server.url,
    credentials: provider.credentials,
    clock,
    random: () => 0.5,
    ...more,
    limits: { timeoutMs: NEVER_MS, ...more.limits },
  });
  return { forge, clock };
}
