// What the control plane does in a member, read from its objects: for commands that give it the rights for that.
import type { Cluster } from "../../api/cluster.ts";
import type { ClusterPropagationPolicy, PropagationPolicy } from "../../api/policy.ts";
import type { Work } from "../../api/work.ts";
import { accountRoleName } from "../../fleets/member-account-names.ts";
import type { KubeClient } from "../../kube/client/kube-client.ts";
import { isNotFound } from "../../kube/client/status-error.ts";
import type { KubeObject } from "../../kube/object.ts";
import { UseIndex } from "../works/kinds-in-use.ts";
import { memberRules } from "../works/member-rules.ts";
import { executionNamespace } from "../works/naming.ts";
import type { PolicyRule } from "../works/policy-rule.ts";

/** The rules that the account in `cluster` needs at present; resources are looked up in the member, then here. */
export async function rulesInUse(
  client: KubeClient,
  member: KubeClient | undefined,
  cluster: Cluster,
): Promise<PolicyRule[]> {
  const name = cluster.metadata.name ?? "";
  const index = new UseIndex();
  const namespace = executionNamespace(name);
  // The schema of a Work says of its manifests no more than that they are objects.
  for (const work of (await client.list<Work>("work.karmada.io/v1alpha1", "Work", { namespace })).items)
    index.setWork(name, work.metadata.name ?? "", (work.spec.workload?.manifests ?? []) as unknown as KubeObject[]);
  for (const kind of ["PropagationPolicy", "ClusterPropagationPolicy"] as const) {
    const policies = await client.list<PropagationPolicy | ClusterPropagationPolicy>(
      "policy.karmada.io/v1alpha1",
      kind,
    );
    for (const { metadata, spec } of policies.items)
      index.setPolicy(`${kind}/${metadata.namespace}/${metadata.name}`, spec.resourceSelectors, spec.placement);
  }
  const mappers = [member?.mapper, client.mapper];
  for (const mapper of mappers) await mapper?.all();
  return memberRules(index.of(cluster), accountRoleName(name), (apiVersion, kind) => {
    for (const mapper of mappers) {
      const plural = mapper?.known(apiVersion, kind)?.plural;
      if (plural !== undefined) return plural;
    }
    return undefined;
  });
}

const REVIEW_PATH = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

/** Splits rules into those that the caller of `member` has itself, and may therefore give away, and the rest. */
export async function splitByOwnRights(
  member: KubeClient,
  rules: readonly PolicyRule[],
): Promise<{ readonly held: PolicyRule[]; readonly lacking: PolicyRule[] }> {
  const held: PolicyRule[] = [];
  const lacking: PolicyRule[] = [];
  for (const rule of rules) {
    for (const part of parts(rule)) {
      if (await allows(member, part)) held.push(part);
      else lacking.push(part);
    }
  }
  return { held: merge(held), lacking: merge(lacking) };
}

/** One rule for each resource and verb. */
function parts(rule: PolicyRule): PolicyRule[] {
  if (rule.nonResourceURLs !== undefined) return [rule];
  const { apiGroups = [], resources = [], verbs, resourceNames } = rule;
  const names = resourceNames === undefined ? {} : { resourceNames };
  return apiGroups.flatMap((group) =>
    resources.flatMap((resource) =>
      verbs.map((verb) => ({ apiGroups: [group], resources: [resource], ...names, verbs: [verb] })),
    ),
  );
}

async function allows(member: KubeClient, rule: PolicyRule): Promise<boolean> {
  const [verb = ""] = rule.verbs;
  const questions =
    rule.nonResourceURLs?.map((path) => ({ nonResourceAttributes: { path, verb } })) ??
    (rule.resourceNames ?? [undefined]).map((name) => {
      const [resource = "", subresource] = (rule.resources?.[0] ?? "").split("/");
      const group = rule.apiGroups?.[0] ?? "";
      return { resourceAttributes: { verb, group, resource, subresource, name } };
    });
  for (const spec of questions) {
    const review = { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectAccessReview", spec };
    try {
      const answer = (await member.raw("POST", REVIEW_PATH, review)) as { status?: { allowed?: boolean } };
      if (answer.status?.allowed !== true) return false;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }
  return true;
}

/** Rules of equal resources become one with all their verbs, then those of equal verbs one with all their resources. */
function merge(rules: readonly PolicyRule[]): PolicyRule[] {
  const byResource = new Map<string, PolicyRule>();
  for (const rule of rules) {
    const { verbs, ...about } = rule;
    const known = byResource.get(JSON.stringify(about));
    byResource.set(JSON.stringify(about), known === undefined ? rule : { ...about, verbs: [...known.verbs, ...verbs] });
  }
  const byVerbs = new Map<string, PolicyRule>();
  for (const rule of byResource.values()) {
    const { resources, ...about } = rule;
    const known = byVerbs.get(JSON.stringify(about));
    const all = [...(known?.resources ?? []), ...(resources ?? [])];
    byVerbs.set(JSON.stringify(about), resources === undefined ? rule : { ...about, resources: all });
  }
  return [...byVerbs.values()];
}

/** `create, get deployments.apps`, for people. */
export function ruleText({
  apiGroups = [],
  resources = [],
  nonResourceURLs,
  resourceNames,
  verbs,
}: PolicyRule): string {
  const what =
    nonResourceURLs?.join(", ") ??
    apiGroups
      .flatMap((group) => resources.map((resource) => (group === "" ? resource : `${resource}.${group}`)))
      .join(", ");
  return `${[...verbs].sort().join(", ")} ${what}${resourceNames === undefined ? "" : ` (${resourceNames.join(", ")})`}`;
}
