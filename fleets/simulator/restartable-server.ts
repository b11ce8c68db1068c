// An API server that can be put back to another state of its store, as a restore from a backup does.
import type { FrontProxyCredentials } from "../apiserver/http/certificates.ts";
import type { ApiServer, ApiServerOptions } from "../apiserver/server.ts";
import { createApiServer } from "../apiserver/server.ts";
import type { StoreContent } from "../apiserver/storage/store.ts";
import { StoredObject } from "../apiserver/storage/stored-object.ts";

type PublishCa = ApiServer["publishCa"];

/** Looks like one server for good; what it stands for may be another one after a restart. */
export class RestartableServer implements ApiServer {
  readonly #options: ApiServerOptions;
  #server: ApiServer;
  #ca: Parameters<PublishCa> | undefined;
  #endpoint: string | undefined;

  static async start(options: ApiServerOptions): Promise<RestartableServer> {
    // What it begins with, it has once.
    const { imported: _imported, ...lasting } = options;
    return new RestartableServer(lasting, await createApiServer(options));
  }

  private constructor(options: ApiServerOptions, server: ApiServer) {
    this.#options = options;
    this.#server = server;
  }

  /** Starts anew with that content. Watches end; whoever follows `state` has to do so again. */
  async restart(content: StoreContent): Promise<void> {
    const before = this.#server;
    this.#server = await createApiServer({ ...this.#options, content });
    if (this.#ca !== undefined) this.#server.publishCa(...this.#ca);
    if (this.#endpoint !== undefined) this.#server.publishEndpoint(this.#endpoint);
    await before.close();
  }

  readonly handle: ApiServer["handle"] = (request) => this.#server.handle(request);
  readonly passesThrough: ApiServer["passesThrough"] = (path) => this.#server.passesThrough(path);
  readonly reject: ApiServer["reject"] = (request, error) => this.#server.reject(request, error);
  readonly checkToken: ApiServer["checkToken"] = (token) => this.#server.checkToken(token);

  get uid(): string {
    return this.#server.uid;
  }

  get state(): ApiServer["state"] {
    return this.#server.state;
  }

  get isBusy(): boolean {
    return this.#server.isBusy;
  }

  get name(): string {
    return this.#server.name;
  }

  get logger(): ApiServer["logger"] {
    return this.#server.logger;
  }

  compact(): void {
    this.#server.compact();
  }

  publishEndpoint(url: string): void {
    this.#endpoint = url;
    this.#server.publishEndpoint(url);
  }

  publishCa(pem: string, frontProxy?: FrontProxyCredentials, sign?: Parameters<PublishCa>[2]): void {
    this.#ca = [pem, frontProxy, sign];
    this.#server.publishCa(pem, frontProxy, sign);
  }

  drain(): void {
    this.#server.drain();
  }

  close(): Promise<void> {
    return this.#server.close();
  }
}

/** The same objects under revisions that begin anew, in the order of their last changes. */
export function withFreshRevisions(content: StoreContent): StoreContent {
  const byAge = content.objects.toSorted((a, b) => a.revision - b.revision);
  const objects = byAge.map((stored, index) => {
    const revision = index + 2;
    const { object } = stored;
    const metadata = { ...object.metadata, resourceVersion: String(revision) };
    return new StoredObject(stored, stored.uid, revision, { ...object, metadata });
  });
  return { ...content, objects, revision: objects.length + 1 };
}
