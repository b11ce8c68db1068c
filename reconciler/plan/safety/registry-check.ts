// Whether registries have an image, by the protocol of the OCI distribution specification 1.1: asked for by name, nothing is
// fetched.
import { isObject } from "../../../kube/object.ts";
import { isInward, isLoopback } from "../../../sources/network.ts";
import { AnswerTooLarge, Connection, ConnectionFailure, type Incoming } from "../../forges/http/connection.ts";
import { parseImage } from "../../overrides/image-reference.ts";

export type ImageState =
  | { readonly state: "found" }
  | { readonly state: "missing"; readonly why: string }
  /** Nothing can be said, as of an image that may not be read. */
  | { readonly state: "unknown"; readonly why: string };

/** Throws only what its signal aborts with. */
export type CheckImage = (image: string) => Promise<ImageState>;

export interface RegistryOptions {
  readonly signal: AbortSignal;
  /** For an image, all questions about it together. 10 seconds unless told otherwise. */
  readonly timeoutMs?: number;
  /** Registries of this machine and of private networks, by `host:port`: names come from changes that nobody has looked at. */
  readonly inwardHosts?: readonly string[];
  /** Sent to the token server that the registry names. */
  readonly credentialsOf?: (host: string) => { readonly username: string; readonly password: string } | undefined;
}

const DEFAULT_TIMEOUT_MS = 10_000;
const MAX_TOKEN_BYTES = 64 * 1024;
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
const MAX_REDIRECTS = 2;

const MANIFEST_TYPES = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

/** Asks registries, about each image once. Closing ends its connections. */
export class RegistryCheck {
  readonly #options: RegistryOptions;
  readonly #connections = new Map<string, Connection>();
  readonly #answers = new Map<string, Promise<ImageState>>();

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  readonly check: CheckImage = (image) => {
    let answer = this.#answers.get(image);
    if (answer === undefined) {
      answer = this.#ask(image);
      this.#answers.set(image, answer);
    }
    return answer;
  };

  close(): void {
    for (const connection of this.#connections.values()) connection.close();
  }

  async #ask(image: string): Promise<ImageState> {
    const address = manifestAddress(image);
    if (address === undefined) return { state: "missing", why: "this is no name of an image" };
    const timeoutMs = this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const timeout = AbortSignal.timeout(timeoutMs);
    const signal = AbortSignal.any([this.#options.signal, timeout]);
    const host = address.url.host;
    try {
      return stateOf(await this.#head(address, signal), host);
    } catch (error) {
      this.#options.signal.throwIfAborted();
      if (timeout.aborted) return { state: "unknown", why: `${host} did not answer within ${timeoutMs / 1000}s` };
      if (error instanceof Refused) return { state: "unknown", why: error.message };
      if (error instanceof ConnectionFailure) return { state: "unknown", why: `${host}: ${error.message}` };
      if (error instanceof AnswerTooLarge) return { state: "unknown", why: `${host} answers with more than it should` };
      throw error;
    }
  }

  async #head({ url, repository }: ManifestAddress, signal: AbortSignal): Promise<Incoming> {
    const headers = { accept: MANIFEST_TYPES };
    const first = await this.#send("HEAD", url, headers, signal);
    if (first.status === 405) return this.#send("GET", url, headers, signal);
    if (first.status !== 401) return first;
    const challenge = parseChallenge(first.headers["www-authenticate"] ?? "");
    if (challenge === undefined) return first;
    const token = await this.#token(challenge, url, repository, signal);
    if (token === undefined) return first;
    return this.#send("HEAD", url, { ...headers, authorization: `Bearer ${token}` }, signal);
  }

  async #token(
    { realm, service }: Challenge,
    registry: URL,
    repository: string,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    if (!URL.canParse(realm)) return undefined;
    const url = new URL(realm);
    if (service !== undefined) url.searchParams.set("service", service);
    // Of all that it might name, this is what is asked for.
    url.searchParams.set("scope", `repository:${repository}:pull`);
    const credentials = this.#options.credentialsOf?.(registry.host);
    const basic = (one: NonNullable<typeof credentials>): string =>
      `Basic ${Buffer.from(`${one.username}:${one.password}`).toString("base64")}`;
    const headers: Record<string, string> = { accept: "application/json" };
    if (credentials !== undefined) headers["authorization"] = basic(credentials);
    const { status, body } = await this.#send("GET", url, headers, signal);
    return status === 200 ? tokenIn(body) : undefined;
  }

  /** Tokens are for one registry: they follow no redirect to another host. */
  async #send(
    method: "HEAD" | "GET",
    url: URL,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Incoming> {
    let at = url;
    let sent = headers;
    for (let hop = 0; ; hop++) {
      const why = this.#whyRefused(at);
      if (why !== undefined) throw new Refused(why);
      const maxBytes = headers["accept"] === MANIFEST_TYPES ? MAX_MANIFEST_BYTES : MAX_TOKEN_BYTES;
      const answer = await this.#connectionTo(at).send({ method, url: at, headers: sent, signal, maxBytes });
      const { location } = answer.headers;
      if (answer.status < 300 || answer.status > 399 || location === undefined || hop === MAX_REDIRECTS) return answer;
      if (!URL.canParse(location, at)) return answer;
      const next = new URL(location, at);
      if (next.host !== at.host || next.protocol !== at.protocol) {
        const { authorization: _, ...rest } = sent;
        sent = rest;
      }
      at = next;
    }
  }

  #whyRefused({ protocol, host, hostname }: URL): string | undefined {
    const isAllowed = this.#options.inwardHosts?.includes(host) === true;
    if (isInward(hostname) && !isAllowed) return `${host} is in this network, where nothing is asked for a change`;
    if (protocol === "https:" || (protocol === "http:" && isAllowed)) return undefined;
    return `${host} is to be asked without encryption`;
  }

  #connectionTo(url: URL): Connection {
    let connection = this.#connections.get(url.origin);
    if (connection === undefined) {
      connection = new Connection(url);
      this.#connections.set(url.origin, connection);
    }
    return connection;
  }
}

class Refused extends Error {}

function stateOf({ status }: Incoming, host: string): ImageState {
  if (status === 200) return { state: "found" };
  if (status === 404) return { state: "missing", why: `${host} has no such image` };
  if (status === 401 || status === 403)
    return { state: "unknown", why: `${host} lets nobody see it without credentials` };
  if (status === 429) return { state: "unknown", why: `${host} was asked too often` };
  return { state: "unknown", why: `${host} answers with status ${status}` };
}

export interface ManifestAddress {
  readonly url: URL;
  readonly repository: string;
}

const DOCKER_HUB: ReadonlySet<string> = new Set(["", "docker.io", "index.docker.io"]);

/** As container runtimes read it: Docker's registry unless another is named, `latest` unless told otherwise. */
export function manifestAddress(image: string): ManifestAddress | undefined {
  const parsed = parseImage(image);
  if (parsed === undefined) return undefined;
  const isHub = DOCKER_HUB.has(parsed.hostname);
  const host = isHub ? "registry-1.docker.io" : parsed.hostname;
  const repository = isHub && !parsed.repository.includes("/") ? `library/${parsed.repository}` : parsed.repository;
  // With a digest the tag is a remark.
  const digest = image.includes("@") ? image.slice(image.indexOf("@") + 1) : parsed.digest;
  const reference = digest || parsed.tag || "latest";
  const base = `https://${host}`;
  if (!URL.canParse(base)) return undefined;
  const protocol = isLoopback(new URL(base).hostname) ? "http" : "https";
  return { url: new URL(`${protocol}://${host}/v2/${repository}/manifests/${reference}`), repository };
}

interface Challenge {
  readonly realm: string;
  readonly service: string | undefined;
}

/** `Bearer realm="https://auth.example.io/token",service="registry.example.io"`; undefined for other schemes. */
export function parseChallenge(header: string): Challenge | undefined {
  if (!/^bearer\s/i.test(header) || header.length > 2000) return undefined;
  const fields = new Map<string, string>();
  for (const [, name = "", quoted, plain] of header.slice(7).matchAll(/([a-z_]+)=(?:"([^"]*)"|([^\s,"]+))/gi))
    fields.set(name.toLowerCase(), quoted ?? plain ?? "");
  const realm = fields.get("realm");
  return realm === undefined ? undefined : { realm, service: fields.get("service") };
}

function tokenIn(body: Buffer): string | undefined {
  let answer: unknown;
  try {
    answer = JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
  if (!isObject(answer)) return undefined;
  const found = answer["token"] ?? answer["access_token"];
  // What is no token must not become a header.
  return typeof found === "string" && /^[\x21-\x7e]+$/.test(found) ? found : undefined;
}
