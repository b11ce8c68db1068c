// The public keys of a token issuer, found by its discovery document.
import { createPublicKey, type KeyObject, type webcrypto } from "node:crypto";
import { isObject } from "../../../kube/object.ts";
import type { Clock } from "../../../runtime/clock.ts";

/** Fetches a JSON document; rejects with a reason that names the URL. */
export type FetchJson = (url: string) => Promise<unknown>;

/** At most this often are keys fetched again: a stranger can send any number of tokens with unknown key ids. */
const REFRESH_EVERY_MS = 10_000;
const MOST_KEYS = 100;

interface PublicKey {
  readonly id: string | undefined;
  readonly key: KeyObject;
}

/** Keeps the keys of one issuer, and fetches them again when a token names one that it does not know. */
export class KeySource {
  readonly #issuerUrl: string;
  readonly #discoveryUrl: string;
  readonly #fetchJson: FetchJson;
  readonly #clock: Clock;
  #keys: readonly PublicKey[] = [];
  #fetchedMs = Number.NEGATIVE_INFINITY;
  #failure: unknown;
  #pending: Promise<void> | undefined;

  constructor(
    { issuerUrl, discoveryUrl }: { readonly issuerUrl: string; readonly discoveryUrl?: string | undefined },
    fetchJson: FetchJson,
    clock: Clock,
  ) {
    this.#issuerUrl = issuerUrl;
    this.#discoveryUrl = discoveryUrl ?? `${issuerUrl.replace(/\/$/, "")}/.well-known/openid-configuration`;
    this.#fetchJson = fetchJson;
    this.#clock = clock;
  }

  /** Whether a key of that id passes `test`; without an id, whether any key does. Keys may be fetched for it. */
  async someKey(id: string | undefined, test: (key: KeyObject) => boolean): Promise<boolean> {
    const passes = (): boolean => this.#keys.some((each) => (id === undefined || each.id === id) && test(each.key));
    if (passes()) return true;
    if (this.#clock.now() - this.#fetchedMs < REFRESH_EVERY_MS) {
      if (this.#failure !== undefined) throw this.#failure;
      return false;
    }
    await this.refresh();
    return passes();
  }

  /** Fetches the keys; several callers wait for one fetch. */
  refresh(): Promise<void> {
    this.#pending ??= this.#fetch().finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  async #fetch(): Promise<void> {
    this.#fetchedMs = this.#clock.now();
    try {
      const document = await this.#fetchJson(this.#discoveryUrl);
      const { issuer, jwks_uri: url } = isObject(document) ? document : {};
      // The document must be the issuer's own, or anybody's keys would do.
      if (issuer !== this.#issuerUrl) {
        throw new Error(`${this.#discoveryUrl} is of the issuer ${JSON.stringify(issuer)}, not of ${this.#issuerUrl}`);
      }
      if (typeof url !== "string" || !url.startsWith("https://"))
        throw new Error(`${this.#discoveryUrl} names no jwks_uri that starts with https://`);
      this.#keys = keysOf(await this.#fetchJson(url));
      this.#failure = undefined;
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }
}

/** The usable keys of a key set; others, such as those for encryption, are passed over. */
function keysOf(document: unknown): PublicKey[] {
  const list = isObject(document) && Array.isArray(document["keys"]) ? document["keys"] : [];
  const keys: PublicKey[] = [];
  for (const each of list.slice(0, MOST_KEYS)) {
    if (!isObject(each) || (each["use"] !== undefined && each["use"] !== "sig")) continue;
    try {
      // The constructor checks what it is given.
      const key = createPublicKey({ key: each as webcrypto.JsonWebKey, format: "jwk" });
      keys.push({ id: typeof each["kid"] === "string" ? each["kid"] : undefined, key });
    } catch {
      // Of a kind that Node does not know: no token can be checked by it.
    }
  }
  return keys;
}
