// From kinds to paths, by asking the server what it serves.
import { AppError } from "../../runtime/errors.ts";
import { formatApiVersion } from "../object.ts";
import { parseWhole } from "./answer-body.ts";
import { ApiStatusError, failureStatus } from "./status-error.ts";
import type { ApiResponse, Transport } from "./transport.ts";

/** One resource of a server, as discovery lists it. */
export interface ResourceInfo {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
  readonly singular: string;
  readonly categories: readonly string[];
  /** Names such as `status` and `scale`. */
  readonly subresources: readonly string[];
  /** The group's preferred (first) version serves it. */
  readonly preferred: boolean;
}

/** What a server serves, as far as it could tell. */
export interface Discovery {
  readonly resources: readonly ResourceInfo[];
  /** Group-versions of other servers that do not answer at present; their resources are from before, or unknown. */
  readonly stale: readonly string[];
}

interface DiscoveryVersion {
  readonly version: string;
  readonly freshness?: string;
  readonly resources?: readonly {
    readonly resource: string;
    readonly responseKind?: { readonly group?: string; readonly version?: string; readonly kind: string };
    readonly scope: string;
    readonly singularResource?: string;
    readonly verbs: readonly string[];
    readonly shortNames?: readonly string[];
    readonly categories?: readonly string[];
    readonly subresources?: readonly { readonly subresource: string }[];
  }[];
}

const AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

/** Reads all resources that the server serves, both groups of paths. */
export async function discover(transport: Transport, signal?: AbortSignal): Promise<Discovery> {
  const found: ResourceInfo[] = [];
  const stale: string[] = [];
  for (const path of ["/api", "/apis"]) {
    const answer = await transport({
      method: "GET",
      path,
      headers: { accept: AGGREGATED },
      ...(signal === undefined ? {} : { signal }),
    });
    const body = parseBody(answer, path);
    if (typeof body !== "object" || body === null || !("items" in body)) {
      throw new AppError(
        "api-discovery-unsupported",
        `${path} is no aggregated discovery document: the server is older than Kubernetes 1.27`,
        {
          recovery: "stall",
        },
      );
    }
    // Aggregated discovery, as its content type promises.
    const items = body.items as readonly { metadata?: { name?: string }; versions: readonly DiscoveryVersion[] }[];
    for (const item of items) {
      const group = item.metadata?.name ?? "";
      item.versions.forEach((version, index) => {
        if (version.freshness === "Stale") stale.push(formatApiVersion(group, version.version));
        for (const resource of version.resources ?? []) {
          if (resource.responseKind === undefined) continue;
          found.push({
            group,
            version: version.version,
            kind: resource.responseKind.kind,
            plural: resource.resource,
            namespaced: resource.scope === "Namespaced",
            verbs: resource.verbs,
            shortNames: resource.shortNames ?? [],
            singular: resource.singularResource ?? "",
            categories: resource.categories ?? [],
            subresources: (resource.subresources ?? []).map((sub) => sub.subresource),
            preferred: index === 0,
          });
        }
      });
    }
  }
  return { resources: found, stale };
}

function parseBody(answer: ApiResponse, path: string): unknown {
  if (answer.parsed !== undefined && answer.status === 200) return answer.parsed;
  if (!(answer.body instanceof Uint8Array)) throw new Error(`${path} answered with a stream`);
  if (answer.status !== 200) throw new ApiStatusError(failureStatus(answer.status, answer.body), `GET ${path}`);
  return parseWhole(Buffer.from(answer.body).toString("utf8"), `GET ${path}`);
}

/** Looks kinds up in discovery, which it reads again when a kind is unknown and the last reading is not fresh. */
export class RestMapper {
  readonly #transport: Transport;
  #byKind = new Map<string, ResourceInfo>();
  #all: readonly ResourceInfo[] = [];
  #stale: readonly string[] = [];
  #loading: Promise<void> | undefined;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Every resource, as last read. */
  async all(): Promise<readonly ResourceInfo[]> {
    if (this.#all.length === 0) await this.refresh();
    return this.#all;
  }

  async refresh(): Promise<void> {
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    await this.#loading;
  }

  async #load(): Promise<void> {
    const { resources: all, stale } = await discover(this.#transport);
    this.#all = all;
    this.#stale = stale;
    this.#byKind = new Map(all.map((info) => [`${formatApiVersion(info.group, info.version)}/${info.kind}`, info]));
  }

  /** What was last read, without asking. */
  present(): Discovery {
    return { resources: this.#all, stale: this.#stale };
  }

  /** What is known already of a kind, without asking. */
  known(apiVersion: string, kind: string): ResourceInfo | undefined {
    return this.#byKind.get(`${apiVersion}/${kind}`);
  }

  async find(apiVersion: string, kind: string): Promise<ResourceInfo | undefined> {
    const hit = this.known(apiVersion, kind);
    if (hit !== undefined) return hit;
    await this.refresh();
    return this.known(apiVersion, kind);
  }

  /** As `find`; throws `api-kind-unknown` when the server does not serve the kind. */
  async get(apiVersion: string, kind: string): Promise<ResourceInfo> {
    const info = await this.find(apiVersion, kind);
    if (info !== undefined) return info;
    const elsewhere = this.#all.find((other) => other.kind === kind);
    const hint =
      elsewhere === undefined ? "" : `. Did you mean ${formatApiVersion(elsewhere.group, elsewhere.version)}?`;
    throw new AppError("api-kind-unknown", `there is no kind ${kind} in ${apiVersion}${hint}`, {
      recovery: "retry",
      details: { apiVersion, kind },
    });
  }
}
