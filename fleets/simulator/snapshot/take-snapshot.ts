// What a server has, for a snapshot.
import type { KubeClient } from "../../../kube/client/kube-client.ts";
import type { ResourceInfo } from "../../../kube/client/rest-mapper.ts";
import { ApiStatusError } from "../../../kube/client/status-error.ts";
import { formatApiVersion } from "../../../kube/object.ts";
import type { ImportedObject } from "../../apiserver/server.ts";
import { withoutSecrets } from "./without-secrets.ts";

/** Kinds that say what happened, who holds what at this moment, or are computed from others. */
const PASSING = new Set(["events", "events.k8s.io/events", "apiregistration.k8s.io/apiservices", "componentstatuses"]);
/** What other programs answer, and nobody stores: it cannot be loaded. */
const COMPUTED_GROUPS = /(^|\.)metrics\.k8s\.io$/;

/** What one API server holds. */
export interface TakenPart {
  readonly objects: readonly ImportedObject[];
  /** Kinds that could not be read, with the reason. */
  readonly skipped: readonly string[];
}

/**
 * Every object of a server: each stored kind once, in its preferred version, definitions first. Secrets keep their keys
 * only. A kind that may not be read is left out and named.
 */
export async function takePart(client: KubeClient, signal: AbortSignal): Promise<TakenPart> {
  const skipped: string[] = [];
  const objects: ImportedObject[] = [];
  for (const info of storedKinds(await client.mapper.all())) {
    const apiVersion = formatApiVersion(info.group, info.version);
    try {
      const { items } = await client.list(apiVersion, info.kind, { signal, keep: withoutSecrets });
      for (const object of items) objects.push({ plural: info.plural, object });
    } catch (error) {
      if (!(error instanceof ApiStatusError) || signal.aborted) throw error;
      skipped.push(`${apiVersion} ${info.kind}: ${error.message}`);
    }
  }
  return { objects, skipped };
}

/** One version of each kind that can be listed; what others depend on first. */
function storedKinds(all: readonly ResourceInfo[]): ResourceInfo[] {
  const kinds = new Map<string, ResourceInfo>();
  for (const info of all) {
    const key = info.group === "" ? info.plural : `${info.group}/${info.plural}`;
    const isStored = info.verbs.includes("list") && info.verbs.includes("create");
    if (!isStored || PASSING.has(key) || COMPUTED_GROUPS.test(info.group)) continue;
    if (!kinds.has(key) || info.preferred) kinds.set(key, info);
  }
  const rank = ({ plural }: ResourceInfo): number =>
    plural === "customresourcedefinitions" ? 0 : plural === "namespaces" ? 1 : 2;
  return [...kinds.values()].sort((a, b) => rank(a) - rank(b));
}
