// A member's nodes and pods, watched for the numbers that capacity and estimates are made of.
import type { ClusterStatus, ResourceModel } from "../api/cluster.ts";
import { Informer } from "../kube/client/informer.ts";
import { equalJson, type KubeObject, type ObjectMeta } from "../kube/object.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../runtime/logger.ts";
import { countEach, type NodeFacts, nodeFacts, type PodFacts, podFacts, summarize } from "./cluster-status.ts";
import { ClusterRoom } from "./estimator/cluster-room.ts";
import type { EstimatedCluster } from "./estimator/local-estimator.ts";
import type { PodArithmetic } from "./estimator/pod-amounts.ts";
import { type NodeDetails, type PodDetails, PodReader, readNodeDetails } from "./estimator/pod-facts.ts";
import { type QuotaFacts, readQuota } from "./estimator/quota-room.ts";
import type { Member } from "./member.ts";
import { allocatableModelings, type NodeUse } from "./resource-modelings.ts";

/** What is kept beside the sums, so that it can be told what fits on the nodes. */
export interface EstimateDetails {
  readonly arithmetic: PodArithmetic;
  /** Whether ResourceQuotas are watched, too (gate ResourceQuotaEstimate). */
  readonly quotas: boolean;
}

type Summary = Pick<ClusterStatus, "nodeSummary" | "resourceSummary">;

/** Keeps the numbers of a member's nodes and pods by watching them, so that neither a summary nor an estimate lists them. */
export class CapacityWatch {
  /** For estimates, where they were asked for. */
  readonly estimated: EstimatedCluster | undefined;
  readonly #nodes: Informer;
  readonly #pods: Informer;
  readonly #quotas: Informer | undefined;
  /** Undefined when nodes or pods have changed since. */
  #summary: { readonly models: readonly ResourceModel[]; readonly value: Summary } | undefined;

  constructor(member: Member, clock: Clock, logger: Logger, details?: EstimateDetails) {
    const options = { client: member.client, apiVersion: "v1", clock, logger };
    const reader = details === undefined ? undefined : new PodReader(details.arithmetic);
    const shared = new Map<string, PodFacts>();
    const nodeParts = (node: KubeObject) =>
      details === undefined ? { facts: nodeFacts(node) } : { facts: nodeFacts(node), details: readNodeDetails(node) };
    const nodeNames = new Map<string, string>();
    const podParts = (pod: KubeObject) => {
      const facts = shareFacts(shared, podFacts(pod));
      const node = sharedName(nodeNames, nodeOf(pod));
      return reader === undefined ? { facts, node } : { facts, node, details: reader.read(pod) };
    };
    this.#nodes = new Informer({ ...options, kind: "Node", transform: reduceTo(nodeParts) });
    this.#pods = new Informer({ ...options, kind: "Pod", transform: reduceTo(podParts) });
    for (const informer of [this.#nodes, this.#pods]) {
      informer.subscribe(() => {
        this.#summary = undefined;
      });
    }
    if (details === undefined) return;
    if (details.quotas) {
      const transform = reduceTo((quota) => ({ facts: readQuota(quota) }));
      this.#quotas = new Informer({ ...options, kind: "ResourceQuota", transform });
    }
    this.estimated = this.#estimatedCluster(member);
  }

  start(): void {
    for (const informer of this.#informers()) informer.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#informers().map((informer) => informer.stop()));
  }

  /** Resolves when everything watched was listed once. */
  async synced(): Promise<void> {
    await Promise.all(this.#informers().map((informer) => informer.synced()));
  }

  /**
   * The present summary, with the nodes counted by the grades of `models` where there are any; undefined until nodes and
   * pods were listed once.
   */
  summary(models: readonly ResourceModel[] = []): Summary | undefined {
    if (!this.#nodes.hasSynced || !this.#pods.hasSynced) return undefined;
    if (this.#summary === undefined || !equalJson(this.#summary.models, models)) {
      // Both informers keep what reduceTo made.
      const nodes = Array.from(this.#nodes.all(), (object) => object["facts"] as NodeFacts);
      const pods = Array.from(this.#pods.all(), (object) => object["facts"] as PodFacts);
      const value = summarize(nodes, pods);
      this.#summary = { models, value: models.length === 0 ? value : this.#withModelings(value, models) };
    }
    return this.#summary.value;
  }

  #withModelings(value: Summary, models: readonly ResourceModel[]): Summary {
    const podsOf = new Map<string, PodFacts[]>();
    for (const pod of this.#pods.all()) {
      const facts = pod["facts"] as PodFacts;
      const node = pod["node"];
      if (typeof node !== "string" || facts.finished) continue;
      const others = podsOf.get(node);
      if (others === undefined) podsOf.set(node, [facts]);
      else others.push(facts);
    }
    const nodes = Array.from(this.#nodes.all(), (node): NodeUse => {
      const requests = [...countEach(podsOf.get(node.metadata.name ?? "") ?? [])].map(
        ([facts, count]) => [facts.requests, count] as const,
      );
      return { allocatable: (node["facts"] as NodeFacts).allocatable, requests };
    });
    const resourceSummary = { ...value.resourceSummary, allocatableModelings: allocatableModelings(models, nodes) };
    return { ...value, resourceSummary };
  }

  #informers(): readonly Informer[] {
    return [this.#nodes, this.#pods, ...(this.#quotas === undefined ? [] : [this.#quotas])];
  }

  #estimatedCluster(member: Member): EstimatedCluster {
    const room = new ClusterRoom();
    this.#nodes.subscribe(({ type, object }) => {
      // The informer keeps what reduceTo made.
      if (type === "deleted") room.deleteNode(object.metadata.name ?? "");
      else room.setNode(object["details"] as NodeDetails);
    });
    this.#pods.subscribe((change) => {
      const { object } = change;
      // Another pod may have come under the name of one whose end was missed.
      if (change.type === "updated" && change.previous.metadata.uid !== object.metadata.uid)
        room.deletePod(change.previous.metadata.uid ?? "");
      if (change.type === "deleted") room.deletePod(object.metadata.uid ?? "");
      else room.setPod(object.metadata.uid ?? "", object["details"] as PodDetails);
    });
    const quotas = this.#quotas;
    const quotasByNamespace = new Map<string, Map<string, QuotaFacts>>();
    quotas?.subscribe(({ type, object }) => {
      const facts = object["facts"] as QuotaFacts;
      const own = quotasByNamespace.get(facts.namespace) ?? new Map<string, QuotaFacts>();
      if (type === "deleted") own.delete(facts.name);
      else own.set(facts.name, facts);
      if (own.size === 0) quotasByNamespace.delete(facts.namespace);
      else quotasByNamespace.set(facts.namespace, own);
    });
    const hasSynced = (): boolean => this.#informers().every((informer) => informer.hasSynced);
    return {
      client: member.client,
      room,
      hasSynced,
      quotasOf: (namespace) => quotasByNamespace.get(namespace)?.values() ?? [],
    };
  }
}

function nodeOf(pod: KubeObject): string | undefined {
  const spec = pod["spec"] as { readonly nodeName?: unknown } | undefined;
  return typeof spec?.nodeName === "string" && spec.nodeName !== "" ? spec.nodeName : undefined;
}

/** One string for all pods of a node. */
function sharedName(names: Map<string, string>, name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  const known = names.get(name) ?? name;
  names.set(name, known);
  return known;
}

/** Facts that differ; beyond these they are not shared. */
const MOST_SHARED = 10_000;

/** Most pods of a cluster ask for what others ask for, too. */
function shareFacts(shared: Map<string, PodFacts>, facts: PodFacts): PodFacts {
  const key = JSON.stringify(facts);
  const known = shared.get(key);
  if (known === undefined && shared.size < MOST_SHARED) shared.set(key, facts);
  return known ?? facts;
}

/** An object that holds its identity and `parts` only: a large cluster's pods would fill the memory. */
function reduceTo(parts: (object: KubeObject) => Record<string, unknown>): (object: KubeObject) => KubeObject {
  return (object) => {
    const { name, namespace, uid, resourceVersion } = object.metadata;
    const metadata: ObjectMeta = {};
    if (name !== undefined) metadata.name = name;
    if (namespace !== undefined) metadata.namespace = namespace;
    if (uid !== undefined) metadata.uid = uid;
    if (resourceVersion !== undefined) metadata.resourceVersion = resourceVersion;
    return { apiVersion: object.apiVersion, kind: object.kind, metadata, ...parts(object) };
  };
}
