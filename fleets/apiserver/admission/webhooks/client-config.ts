// Where a webhook is, as admission webhooks and conversion webhooks of definitions say it.
import type { CallTarget } from "../../http/json-call.ts";
import { resolveService } from "../../http/service-resolver.ts";
import type { Store } from "../../storage/store.ts";

/** `clientConfig` of a stored object: exactly one of `url` and `service`, which validation saw to. */
export interface WebhookClientConfig {
  readonly url?: string;
  readonly service?: {
    readonly namespace: string;
    readonly name: string;
    readonly path?: string;
    readonly port?: number;
  };
  /** PEM in base64. */
  readonly caBundle?: string;
}

/** Where to call, with `timeout` in the query as the reference sends it. Throws in words when the Service leads nowhere. */
export function targetOf(config: WebhookClientConfig, store: Store, timeoutSeconds: number): CallTarget {
  const ca = config.caBundle === undefined || config.caBundle === "" ? undefined : decodeBundle(config.caBundle);
  const { service } = config;
  if (service === undefined) return { url: withTimeout(new URL(config.url ?? ""), timeoutSeconds), ca };
  const { host, port, serverName } = resolveService(store, service);
  const url = new URL(`https://${serverName}:${service.port ?? 443}`);
  url.pathname = service.path ?? "/";
  // The default port must be seen in errors, and a URL hides it: the name says enough.
  return { url: withTimeout(url, timeoutSeconds), ca, address: { host, port } };
}

function decodeBundle(text: string): string {
  return Buffer.from(text, "base64").toString();
}

function withTimeout(url: URL, seconds: number): URL {
  url.searchParams.set("timeout", `${seconds}s`);
  return url;
}
