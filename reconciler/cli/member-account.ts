// What a join makes in a member cluster: an account for the control plane, one that may change the rights of the first and
// nothing else, one that may act for other users (as whom `clusters/proxy` asks), and a token of each.
import {
  accountName,
  accountRoleName,
  IMPERSONATOR,
  impersonatorSecretName,
  MEMBER_NAMESPACE,
  rightsAccountName,
  rightsRoleName,
  rightsSecretName,
} from "../../fleets/member-account-names.ts";
import type { KubeClient } from "../../kube/client/kube-client.ts";
import { isForbidden, isNotFound } from "../../kube/client/status-error.ts";
import { isObject, type KubeObject, type ObjectRef, type OwnerReference, refOf } from "../../kube/object.ts";
import { type Clock, sleep } from "../../runtime/clock.ts";
import { AppError } from "../../runtime/errors.ts";
import type { PolicyRule } from "../works/policy-rule.ts";
import { splitByOwnRights } from "./member-use.ts";

const SYSTEM_LABELS = { "karmada.io/system": "true" };
const RBAC_GROUP = "rbac.authorization.k8s.io";
const RBAC = `${RBAC_GROUP}/v1`;
const FIELD_MANAGER = "flaghoist-join";
const FILL_TIMEOUT_MS = 3_000;
/** Members may shorten it; a year is what most allow. */
const TOKEN_SECONDS = 365 * 24 * 3600;

/** The Secrets of the control plane with credentials of a cluster. */
export function secretRefs(clusterName: string): readonly ObjectRef[] {
  const secret = { apiVersion: "v1", kind: "Secret", namespace: MEMBER_NAMESPACE };
  const names = [clusterName, impersonatorSecretName(clusterName), rightsSecretName(clusterName)];
  return names.map((name) => ({ ...secret, name }));
}

/** The role is the root: it owns all the rest, so that deleting it takes everything along. */
export function accountRole(clusterName: string, rules: readonly PolicyRule[]): KubeObject {
  return {
    apiVersion: RBAC,
    kind: "ClusterRole",
    metadata: { name: accountRoleName(clusterName), labels: SYSTEM_LABELS },
    rules,
  };
}

/** A ServiceAccount with a token, bound to a ClusterRole; what there is one of in a cluster has no prefix to its names. */
function boundAccount(
  account: string,
  roleName: string,
  common: { readonly ownerReferences?: readonly OwnerReference[] } = {},
): readonly KubeObject[] {
  const owners = common.ownerReferences === undefined ? {} : { ownerReferences: [...common.ownerReferences] };
  const metadata = { name: account, namespace: MEMBER_NAMESPACE, labels: SYSTEM_LABELS, ...owners };
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata },
    {
      apiVersion: RBAC,
      kind: "ClusterRoleBinding",
      metadata: { name: roleName, labels: SYSTEM_LABELS, ...owners },
      roleRef: { apiGroup: RBAC_GROUP, kind: "ClusterRole", name: roleName },
      subjects: [{ kind: "ServiceAccount", name: account, namespace: MEMBER_NAMESPACE }],
    },
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { ...metadata, annotations: { "kubernetes.io/service-account.name": account } },
      type: "kubernetes.io/service-account-token",
    },
  ];
}

/** May change the rules of the other accounts' roles, beyond what it has itself; it cannot bind them to anybody. */
function rightsRole(clusterName: string, ownerReferences: readonly OwnerReference[]): KubeObject {
  const resourceNames = [accountRoleName(clusterName), IMPERSONATOR];
  return {
    apiVersion: RBAC,
    kind: "ClusterRole",
    metadata: { name: rightsRoleName(clusterName), labels: SYSTEM_LABELS, ownerReferences: [...ownerReferences] },
    rules: [
      {
        apiGroups: [RBAC_GROUP],
        resources: ["clusterroles"],
        resourceNames,
        verbs: ["escalate", "get", "patch", "update"],
      },
    ],
  };
}

function ownerOf(role: KubeObject): OwnerReference {
  return { apiVersion: RBAC, kind: "ClusterRole", name: role.metadata.name ?? "", uid: role.metadata.uid ?? "" };
}

function impersonatorParts(): readonly KubeObject[] {
  return [
    {
      apiVersion: RBAC,
      kind: "ClusterRole",
      metadata: { name: IMPERSONATOR, labels: SYSTEM_LABELS },
      rules: [
        { apiGroups: [""], resources: ["users", "groups", "serviceaccounts"], verbs: ["impersonate"] },
        // UIDs, and extras under every key.
        { apiGroups: ["authentication.k8s.io"], resources: ["*"], verbs: ["impersonate"] },
      ],
    },
    ...boundAccount(IMPERSONATOR, IMPERSONATOR),
  ];
}

interface TokenOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

interface AccountOptions extends TokenOptions {
  /** What the control plane's account is to be allowed. */
  readonly rules: readonly PolicyRule[];
  /** Whether there is to be an account that keeps these rules up to date. */
  readonly keepsRights: boolean;
}

interface AccountToken {
  readonly token: string;
  readonly caBundle: string | undefined;
}

export interface MemberAccount extends AccountToken {
  /** Token of the account that may act for other users, and do nothing else; undefined where the joiner may not make one. */
  readonly impersonatorToken: string | undefined;
  /** Token of the account that may change the rules; undefined where none was asked for or the joiner may not make one. */
  readonly rightsToken: string | undefined;
  /** Rules that the account did not get, because the joiner has not got them. */
  readonly lacking: readonly PolicyRule[];
}

/**
 * Makes the accounts and answers with their tokens. The member's token controller is given a moment to fill the Secrets;
 * where there is none, tokens are asked for. Throws `member-gives-no-token` when neither works, and what the member
 * answers when the joiner may not make an account at all.
 */
export async function createMemberAccount(
  member: KubeClient,
  clusterName: string,
  options: AccountOptions,
): Promise<MemberAccount> {
  const write = { fieldManager: FIELD_MANAGER, force: true, signal: options.signal };
  const { role, lacking } = await grantRules(member, clusterName, options.rules, options.signal);
  const owners = { ownerReferences: [ownerOf(role)] };
  const metadata = { name: MEMBER_NAMESPACE, labels: SYSTEM_LABELS };
  await ensureShared(member, role, { apiVersion: "v1", kind: "Namespace", metadata });
  for (const part of boundAccount(accountName(clusterName), accountRoleName(clusterName), owners))
    await member.apply(part, write);
  const hasKeeper =
    options.keepsRights &&
    (await unlessForbidden(async () => {
      await member.apply(rightsRole(clusterName, owners.ownerReferences), write);
      for (const part of boundAccount(rightsAccountName(clusterName), rightsRoleName(clusterName), owners))
        await member.apply(part, write);
    }));
  const hasImpersonator = await unlessForbidden(async () => {
    for (const part of impersonatorParts()) await ensureShared(member, role, part);
  });
  const [own, rights, impersonator] = await Promise.all([
    tokenOf(member, accountName(clusterName), options),
    hasKeeper ? tokenOf(member, rightsAccountName(clusterName), options) : undefined,
    hasImpersonator ? tokenOf(member, IMPERSONATOR, options) : undefined,
  ]);
  return { ...own, rightsToken: rights?.token, impersonatorToken: impersonator?.token, lacking };
}

/** Gives the account its rules, as far as the caller may: what he has not got himself is left out and told of. */
export async function grantRules(
  member: KubeClient,
  clusterName: string,
  rules: readonly PolicyRule[],
  signal: AbortSignal,
): Promise<{ readonly role: KubeObject; readonly lacking: readonly PolicyRule[] }> {
  const write = { fieldManager: FIELD_MANAGER, force: true, signal };
  try {
    return { role: await member.apply(accountRole(clusterName, rules), write), lacking: [] };
  } catch (error) {
    if (!isForbidden(error)) throw error;
    const { held, lacking } = await splitByOwnRights(member, rules);
    if (lacking.length === 0) throw error;
    return { role: await member.apply(accountRole(clusterName, held), write), lacking };
  }
}

/** False when the caller may not do it; what was done before the refusal goes with the account. */
async function unlessForbidden(work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (!isForbidden(error)) throw error;
    return false;
  }
}

/** Creates what goes with the last account in the member; what others made is left as it is. */
async function ensureShared(member: KubeClient, role: KubeObject, object: KubeObject): Promise<void> {
  const ref = refOf(object);
  const existing = await member.find(ref);
  if (existing === undefined) {
    const metadata = { ...object.metadata, ownerReferences: [ownerOf(role)] };
    await member.create({ ...object, metadata }, { fieldManager: FIELD_MANAGER });
    return;
  }
  const { ownerReferences = [], resourceVersion } = existing.metadata;
  if (ownerReferences.length === 0 || ownerReferences.some((owner) => owner.uid === role.metadata.uid)) return;
  await member.patch(
    ref,
    { metadata: { resourceVersion, ownerReferences: [...ownerReferences, ownerOf(role)] } },
    "merge",
    { fieldManager: FIELD_MANAGER },
  );
}

async function tokenOf(member: KubeClient, account: string, { clock, signal }: TokenOptions): Promise<AccountToken> {
  const secret: ObjectRef = { apiVersion: "v1", kind: "Secret", namespace: MEMBER_NAMESPACE, name: account };
  const filled = await awaitToken(member, secret, clock, signal);
  return filled ?? { token: await requestToken(member, account), caBundle: undefined };
}

async function awaitToken(
  member: KubeClient,
  ref: ObjectRef,
  clock: Clock,
  signal: AbortSignal,
): Promise<AccountToken | undefined> {
  const deadline = clock.now() + FILL_TIMEOUT_MS;
  for (;;) {
    const { data } = await member.get(ref, signal);
    if (isObject(data) && typeof data["token"] === "string" && data["token"] !== "") {
      const caBundle = data["ca.crt"];
      return {
        token: Buffer.from(data["token"], "base64").toString("utf8"),
        caBundle: typeof caBundle === "string" ? caBundle : undefined,
      };
    }
    if (clock.now() >= deadline) return undefined;
    await sleep(clock, 100, signal);
  }
}

async function requestToken(member: KubeClient, account: string): Promise<string> {
  const path = `/api/v1/namespaces/${MEMBER_NAMESPACE}/serviceaccounts/${account}/token`;
  try {
    const answer = await member.raw("POST", path, {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: { expirationSeconds: TOKEN_SECONDS },
    });
    const status = isObject(answer) && isObject(answer["status"]) ? answer["status"] : {};
    if (typeof status["token"] === "string") return status["token"];
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  throw new AppError(
    "member-gives-no-token",
    "the cluster gives no tokens to service accounts; join it with --credentials kubeconfig",
    { recovery: "stall" },
  );
}

/**
 * Removes what `createMemberAccount` made. One request, because with the first part of it the account loses its rights;
 * the member's garbage collector does the rest.
 */
export async function removeMemberAccount(member: KubeClient, clusterName: string): Promise<void> {
  await member.delete(refOf(accountRole(clusterName, [])), { propagationPolicy: "Background" });
}
