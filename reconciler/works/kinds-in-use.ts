// Which kinds the control plane works with in which member, kept change by change: those of its Works, and those that
// policies which may choose the cluster select.
import type { Cluster } from "../../api/cluster.ts";
import type { ClusterAffinity, Placement, ResourceSelector } from "../../api/policy.ts";
import { isObject, type KubeObject, parseApiVersion } from "../../kube/object.ts";
import { clusterMatches } from "../policies/cluster-affinity.ts";
import type { PolicyRule } from "./policy-rule.ts";

export interface UsedKind {
  readonly apiVersion: string;
  readonly kind: string;
}

/** What one member's account has to be able to do. */
export interface KindsInUse {
  /** Kinds whose objects are made, changed and removed there. */
  readonly kinds: readonly UsedKind[];
  /** Kinds that admission policies take their parameters from: their author must be able to read them. */
  readonly parameterKinds: readonly UsedKind[];
  /** Rules of the roles that are propagated. */
  readonly heldRules: readonly PolicyRule[];
  /** Names of the roles that propagated bindings refer to. */
  readonly boundClusterRoles: readonly string[];
  readonly boundRoles: readonly string[];
  /** Names of propagated ClusterRoles that gather the rules of others. */
  readonly aggregatedClusterRoles: readonly string[];
}

type Grants = Omit<KindsInUse, "kinds">;

const NO_GRANTS: Grants = {
  parameterKinds: [],
  heldRules: [],
  boundClusterRoles: [],
  boundRoles: [],
  aggregatedClusterRoles: [],
};

interface ClusterUse {
  /** How many manifests of Works have the kind. */
  readonly counts: Map<string, { readonly kind: UsedKind; count: number }>;
  /** What single manifests ask for beyond their kind, by Work. */
  readonly grants: Map<string, readonly Grants[]>;
  /** What was counted of a Work. */
  readonly byWork: Map<string, readonly UsedKind[]>;
}

/** Costs as much as the Work or policy that changed. */
export class UseIndex {
  readonly #clusters = new Map<string, ClusterUse>();
  /** Placements by the kind that their policies select, then by policy. */
  readonly #selected = new Map<string, { readonly kind: UsedKind; readonly by: Map<string, Placement | undefined> }>();
  readonly #policies = new Map<string, readonly string[]>();

  /** Takes a Work as it is now; without manifests it is forgotten. Answers whether what is in use changed. */
  setWork(cluster: string, work: string, manifests: readonly KubeObject[]): boolean {
    const use = this.#clusters.get(cluster) ?? { counts: new Map(), grants: new Map(), byWork: new Map() };
    this.#clusters.set(cluster, use);
    const grants = manifests.map(grantsOf).filter((grant) => grant !== NO_GRANTS);
    const hadGrants = use.grants.get(work);
    let changed = JSON.stringify(hadGrants ?? []) !== JSON.stringify(grants);
    if (grants.length === 0) use.grants.delete(work);
    else use.grants.set(work, grants);

    const before = use.byWork.get(work) ?? [];
    const now = manifests.map(({ apiVersion, kind }) => ({ apiVersion, kind }));
    for (const kind of now) {
      const entry = use.counts.get(keyOf(kind)) ?? { kind, count: 0 };
      if (entry.count++ === 0) changed = true;
      use.counts.set(keyOf(kind), entry);
    }
    for (const kind of before) {
      const entry = use.counts.get(keyOf(kind));
      if (entry === undefined || --entry.count > 0) continue;
      use.counts.delete(keyOf(kind));
      changed = true;
    }
    if (now.length === 0) use.byWork.delete(work);
    else use.byWork.set(work, now);
    if (use.byWork.size === 0) this.#clusters.delete(cluster);
    return changed;
  }

  /** Takes a policy as it is now; without selectors it is forgotten. */
  setPolicy(policy: string, selectors: readonly ResourceSelector[], placement: Placement | undefined): void {
    for (const key of this.#policies.get(policy) ?? []) {
      const entry = this.#selected.get(key);
      entry?.by.delete(policy);
      if (entry?.by.size === 0) this.#selected.delete(key);
    }
    const keys: string[] = [];
    for (const { apiVersion, kind } of selectors) {
      const key = keyOf({ apiVersion, kind });
      const entry = this.#selected.get(key) ?? { kind: { apiVersion, kind }, by: new Map() };
      entry.by.set(policy, placement);
      this.#selected.set(key, entry);
      keys.push(key);
    }
    if (keys.length === 0) this.#policies.delete(policy);
    else this.#policies.set(policy, keys);
  }

  /** What is in use in a cluster; kinds in the order of their names. */
  of(cluster: Cluster): KindsInUse {
    const use = this.#clusters.get(cluster.metadata.name ?? "");
    const kinds = new Map<string, UsedKind>();
    for (const [key, { kind }] of use?.counts ?? []) kinds.set(key, kind);
    for (const [key, { kind, by }] of this.#selected) {
      if (kinds.has(key)) continue;
      for (const placement of by.values()) {
        if (!mayChoose(placement, cluster)) continue;
        kinds.set(key, kind);
        break;
      }
    }
    const grants = [...(use?.grants ?? [])].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, list]) => list);
    return {
      kinds: [...kinds].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, kind]) => kind),
      parameterKinds: grants.flatMap((grant) => grant.parameterKinds),
      heldRules: grants.flatMap((grant) => grant.heldRules),
      boundClusterRoles: grants.flatMap((grant) => grant.boundClusterRoles),
      boundRoles: grants.flatMap((grant) => grant.boundRoles),
      aggregatedClusterRoles: grants.flatMap((grant) => grant.aggregatedClusterRoles),
    };
  }
}

function keyOf({ apiVersion, kind }: UsedKind): string {
  return `${apiVersion}/${kind}`;
}

function mayChoose(placement: Placement | undefined, cluster: Cluster): boolean {
  const { clusterAffinity, clusterAffinities } = placement ?? {};
  const choices: readonly ClusterAffinity[] = clusterAffinities ?? (clusterAffinity == null ? [] : [clusterAffinity]);
  return choices.length === 0 || choices.some((affinity) => clusterMatches(cluster, affinity));
}

const ADMISSION_POLICIES = new Set(["ValidatingAdmissionPolicy", "MutatingAdmissionPolicy"]);

/** What an API server asks of the author of this object beyond the right to write it. */
function grantsOf(manifest: KubeObject): Grants {
  const { group } = parseApiVersion(manifest.apiVersion);
  const { kind, metadata } = manifest;
  if (group === "rbac.authorization.k8s.io") {
    if (kind === "Role" || kind === "ClusterRole") {
      const gathers = kind === "ClusterRole" && isObject(manifest["aggregationRule"]);
      const aggregatedClusterRoles = gathers && metadata.name !== undefined ? [metadata.name] : [];
      return { ...NO_GRANTS, heldRules: readRules(manifest["rules"]), aggregatedClusterRoles };
    }
    const roleRef = isObject(manifest["roleRef"]) ? manifest["roleRef"] : {};
    const name = roleRef["name"];
    if (typeof name === "string" && (kind === "RoleBinding" || kind === "ClusterRoleBinding"))
      return roleRef["kind"] === "Role"
        ? { ...NO_GRANTS, boundRoles: [name] }
        : { ...NO_GRANTS, boundClusterRoles: [name] };
  }
  if (group === "admissionregistration.k8s.io" && ADMISSION_POLICIES.has(kind)) {
    const spec = isObject(manifest["spec"]) ? manifest["spec"] : {};
    const { apiVersion, kind: parameter } = isObject(spec["paramKind"]) ? spec["paramKind"] : {};
    if (typeof apiVersion === "string" && typeof parameter === "string")
      return { ...NO_GRANTS, parameterKinds: [{ apiVersion, kind: parameter }] };
  }
  return NO_GRANTS;
}

/** Rules as far as they are well formed; the member refuses the rest itself. */
function readRules(rules: unknown): PolicyRule[] {
  if (!Array.isArray(rules)) return [];
  return rules.filter(isObject).flatMap((rule) => {
    const verbs = texts(rule["verbs"]);
    if (verbs === undefined) return [];
    const read: { -readonly [Field in keyof PolicyRule]: PolicyRule[Field] } = { verbs };
    for (const field of ["apiGroups", "resources", "resourceNames", "nonResourceURLs"] as const) {
      const list = texts(rule[field]);
      if (list !== undefined) read[field] = list;
    }
    return [read];
  });
}

function texts(value: unknown): string[] | undefined {
  return Array.isArray(value) && value.length > 0 ? value.filter((item) => typeof item === "string") : undefined;
}
