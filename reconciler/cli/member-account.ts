// What a join makes in a member cluster: an account for the control plane, allowed everything, and a token of it.
import type { KubeClient } from "../../kube/client/kube-client.ts";
import { isNotFound } from "../../kube/client/status-error.ts";
import { isObject, type KubeObject, type ObjectRef, refOf } from "../../kube/object.ts";
import { type Clock, sleep } from "../../runtime/clock.ts";
import { AppError } from "../../runtime/errors.ts";

export const MEMBER_NAMESPACE = "karmada-cluster";
const SYSTEM_LABELS = { "karmada.io/system": "true" };
const RBAC = "rbac.authorization.k8s.io/v1";
const FILL_TIMEOUT_MS = 3_000;
/** Members may shorten it; a year is what most allow. */
const TOKEN_SECONDS = 365 * 24 * 3600;

/** The objects in the order in which they are made. */
export function memberAccountObjects(clusterName: string): readonly KubeObject[] {
  const account = `karmada-${clusterName}`;
  const role = `karmada-controller-manager:${account}`;
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: MEMBER_NAMESPACE, labels: SYSTEM_LABELS } },
    {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: account, namespace: MEMBER_NAMESPACE, labels: SYSTEM_LABELS },
    },
    {
      apiVersion: RBAC,
      kind: "ClusterRole",
      metadata: { name: role, labels: SYSTEM_LABELS },
      rules: [
        { apiGroups: ["*"], resources: ["*"], verbs: ["*"] },
        { nonResourceURLs: ["*"], verbs: ["get"] },
      ],
    },
    {
      apiVersion: RBAC,
      kind: "ClusterRoleBinding",
      metadata: { name: role, labels: SYSTEM_LABELS },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
      subjects: [{ kind: "ServiceAccount", name: account, namespace: MEMBER_NAMESPACE }],
    },
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: {
        name: account,
        namespace: MEMBER_NAMESPACE,
        labels: SYSTEM_LABELS,
        annotations: { "kubernetes.io/service-account.name": account },
      },
      type: "kubernetes.io/service-account-token",
    },
  ];
}

/**
 * Makes the account and answers with its token. The member's token controller is given a moment to fill the Secret;
 * where there is none, a token is asked for. Throws `member-gives-no-token` when neither works.
 */
export async function createMemberAccount(
  member: KubeClient,
  clusterName: string,
  options: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<{ readonly token: string; readonly caBundle: string | undefined }> {
  const { clock, signal } = options;
  const objects = memberAccountObjects(clusterName);
  for (const object of objects) await member.apply(object, { fieldManager: "flaghoist-join", force: true, signal });
  const secret = objects.at(-1);
  const filled = secret === undefined ? undefined : await awaitToken(member, refOf(secret), clock, signal);
  if (filled !== undefined) return filled;
  return { token: await requestToken(member, clusterName), caBundle: undefined };
}

async function awaitToken(
  member: KubeClient,
  ref: ObjectRef,
  clock: Clock,
  signal: AbortSignal,
): Promise<{ token: string; caBundle: string | undefined } | undefined> {
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

async function requestToken(member: KubeClient, clusterName: string): Promise<string> {
  const path = `/api/v1/namespaces/${MEMBER_NAMESPACE}/serviceaccounts/karmada-${clusterName}/token`;
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

/** Removes what `createMemberAccount` made; the namespace only when nothing else of ours is left in it. */
export async function removeMemberAccount(member: KubeClient, clusterName: string): Promise<void> {
  for (const object of [...memberAccountObjects(clusterName)].reverse()) {
    if (object.kind === "Namespace") {
      const others = (await member.list("v1", "ServiceAccount", { namespace: MEMBER_NAMESPACE })).items.filter(
        (account) => account.metadata.name !== "default",
      );
      if (others.length > 0) continue;
    }
    await member.delete(refOf(object));
  }
}
