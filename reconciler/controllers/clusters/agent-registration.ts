// Lets agents in: answers their requests for certificates, and gives each the rights on its own cluster and no more.
import { AGENT_OF_LABEL, agentUser } from "../../../api/agent-identity.ts";
import type { Cluster } from "../../../api/cluster.ts";
import { isAlreadyExists, isConflict, isNotFound } from "../../../kube/client/status-error.ts";
import { equalJson, isObject, type KubeObject, refOf } from "../../../kube/object.ts";
import { rfc3339 } from "../../../runtime/clock.ts";
import { messageOf } from "../../../runtime/errors.ts";
import { mapLimit } from "../../../runtime/parallel.ts";
import { type StepResult, WorkQueue } from "../../../runtime/work-queue.ts";
import { type AgentProgram, agentAccess, agentRoleName, bootstrapAccess } from "../../agents/agent-access.ts";
import { agentRequest, type NameClaim, type SigningFacts, signingRefusal } from "../../agents/decide-signing.ts";
import { executionNamespace } from "../../works/naming.ts";
import type { Controller, ControllerContext } from "../context.ts";
import { clusterLease } from "./cluster-lease.ts";
import { CLUSTER_API, isPull } from "./cluster-object.ts";

export const SIGNING_REQUEST_KIND = ["certificates.k8s.io/v1", "CertificateSigningRequest"] as const;
const RBAC_API = "rbac.authorization.k8s.io/v1";
const FIELD_MANAGER = "flaghoist-agents";
/** On the ClusterRole of an agent: who asked for its first certificate, and when. */
const CLAIMED_BY = "gitops.flaghoist.io/claimed-by";
const CLAIMED_AT = "gitops.flaghoist.io/claimed-at";
/** On the ClusterRole of an agent that `karmadactl register` installs: it is Karmada's. */
const AGENT_PROGRAM = "gitops.flaghoist.io/agent-program";
/** Requests that were answered are kept for a while, for people. */
const KEEP_ANSWERED_MS = 3_600_000;

/** Answers requests and keeps every agent's rights; those of clusters that are gone are taken back. */
export function startAgentRegistration(context: ControllerContext): Controller {
  const { clock, logger, informers } = context;
  const requests = informers.of(...SIGNING_REQUEST_KIND);
  const clusters = informers.of<Cluster>(CLUSTER_API, "Cluster");
  const signing = new WorkQueue({ name: "agent-signing", clock, logger, workers: 4, maxBackoffMs: 30_000 }, (name) =>
    answerRequest(context, requests.get(undefined, name), (cluster) => access.addAfter(cluster, KEEP_ANSWERED_MS)),
  );
  const access = new WorkQueue({ name: "agent-access", clock, logger, workers: 4, maxBackoffMs: 30_000 }, accessStep);
  let bootstrapped = false;

  requests.subscribe(({ type, object }) => {
    if (type !== "deleted") signing.add(object.metadata.name ?? "");
  });
  clusters.subscribe((change) => {
    const { object } = change;
    const name = object.metadata.name ?? "";
    if (change.type === "deleted" || (change.type === "added" && isPull(object))) access.add(name);
    if (change.type === "updated" && isPull(object) !== isPull(change.previous)) access.add(name);
  });
  // What went while nobody looked.
  void context.client
    .list(RBAC_API, "ClusterRole", { labelSelector: AGENT_OF_LABEL })
    .then(({ items }) => {
      for (const role of items) access.add(role.metadata.labels?.[AGENT_OF_LABEL] ?? "");
    })
    .catch((error: unknown) => logger.warn("failed to look for agents without a cluster", { error: messageOf(error) }));
  access.add("");

  async function accessStep(name: string): Promise<StepResult | undefined> {
    if (!bootstrapped) {
      await mapLimit(bootstrapAccess(context.profile.keepsRoleGenerators), 4, (object) => ensure(context, object));
      bootstrapped = true;
    }
    if (name === "") return undefined;
    const cluster = clusters.get(undefined, name);
    if (cluster !== undefined && isPull(cluster)) {
      await giveAccess(context, name, undefined);
      await ensure(context, clusterLease(name, context.profile.clusterLeaseDurationMs, undefined));
      return undefined;
    }
    const role = await context.client.find({ apiVersion: RBAC_API, kind: "ClusterRole", name: agentRoleName(name) });
    const claim = claimOf(role);
    const leftMs = claim === undefined ? 0 : claim.at + KEEP_ANSWERED_MS - clock.now();
    // Registered a moment ago: its Cluster may be on the way. One that was there is gone for good.
    if (cluster === undefined && leftMs > 0 && !wasTakenUp(role)) return { requeueAfterMs: leftMs };
    if (role !== undefined) await takeAccess(context, name);
    return undefined;
  }

  return {
    stop: async () => {
      await Promise.all([signing.stop(), access.stop()]);
    },
  };
}

/** `claimed` is called with clusters whose names are claimed now: their claims may come to nothing. */
async function answerRequest(
  context: ControllerContext,
  csr: KubeObject | undefined,
  claimed: (cluster: string) => void,
): Promise<StepResult | undefined> {
  if (csr === undefined || csr.metadata.deletionTimestamp !== undefined) return undefined;
  const facts = await readFacts(csr);
  const request = agentRequest(facts);
  if (request === undefined) return undefined;
  const now = context.clock.now();
  if (isAnswered(csr)) {
    const leftMs = Date.parse(csr.metadata.creationTimestamp ?? "") + KEEP_ANSWERED_MS - now;
    if (leftMs > 0) return { requeueAfterMs: leftMs };
    await context.client.delete(refOf(csr), { uid: csr.metadata.uid });
    return undefined;
  }
  const { cluster, isGenerator } = request;
  const exists = context.informers.of<Cluster>(CLUSTER_API, "Cluster").get(undefined, cluster) !== undefined;
  const roleRef = { apiVersion: RBAC_API, kind: "ClusterRole", name: agentRoleName(cluster) };
  const claim = claimOf(await context.client.find(roleRef));
  if (!(await mayHave(context, csr, request.subresource))) {
    // As Karmada: left for people to decide.
    context.logger.warn("left an agent's certificate to people: who asks may not have it approved", {
      cluster,
      object: `${SIGNING_REQUEST_KIND.join(" ")} ${csr.metadata.name}`,
    });
    return undefined;
  }
  const keepsGenerators = context.profile.keepsRoleGenerators;
  const refusal = signingRefusal(facts, request, { exists, claim, keepsGenerators }, now);
  if (refusal === undefined && request.subresource === "clusteragent") {
    const newClaim: NameClaim = { by: facts.username, at: now };
    if (!isGenerator) {
      // A cluster that is there needs no claim on its name.
      await giveAccess(context, cluster, exists ? undefined : newClaim);
    } else if (!exists) await expectRoles(context, cluster, newClaim);
    if (!exists) claimed(cluster);
  }
  await writeVerdict(context, csr, refusal, request.subresource);
  context.logger.info(refusal === undefined ? "approved an agent's certificate" : "denied an agent's certificate", {
    cluster,
    object: `${SIGNING_REQUEST_KIND.join(" ")} ${csr.metadata.name}`,
    ...(refusal === undefined ? {} : { reason: refusal }),
  });
  return { requeueAfterMs: KEEP_ANSWERED_MS };
}

async function readFacts(csr: KubeObject): Promise<SigningFacts> {
  const spec = isObject(csr["spec"]) ? csr["spec"] : {};
  const { readSigningRequest } = await import("../../../fleets/apiserver/http/certificate-signing.ts");
  const pem = Buffer.from(String(spec["request"] ?? ""), "base64").toString("utf8");
  return {
    name: csr.metadata.name ?? "",
    signerName: String(spec["signerName"] ?? ""),
    usages: stringsOf(spec["usages"]),
    username: String(spec["username"] ?? ""),
    groups: stringsOf(spec["groups"]),
    subject: readSigningRequest(pem),
  };
}

function stringsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function isAnswered(csr: KubeObject): boolean {
  const status = isObject(csr["status"]) ? csr["status"] : {};
  if (typeof status["certificate"] === "string" && status["certificate"] !== "") return true;
  return Array.isArray(status["conditions"]) && status["conditions"].length > 0;
}

/** Whether who sent the request may have one of this kind approved. */
async function mayHave(context: ControllerContext, csr: KubeObject, subresource: string): Promise<boolean> {
  const { username, groups, uid, extra } = (isObject(csr["spec"]) ? csr["spec"] : {}) as Record<string, unknown>;
  const review = await context.client.raw("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SubjectAccessReview",
    spec: {
      user: username,
      groups,
      ...(uid === undefined ? {} : { uid }),
      ...(extra === undefined ? {} : { extra }),
      resourceAttributes: {
        group: "certificates.k8s.io",
        version: "*",
        resource: "certificatesigningrequests",
        subresource,
        verb: "create",
      },
    },
  });
  const status = isObject(review) && isObject(review["status"]) ? review["status"] : {};
  return status["allowed"] === true;
}

async function writeVerdict(
  context: ControllerContext,
  csr: KubeObject,
  refusal: string | undefined,
  subresource: string,
): Promise<void> {
  const now = rfc3339(context.clock.now());
  const self = subresource === "selfclusteragent" ? "self " : "";
  const condition = {
    type: refusal === undefined ? "Approved" : "Denied",
    status: "True",
    reason: refusal === undefined ? "AutoApproved" : "AgentRefused",
    message: refusal ?? `Auto approving ${self}karmada agent certificate after SubjectAccessReview.`,
    lastUpdateTime: now,
    lastTransitionTime: now,
  };
  try {
    const { resourceVersion } = csr.metadata;
    const patch = { metadata: { resourceVersion }, status: { conditions: [condition] } };
    await context.client.patch(refOf(csr), patch, "merge", { subresource: "approval", fieldManager: FIELD_MANAGER });
  } catch (error) {
    // Its change wakes us again.
    if (!isConflict(error) && !isNotFound(error)) throw error;
  }
}

function claimOf(role: KubeObject | undefined): NameClaim | undefined {
  const { [CLAIMED_BY]: by, [CLAIMED_AT]: at = "" } = role?.metadata.annotations ?? {};
  const time = Date.parse(at);
  return by === undefined || Number.isNaN(time) ? undefined : { by, at: time };
}

/** Whether a Cluster of the name has been there: then the claim was dropped. */
function wasTakenUp(role: KubeObject | undefined): boolean {
  return claimOf(role) === undefined;
}

/**
 * Begins the registration of Karmada's agent: whatever an earlier one left goes, and the name is claimed. The roles that are
 * made by `karmadactl register` now have no rules until the agent's own request is approved.
 */
async function expectRoles(context: ControllerContext, cluster: string, claim: NameClaim): Promise<void> {
  const name = agentRoleName(cluster);
  if ((await context.client.find({ apiVersion: RBAC_API, kind: "ClusterRole", name })) !== undefined)
    await takeAccess(context, cluster);
  const [role] = agentAccess(cluster, "karmada");
  if (role === undefined) return;
  const annotations = {
    [AGENT_PROGRAM]: "karmada" satisfies AgentProgram,
    [CLAIMED_BY]: claim.by,
    [CLAIMED_AT]: rfc3339(claim.at),
  };
  const { metadata } = role;
  await context.client.create(
    { ...role, metadata: { ...metadata, annotations }, rules: [] },
    { fieldManager: FIELD_MANAGER },
  );
}

/** Makes the agent's roles and bindings. Without a claim the Cluster is there, and the name needs none any more. */
async function giveAccess(context: ControllerContext, cluster: string, claim: NameClaim | undefined): Promise<void> {
  const namespace = executionNamespace(cluster);
  const labels = { "karmada.io/system": "true" };
  const role = await context.client.find({ apiVersion: RBAC_API, kind: "ClusterRole", name: agentRoleName(cluster) });
  const program: AgentProgram = role?.metadata.annotations?.[AGENT_PROGRAM] === "karmada" ? "karmada" : "flaghoist";
  const objects = agentAccess(cluster, program);
  const namespaces = new Set([namespace, ...objects.flatMap(({ metadata }) => metadata.namespace ?? [])]);
  for (const name of namespaces)
    await ensure(context, { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } });
  const annotations =
    claim === undefined
      ? { [CLAIMED_BY]: null, [CLAIMED_AT]: null }
      : { [CLAIMED_BY]: claim.by, [CLAIMED_AT]: rfc3339(claim.at) };
  for (const object of objects) {
    await ensure(context, object);
    if (object.kind !== "ClusterRole") continue;
    await context.client.patch(refOf(object), { metadata: { annotations } }, "merge", { fieldManager: FIELD_MANAGER });
  }
}

async function takeAccess(context: ControllerContext, cluster: string): Promise<void> {
  const lease = clusterLease(cluster, 1, undefined);
  // The ClusterRole last: by it they are found again.
  for (const object of [lease, ...[...agentAccess(cluster, "karmada")].reverse()]) {
    const stored = await context.client.find(refOf(object));
    if (stored === undefined) continue;
    if (object !== lease && stored.metadata.labels?.[AGENT_OF_LABEL] !== cluster) continue;
    await context.client.delete(refOf(object), { uid: stored.metadata.uid });
  }
  context.logger.info("took back the rights of an agent", { cluster, object: `User ${agentUser(cluster)}` });
}

/** Creates an object that is missing; rules of one that we made are brought up to date. What others made stays. */
async function ensure(context: ControllerContext, object: KubeObject): Promise<void> {
  const { client } = context;
  try {
    await client.create(object, { fieldManager: FIELD_MANAGER });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    if (object["rules"] === undefined || object.metadata.labels?.[AGENT_OF_LABEL] === undefined) return;
    const stored = await client.find(refOf(object));
    if (stored === undefined || stored.metadata.labels?.[AGENT_OF_LABEL] === undefined) return;
    if (equalJson(stored["rules"], object["rules"])) return;
    await client.patch(refOf(object), { rules: object["rules"] }, "merge", { fieldManager: FIELD_MANAGER });
  }
}
