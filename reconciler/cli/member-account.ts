// What a join makes in a member cluster: an account for the control plane, allowed everything, one that may act for other
// users (as whom `clusters/proxy` asks), and a token of each.
import type { KubeClient } from "../../kube/client/kube-client.ts";
import { isNotFound } from "../../kube/client/status-error.ts";
import { isObject, type KubeObject, type ObjectRef, type OwnerReference, refOf } from "../../kube/object.ts";
import { type Clock, sleep } from "../../runtime/clock.ts";
import { AppError } from "../../runtime/errors.ts";

export const MEMBER_NAMESPACE = "karmada-cluster";
const SYSTEM_LABELS = { "karmada.io/system": "true" };
const RBAC = "rbac.authorization.k8s.io/v1";
const FIELD_MANAGER = "flaghoist-join";
/** As Karmada's: one for all control planes that the cluster has joined. */
const IMPERSONATOR = "karmada-impersonator";
const FILL_TIMEOUT_MS = 3_000;
/** Members may shorten it; a year is what most allow. */
const TOKEN_SECONDS = 365 * 24 * 3600;

/** As Karmada's: the Secret of the control plane with the token of the account that acts for others. */
export function impersonatorSecretName(clusterName: string): string {
  return `${clusterName}-impersonator`;
}

/** The Secrets of the control plane with credentials of a cluster. */
export function secretRefs(clusterName: string): readonly ObjectRef[] {
  const secret = { apiVersion: "v1", kind: "Secret", namespace: MEMBER_NAMESPACE };
  return [
    { ...secret, name: clusterName },
    { ...secret, name: impersonatorSecretName(clusterName) },
  ];
}

/** The role is the root: it owns all the rest, so that deleting it takes everything along. */
function accountRole(clusterName: string): KubeObject {
  return {
    apiVersion: RBAC,
    kind: "ClusterRole",
    metadata: { name: `karmada-controller-manager:${accountName(clusterName)}`, labels: SYSTEM_LABELS },
    rules: [
      { apiGroups: ["*"], resources: ["*"], verbs: ["*"] },
      { nonResourceURLs: ["*"], verbs: ["get"] },
    ],
  };
}

function accountName(clusterName: string): string {
  return `karmada-${clusterName}`;
}

function accountParts(clusterName: string, role: KubeObject): readonly KubeObject[] {
  const name = accountName(clusterName);
  const metadata = { name, namespace: MEMBER_NAMESPACE, labels: SYSTEM_LABELS, ownerReferences: [ownerOf(role)] };
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata },
    {
      apiVersion: RBAC,
      kind: "ClusterRoleBinding",
      metadata: { name: role.metadata.name ?? "", labels: SYSTEM_LABELS, ownerReferences: [ownerOf(role)] },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role.metadata.name },
      subjects: [{ kind: "ServiceAccount", name, namespace: MEMBER_NAMESPACE }],
    },
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { ...metadata, annotations: { "kubernetes.io/service-account.name": name } },
      type: "kubernetes.io/service-account-token",
    },
  ];
}

function ownerOf(role: KubeObject): OwnerReference {
  return { apiVersion: RBAC, kind: "ClusterRole", name: role.metadata.name ?? "", uid: role.metadata.uid ?? "" };
}

function impersonatorParts(): readonly KubeObject[] {
  const metadata = { name: IMPERSONATOR, namespace: MEMBER_NAMESPACE, labels: SYSTEM_LABELS };
  const clusterWide = { name: IMPERSONATOR, labels: SYSTEM_LABELS };
  return [
    {
      apiVersion: RBAC,
      kind: "ClusterRole",
      metadata: clusterWide,
      rules: [
        { apiGroups: [""], resources: ["users", "groups", "serviceaccounts"], verbs: ["impersonate"] },
        // UIDs, and extras under every key.
        { apiGroups: ["authentication.k8s.io"], resources: ["*"], verbs: ["impersonate"] },
      ],
    },
    { apiVersion: "v1", kind: "ServiceAccount", metadata },
    {
      apiVersion: RBAC,
      kind: "ClusterRoleBinding",
      metadata: clusterWide,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: IMPERSONATOR },
      subjects: [{ kind: "ServiceAccount", name: IMPERSONATOR, namespace: MEMBER_NAMESPACE }],
    },
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { ...metadata, annotations: { "kubernetes.io/service-account.name": IMPERSONATOR } },
      type: "kubernetes.io/service-account-token",
    },
  ];
}

interface AccountOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

interface AccountToken {
  readonly token: string;
  readonly caBundle: string | undefined;
}

export interface MemberAccount extends AccountToken {
  /** Token of the account that may act for other users, and do nothing else. */
  readonly impersonatorToken: string;
}

/**
 * Makes both accounts and answers with their tokens. The member's token controller is given a moment to fill the Secrets;
 * where there is none, tokens are asked for. Throws `member-gives-no-token` when neither works.
 */
export async function createMemberAccount(
  member: KubeClient,
  clusterName: string,
  options: AccountOptions,
): Promise<MemberAccount> {
  const write = { fieldManager: FIELD_MANAGER, force: true, signal: options.signal };
  const role = await member.apply(accountRole(clusterName), write);
  const metadata = { name: MEMBER_NAMESPACE, labels: SYSTEM_LABELS };
  await ensureShared(member, role, { apiVersion: "v1", kind: "Namespace", metadata });
  let secret: ObjectRef | undefined;
  for (const part of accountParts(clusterName, role)) secret = refOf(await member.apply(part, write));
  for (const part of impersonatorParts()) await ensureShared(member, role, part);
  const [own, impersonator] = await Promise.all([
    tokenOf(member, accountName(clusterName), secret, options),
    tokenOf(
      member,
      IMPERSONATOR,
      { apiVersion: "v1", kind: "Secret", namespace: MEMBER_NAMESPACE, name: IMPERSONATOR },
      options,
    ),
  ]);
  return { ...own, impersonatorToken: impersonator.token };
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

async function tokenOf(
  member: KubeClient,
  account: string,
  secret: ObjectRef | undefined,
  { clock, signal }: AccountOptions,
): Promise<AccountToken> {
  const filled = secret === undefined ? undefined : await awaitToken(member, secret, clock, signal);
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
  await member.delete(refOf(accountRole(clusterName)), { propagationPolicy: "Background" });
}
