// Namespaces and definitions take along whatever is in them. Differs from Argo CD and Flux: one that holds something that
// is not to go stays, with the reason told.

import type { KubeClient } from "../../../kube/client/kube-client.ts";
import {
  describeRef,
  formatApiVersion,
  type KubeObject,
  parseApiVersion,
  refKey,
  refOf,
} from "../../../kube/object.ts";
import { messageOf } from "../../../runtime/errors.ts";
import { mapLimit } from "../../../runtime/parallel.ts";
import { belongsToApiServer } from "../../policies/considered.ts";
import { OPERATION_ANNOTATION } from "./hook-names.ts";
import { inventoryEntry } from "./sync-decisions.ts";
import type { KeptObject, OwnObject } from "./sync-removals.ts";

/** Objects named in a reason. */
const NAMED = 3;
/** Kept by the control plane or an API server for themselves, made anew, or of no worth without what they tell of. */
const NO_CONTENT_GROUPS: ReadonlySet<string> = new Set([
  "work.karmada.io",
  "events.k8s.io",
  "coordination.k8s.io",
  "discovery.k8s.io",
  "metrics.k8s.io",
]);
const NO_CONTENT_KINDS: ReadonlySet<string> = new Set(["Event", "Endpoints"]);

export function isContainer({ apiVersion, kind }: KubeObject): boolean {
  return (kind === "Namespace" && apiVersion === "v1") || kind === "CustomResourceDefinition";
}

/** Whether the loss of an object would be one: not of what somebody makes anew, or what goes with its owner. */
export function isContent(object: KubeObject): boolean {
  const { apiVersion, kind, metadata } = object;
  if (metadata.deletionTimestamp !== undefined || (metadata.ownerReferences ?? []).length > 0) return false;
  const { group } = parseApiVersion(apiVersion);
  if (NO_CONTENT_GROUPS.has(group) || (group === "" && NO_CONTENT_KINDS.has(kind))) return false;
  if (group === "" && kind === "ServiceAccount" && metadata.name === "default") return false;
  if (group === "" && kind === "Secret" && object["type"] === "kubernetes.io/service-account-token") return false;
  // Hooks run, and nobody keeps them.
  if (metadata.annotations?.[OPERATION_ANNOTATION] !== undefined) return false;
  return !belongsToApiServer(object);
}

/** Of objects that are about to be deleted together, the containers of something else, by `refKey`, with why they stay. */
export async function findFullContainers(
  client: KubeClient,
  objects: readonly OwnObject[],
): Promise<ReadonlyMap<string, KeptObject>> {
  const going = new Set(objects.map(({ entry }) => entry.id));
  const full = new Map<string, KeptObject>();
  for (const { ref, live } of objects.filter((object) => isContainer(object.live))) {
    const why = await whyFull(client, live, going);
    if (why !== undefined) full.set(refKey(ref), { ref, why });
  }
  return full;
}

async function whyFull(
  client: KubeClient,
  container: KubeObject,
  going: ReadonlySet<string>,
): Promise<string | undefined> {
  try {
    const found = (await contentOf(client, container)).filter(isContent).map(refOf);
    const content = found.filter((ref) => !going.has(inventoryEntry(ref).id));
    if (content.length === 0) return undefined;
    const more = content.length > NAMED ? ` and ${content.length - NAMED} more` : "";
    return `it would take along ${content.slice(0, NAMED).map(describeRef).join(", ")}${more}`;
  } catch (error) {
    // An API that does not answer may have something there.
    return `it is not known what it would take along: ${messageOf(error)}`;
  }
}

async function contentOf(client: KubeClient, container: KubeObject): Promise<readonly KubeObject[]> {
  const name = container.metadata.name ?? "";
  if (container.kind === "Namespace") {
    const kinds = new Map<string, string>();
    for (const { group, version, kind, namespaced, verbs } of await client.mapper.all())
      if (namespaced && verbs.includes("list") && !NO_CONTENT_GROUPS.has(group) && !kinds.has(`${group} ${kind}`))
        kinds.set(`${group} ${kind}`, formatApiVersion(group, version));
    const found = await mapLimit([...kinds], 8, ([key, apiVersion]) =>
      listAll(client, apiVersion, key.slice(key.indexOf(" ") + 1), name),
    );
    return found.flat();
  }
  // Stored by the server, which has checked it.
  const spec = container["spec"] as {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly name: string; readonly served: boolean }[];
  };
  const version = spec.versions.find(({ served }) => served)?.name;
  if (version === undefined) return [];
  const apiVersion = formatApiVersion(spec.group, version);
  if ((await client.mapper.find(apiVersion, spec.names.kind)) === undefined) return [];
  return listAll(client, apiVersion, spec.names.kind, undefined);
}

async function listAll(
  client: KubeClient,
  apiVersion: string,
  kind: string,
  namespace: string | undefined,
): Promise<readonly KubeObject[]> {
  const { items } = await client.list(apiVersion, kind, namespace === undefined ? {} : { namespace });
  return items.map((item) => ({ ...item, apiVersion, kind }));
}
