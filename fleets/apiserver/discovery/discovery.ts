// What a server says it serves, in the aggregated and in the old form.
import { createHash } from "node:crypto";
import type { ApiResponse } from "../../../kube/client/transport.ts";
import { formatApiVersion, type JsonObject } from "../../../kube/object.ts";
import { localPriority, type Priority } from "../aggregation/priorities.ts";
import type { RemoteService, Remotes } from "../aggregation/remotes.ts";
import { jsonResponse } from "../handlers/answers.ts";
import type { KindStrategy, SubresourceInfo } from "../registry/kind.ts";
import { compareVersions, type Registry } from "../registry/registry.ts";
import { notAcceptable } from "../registry/status-error.ts";
import { type AcceptClause, parseAccept } from "../request/negotiation.ts";
import { encodeJson } from "../storage/json-text.ts";
import { remoteVersion } from "./remote-version.ts";

const AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
const ACCEPTED = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];

interface VersionEntry {
  readonly version: string;
  readonly kinds: readonly KindStrategy[];
  /** Set when another server serves the version, whatever this one has under its name. */
  readonly remote: RemoteService | undefined;
  readonly priority: Priority;
}

interface GroupEntry {
  readonly group: string;
  readonly versions: readonly VersionEntry[];
}

interface AggregatedDocument {
  readonly body: Buffer;
  readonly value: JsonObject;
  readonly etag: string;
}

/** Discovery documents of one registry, rebuilt when its kinds change. */
export class Discovery {
  readonly #registry: Registry;
  /** Groups in the order of the reference; others follow by name. */
  readonly #groupOrder: readonly string[];
  readonly #remotes: Remotes;
  #generation = "";
  #groups: readonly GroupEntry[] = [];
  #aggregated = new Map<"api" | "apis", AggregatedDocument>();

  constructor(registry: Registry, groupOrder: readonly string[], remotes: Remotes) {
    this.#registry = registry;
    this.#remotes = remotes;
    this.#groupOrder = groupOrder;
  }

  /** Answers `/api`, `/apis` and the paths of groups and group-versions; undefined for others. */
  answer(path: string, headers: Readonly<Record<string, string>>, serverAddress: string): ApiResponse | undefined {
    const segments = path.split("/").filter((segment) => segment !== "");
    const [root, group, version] = segments;
    const aggregates = segments.length === 1 && wantsAggregated(headers["accept"]);
    if (root === "api") {
      if (segments.length === 1)
        return aggregates ? this.#aggregatedAnswer("api", headers) : jsonResponse(200, apiVersions(serverAddress));
      return segments.length === 2 ? this.#resourceList("", group!) : undefined;
    }
    if (root !== "apis") return undefined;
    if (segments.length === 1)
      return aggregates ? this.#aggregatedAnswer("apis", headers) : jsonResponse(200, this.#groupList());
    if (segments.length === 2) return this.#group(group!);
    return segments.length === 3 ? this.#resourceList(group!, version!) : undefined;
  }

  /** Paths of all group-versions, for the list at `/`. */
  paths(): string[] {
    const paths = ["/api", "/api/v1", "/apis"];
    for (const { group, versions } of this.#named()) {
      paths.push(`/apis/${group}`, ...versions.map(({ version }) => `/apis/${group}/${version}`));
    }
    return paths;
  }

  #refresh(): readonly GroupEntry[] {
    const generation = `${this.#registry.generation} ${this.#remotes.generation}`;
    if (this.#generation === generation) return this.#groups;
    const groups = new Map<string, Map<string, VersionEntry>>();
    function entriesOf(group: string): Map<string, VersionEntry> {
      const entries = groups.get(group) ?? new Map<string, VersionEntry>();
      groups.set(group, entries);
      return entries;
    }
    for (const [groupVersion, kinds] of Map.groupBy(this.#registry.all(), (kind) => `${kind.group}/${kind.version}`)) {
      const [group = "", version = ""] = groupVersion.split("/");
      const sorted = kinds.toSorted((a, b) => (a.plural < b.plural ? -1 : 1));
      const priority = localPriority(group, version);
      entriesOf(group).set(version, { version, kinds: sorted, remote: undefined, priority });
    }
    for (const remote of this.#remotes.all()) {
      const { group, version, groupPriorityMinimum, versionPriority } = remote.spec;
      const priority = { group: groupPriorityMinimum, version: versionPriority };
      entriesOf(group).set(version, { version, kinds: [], remote, priority });
    }
    const rank = new Map(this.#groupOrder.map((group, index) => [group, index]));
    this.#groups = [...groups]
      .map(([group, entries]) => ({
        group,
        priority: Math.max(...[...entries.values()].map((entry) => entry.priority.group)),
        versions: [...entries.values()].sort(
          (a, b) => b.priority.version - a.priority.version || compareVersions(a.version, b.version),
        ),
      }))
      .sort(
        (a, b) =>
          b.priority - a.priority ||
          (rank.get(a.group) ?? Infinity) - (rank.get(b.group) ?? Infinity) ||
          (a.group < b.group ? -1 : 1),
      );
    this.#aggregated = new Map();
    this.#generation = generation;
    return this.#groups;
  }

  #named(): readonly GroupEntry[] {
    return this.#refresh().filter(({ group }) => group !== "");
  }

  #aggregatedAnswer(root: "api" | "apis", headers: Readonly<Record<string, string>>): ApiResponse {
    const groups = this.#refresh();
    let document = this.#aggregated.get(root);
    if (document === undefined) {
      const chosen = groups.filter(({ group }) => (group === "") === (root === "api"));
      const value: JsonObject = {
        kind: "APIGroupDiscoveryList",
        apiVersion: "apidiscovery.k8s.io/v2",
        metadata: {},
        items: chosen.map((group) => aggregatedGroup(group)),
      };
      const body = Buffer.from(`${encodeJson(value)}\n`);
      const etag = `"${createHash("sha512").update(body).digest("hex").toUpperCase()}"`;
      document = { body, value, etag };
      this.#aggregated.set(root, document);
    }
    const common = { vary: "Accept", "cache-control": "public", etag: document.etag };
    if (headers["if-none-match"] === document.etag) return { status: 304, headers: common, body: Buffer.alloc(0) };
    return {
      status: 200,
      headers: { ...common, "content-type": AGGREGATED },
      body: document.body,
      parsed: document.value,
    };
  }

  #groupList(): JsonObject {
    return { kind: "APIGroupList", apiVersion: "v1", groups: this.#named().map((group) => legacyGroup(group)) };
  }

  #group(name: string): ApiResponse | undefined {
    const found = this.#named().find(({ group }) => group === name);
    if (found === undefined) return undefined;
    return jsonResponse(200, { kind: "APIGroup", apiVersion: "v1", ...legacyGroup(found) });
  }

  #resourceList(group: string, version: string): ApiResponse | undefined {
    const kinds = this.#refresh()
      .find((each) => each.group === group)
      ?.versions.find((each) => each.version === version)?.kinds;
    if (kinds === undefined) return undefined;
    return jsonResponse(200, {
      kind: "APIResourceList",
      ...(group === "" ? {} : { apiVersion: "v1" }),
      groupVersion: formatApiVersion(group, version),
      resources: kinds.flatMap((kind) => legacyResources(kind)),
    });
  }
}

/** True when the first clause that can be served is the aggregated form. Throws 406 when no clause can. */
function wantsAggregated(accept: string | undefined): boolean {
  if (accept === undefined || accept === "") return false;
  const clauses = parseAccept(accept);
  for (const clause of clauses) {
    if (isAggregated(clause)) return true;
    if (isPlain(clause)) return false;
  }
  throw notAcceptable(ACCEPTED);
}

function isAggregated({ type, parameters }: AcceptClause): boolean {
  return (
    type === "application/json" &&
    parameters.get("g") === "apidiscovery.k8s.io" &&
    parameters.get("v") === "v2" &&
    parameters.get("as") === "APIGroupDiscoveryList"
  );
}

function isPlain({ type, parameters }: AcceptClause): boolean {
  return (type === "application/json" || type === "*/*" || type === "application/*") && !parameters.has("as");
}

function apiVersions(serverAddress: string): JsonObject {
  return {
    kind: "APIVersions",
    versions: ["v1"],
    serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress }],
  };
}

function legacyGroup({ group, versions }: GroupEntry): JsonObject {
  const entries = versions.map(({ version }) => ({ groupVersion: `${group}/${version}`, version }));
  return { name: group, versions: entries, preferredVersion: { ...entries[0]! } };
}

function legacyResources(kind: KindStrategy): JsonObject[] {
  const main: JsonObject = {
    name: kind.plural,
    singularName: kind.singular,
    namespaced: kind.namespaced,
    kind: kind.kind,
    verbs: [...kind.verbs],
    ...(kind.shortNames.length > 0 ? { shortNames: [...kind.shortNames] } : {}),
    ...(kind.categories.length > 0 ? { categories: [...kind.categories] } : {}),
    ...storageHash(kind),
  };
  return [
    main,
    ...kind.subresources.map((sub) => ({
      name: `${kind.plural}/${sub.name}`,
      singularName: "",
      namespaced: kind.namespaced,
      ...(sub.responseKind === undefined || sub.responseKind.version === ""
        ? {}
        : { group: sub.responseKind.group, version: sub.responseKind.version }),
      kind: sub.responseKind?.kind ?? kind.kind,
      verbs: [...sub.verbs],
    })),
  ];
}

/** Built-in kinds have the recorded hash; custom ones are hashed as the reference does. */
function storageHash(kind: KindStrategy): JsonObject {
  if (kind.storageVersionHash !== undefined) return { storageVersionHash: kind.storageVersionHash };
  if (!kind.custom) return {};
  const digest = createHash("sha256").update(`${kind.group}/${kind.version}/${kind.kind}`).digest();
  return { storageVersionHash: digest.subarray(0, 8).toString("base64") };
}

function aggregatedGroup({ group, versions }: GroupEntry): JsonObject {
  return {
    metadata: group === "" ? {} : { name: group },
    versions: versions.map(({ version, kinds, remote }) =>
      remote === undefined
        ? { version, resources: kinds.map((kind) => aggregatedResource(kind)), freshness: "Current" }
        : remoteVersion(remote),
    ),
  };
}

function aggregatedResource(kind: KindStrategy): JsonObject {
  return {
    resource: kind.plural,
    responseKind: { group: "", version: "", kind: kind.kind },
    scope: kind.namespaced ? "Namespaced" : "Cluster",
    singularResource: kind.singular,
    verbs: [...kind.verbs],
    ...(kind.shortNames.length > 0 ? { shortNames: [...kind.shortNames] } : {}),
    ...(kind.categories.length > 0 ? { categories: [...kind.categories] } : {}),
    ...(kind.subresources.length > 0
      ? { subresources: kind.subresources.map((sub) => aggregatedSubresource(sub, kind)) }
      : {}),
  };
}

function aggregatedSubresource(sub: SubresourceInfo, kind: KindStrategy): JsonObject {
  return {
    subresource: sub.name,
    responseKind:
      sub.responseKind === undefined ? { group: "", version: "", kind: kind.kind } : { ...sub.responseKind },
    verbs: [...sub.verbs],
    ...(sub.acceptedTypes === undefined ? {} : { acceptedTypes: sub.acceptedTypes.map((type) => ({ ...type })) }),
  };
}
