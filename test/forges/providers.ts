// The providers that the specification of a forge runs over.
import type { ForgeKind } from "../../reconciler/forges/forge.ts";
import type { HttpLimits } from "../../reconciler/forges/http/forge-http.ts";
import { type ForgeCredentials, type OpenForgeOptions, openForge } from "../../reconciler/forges/open-forge.ts";
import { FakeGitHub } from "./fake-github.ts";
import { type FakeServer, TOKEN } from "./fake-server.ts";
import { HastyClock, NEVER_MS } from "./hasty-clock.ts";

export interface Provider {
  readonly kind: ForgeKind;
  readonly server: () => FakeServer;
  readonly credentials: ForgeCredentials;
  /** The paths of requests about comments. */
  readonly commentPaths: RegExp;
}

export const PROVIDERS: readonly Provider[] = [
  {
    kind: "github",
    server: () => new FakeGitHub(),
    credentials: { type: "token", token: TOKEN },
    commentPaths: /comments/,
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
