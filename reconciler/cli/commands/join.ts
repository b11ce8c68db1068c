import { resolve } from "node:path";
import type { Cluster } from "../../../api/cluster.ts";
import {
  impersonatorSecretName,
  MEMBER_NAMESPACE,
  MEMBER_RIGHTS_ANNOTATION,
  type MemberRightsMode,
  rightsSecretName,
} from "../../../fleets/member-account-names.ts";
import { grantCommand } from "../../../fleets/member-rights.ts";
import { openHttpTransport } from "../../../kube/client/http-transport.ts";
import { KubeClient } from "../../../kube/client/kube-client.ts";
import { findCondition } from "../../../kube/conditions.ts";
import type { KubeObject, ObjectRef } from "../../../kube/object.ts";
import { sleep } from "../../../runtime/clock.ts";
import { parseDuration } from "../../../runtime/duration.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import { EVERYTHING } from "../../works/member-rules.ts";
import {
  booleanOption,
  type Command,
  EXIT,
  type ExitCode,
  type Invocation,
  OUTPUT_OPTION,
  SERVER_OPTIONS,
  stringOption,
  UsageError,
} from "../command.ts";
import { commandClock } from "../command-clock.ts";
import { withControlPlane } from "../connect.ts";
import { createMemberAccount, removeMemberAccount, secretRefs } from "../member-account.ts";
import { type MemberKubeconfig, readMemberKubeconfig } from "../member-kubeconfig.ts";
import { rulesInUse, ruleText } from "../member-use.ts";
import { paint, print } from "../output.ts";

const CLUSTER_API = "cluster.karmada.io/v1alpha1";
const REACH_TIMEOUT_MS = 5_000;
const FIELD_MANAGER = "flaghoist-join";

export const joinCommand: Command = {
  name: "join",
  summary: "register a member cluster",
  usage: "NAME --cluster-kubeconfig FILE [--cluster-context CONTEXT]",
  description:
    "Makes an account for the control plane in the cluster and one that acts for people who go through the control plane (kubectl get --raw .../clusters/NAME/proxy/...), keeps their tokens in Secrets, and creates the Cluster object. Waits until the cluster is ready, or says why it is not. A cluster that does not answer is not registered. The account is allowed what the kinds in use call for, and never more than the kubeconfig may grant; a second account, which can do nothing else, widens and narrows that as kinds come and go.",
  options: {
    "cluster-kubeconfig": { type: "string", value: "FILE", help: "how the cluster is reached" },
    "cluster-context": { type: "string", value: "CONTEXT", help: "context of that kubeconfig (default: the current)" },
    provider: { type: "string", value: "NAME", help: "such as aws; for spread constraints and selectors" },
    region: { type: "string", value: "NAME", help: "such as eu-west" },
    zones: { type: "string", value: "NAMES", help: "such as eu-west-1a,eu-west-1b" },
    label: { type: "string", multiple: true, value: "KEY=VALUE", help: "label of the Cluster object; may be repeated" },
    credentials: {
      type: "string",
      value: "token|kubeconfig",
      help: "what the control plane keeps: a token of an account of its own (default), or this kubeconfig",
    },
    "cluster-admin": { type: "boolean", help: "allow the account everything, as Karmada does" },
    "fixed-rights": {
      type: "boolean",
      help: "make no account that changes rights: what is missing later is told, and granted by flaghoist grant",
    },
    "dry-run": { type: "boolean", help: "check everything, write nothing" },
    timeout: { type: "string", value: "DURATION", help: "how long to wait for the cluster to be ready (default: 30s)" },
    ...SERVER_OPTIONS,
    ...OUTPUT_OPTION,
  },
  examples: [
    ["join tokyo-1 --cluster-kubeconfig tokyo.yaml --region ap-northeast", "by the current context of tokyo.yaml"],
    ["join edge-7 --cluster-kubeconfig edge.yaml --credentials kubeconfig", "where accounts get no tokens"],
  ],
  run: (invocation) => withControlPlane(invocation, ({ client }) => join(invocation, client)),
};

interface Registration {
  readonly name: string;
  readonly kubeconfig: MemberKubeconfig;
  readonly credentials: "token" | "kubeconfig";
  readonly mode: MemberRightsMode | undefined;
  readonly cluster: Cluster;
}

/** What became of the rights, beyond what was asked for. */
type Shortfall = string;

async function join(invocation: Invocation, client: KubeClient): Promise<ExitCode> {
  const { io, signal } = invocation;
  const [name] = invocation.positionals;
  const file = stringOption(invocation, "cluster-kubeconfig");
  if (name === undefined) throw new UsageError("what is the cluster to be called?");
  if (file === undefined) throw new UsageError("how is the cluster reached? --cluster-kubeconfig FILE");
  const timeoutMs = parseDuration(stringOption(invocation, "timeout") ?? "30s");
  const kubeconfig = readMemberKubeconfig(resolve(io.cwd, file), stringOption(invocation, "cluster-context"));
  const credentials = credentialsOption(invocation, kubeconfig);
  const mode = rightsOption(invocation, credentials);
  let shortfalls: readonly Shortfall[] = [];
  const transport = await openHttpTransport({ kubeconfig: kubeconfig.text, timeoutMs: REACH_TIMEOUT_MS });
  try {
    const member = new KubeClient(transport.send);
    const id = await identify(member, kubeconfig.server, signal);
    const cluster = clusterObject(invocation, name, kubeconfig, { id, credentials, mode });
    await refuseTwice(client, name, id);
    // The rules for clusters speak before anything is written, there or here.
    await client.create(cluster, { fieldManager: FIELD_MANAGER, dryRun: true });
    if (booleanOption(invocation, "dry-run")) {
      print(
        invocation,
        { cluster: name, dryRun: true, server: kubeconfig.server, id },
        () =>
          `${name} can be joined: ${kubeconfig.server} answers, and the Cluster object is valid. Nothing was written.`,
      );
      return EXIT.ok;
    }
    shortfalls = await register(client, member, { name, kubeconfig, credentials, mode, cluster }, signal);
  } finally {
    await transport.close();
  }
  for (const shortfall of shortfalls) io.err(`${paint(invocation).yellow("!")} ${shortfall}\n`);
  return awaitReady(invocation, client, { apiVersion: CLUSTER_API, kind: "Cluster", name }, timeoutMs);
}

/** Undefined where there is no account whose rights could be decided. */
function rightsOption(invocation: Invocation, credentials: Registration["credentials"]): MemberRightsMode | undefined {
  const admin = booleanOption(invocation, "cluster-admin");
  const fixed = booleanOption(invocation, "fixed-rights");
  if (admin && fixed) throw new UsageError("--cluster-admin and --fixed-rights exclude each other");
  if (credentials === "kubeconfig") {
    if (admin || fixed)
      throw new UsageError("with --credentials kubeconfig no account is made: its rights are those of the kubeconfig");
    return undefined;
  }
  return admin ? "cluster-admin" : fixed ? "granted" : "kinds-in-use";
}

function credentialsOption(invocation: Invocation, kubeconfig: MemberKubeconfig): "token" | "kubeconfig" {
  const word = stringOption(invocation, "credentials") ?? "token";
  if (word !== "token" && word !== "kubeconfig")
    throw new UsageError(`--credentials takes token or kubeconfig, not "${word}"`);
  if (word === "kubeconfig" && kubeconfig.credentialProgram !== undefined) {
    throw new AppError(
      "kubeconfig-invalid",
      `context "${kubeconfig.context}" gets its credentials from ${kubeconfig.credentialProgram}, which the control plane does not run; leave --credentials out`,
      { recovery: "stall" },
    );
  }
  return word;
}

/** The UID of the member's namespace kube-system: the same cluster has the same under every name and address. */
async function identify(member: KubeClient, server: string, signal: AbortSignal): Promise<string> {
  try {
    const found = await member.get(
      { apiVersion: "v1", kind: "Namespace", name: "kube-system" },
      AbortSignal.any([signal, AbortSignal.timeout(2 * REACH_TIMEOUT_MS)]),
    );
    return found.metadata.uid ?? "";
  } catch (error) {
    throw new AppError(
      "member-unreachable",
      `the cluster at ${server} cannot be joined: ${messageOf(error)}. Nothing was written`,
      {
        recovery: "stall",
        cause: error,
      },
    );
  }
}

async function refuseTwice(client: KubeClient, name: string, id: string): Promise<void> {
  const clusters = (await client.list<Cluster>(CLUSTER_API, "Cluster")).items;
  const twin = clusters.find((cluster) => cluster.metadata.name === name || (id !== "" && cluster.spec.id === id));
  if (twin === undefined) return;
  const { name: other } = twin.metadata;
  throw new AppError(
    "cluster-already-joined",
    other === name
      ? `there is a cluster ${name} already. To join it anew: flaghoist unjoin ${name}`
      : `this cluster is joined already, as ${other}. To join it as ${name}: flaghoist unjoin ${other} first`,
    { recovery: "stall" },
  );
}

function clusterObject(
  invocation: Invocation,
  name: string,
  kubeconfig: MemberKubeconfig,
  { id, credentials, mode }: { readonly id: string } & Pick<Registration, "credentials" | "mode">,
): Cluster {
  // A kubeconfig that came along acts for others itself.
  const impersonator = credentials === "kubeconfig" ? name : impersonatorSecretName(name);
  const provider = stringOption(invocation, "provider");
  const region = stringOption(invocation, "region");
  const zones = stringOption(invocation, "zones")
    ?.split(",")
    .map((zone) => zone.trim())
    .filter((zone) => zone !== "");
  const labels = labelsOption(invocation);
  return {
    apiVersion: CLUSTER_API,
    kind: "Cluster",
    metadata: {
      name,
      ...(labels === undefined ? {} : { labels }),
      ...(mode === undefined ? {} : { annotations: { [MEMBER_RIGHTS_ANNOTATION]: mode } }),
    },
    spec: {
      syncMode: "Push",
      ...(id === "" ? {} : { id }),
      apiEndpoint: kubeconfig.server,
      secretRef: { namespace: MEMBER_NAMESPACE, name },
      impersonatorSecretRef: { namespace: MEMBER_NAMESPACE, name: impersonator },
      ...(kubeconfig.insecureSkipTlsVerify ? { insecureSkipTLSVerification: true } : {}),
      ...(kubeconfig.proxyUrl === undefined ? {} : { proxyURL: kubeconfig.proxyUrl }),
      ...(provider === undefined ? {} : { provider }),
      ...(region === undefined ? {} : { region }),
      ...(zones === undefined ? {} : { zones }),
    },
  };
}

function labelsOption(invocation: Invocation): Record<string, string> | undefined {
  const given = invocation.values["label"];
  if (given === undefined || typeof given === "boolean") return undefined;
  const pairs = typeof given === "string" ? [given] : given;
  return Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf("=");
      if (equals < 1) throw new UsageError(`--label takes KEY=VALUE, not "${pair}"`);
      return [pair.slice(0, equals), pair.slice(equals + 1)];
    }),
  );
}

/** Writes to the member, then here; what was written is taken back when a later step fails. */
async function register(
  client: KubeClient,
  member: KubeClient,
  registration: Registration,
  signal: AbortSignal,
): Promise<readonly Shortfall[]> {
  const { name, kubeconfig, credentials } = registration;
  try {
    const { secrets, cluster, shortfalls } =
      credentials === "kubeconfig"
        ? {
            secrets: { [name]: { kubeconfig: base64(kubeconfig.text) } },
            cluster: registration.cluster,
            shortfalls: [],
          }
        : await makeAccounts(client, member, registration, signal);
    for (const [secretName, data] of Object.entries(secrets)) {
      const secret: KubeObject = {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: secretName, namespace: MEMBER_NAMESPACE, labels: { "karmada.io/system": "true" } },
        type: "Opaque",
        data,
      };
      await client.apply(secret, { fieldManager: FIELD_MANAGER, force: true });
    }
    const created = await client.create(cluster, { fieldManager: FIELD_MANAGER });
    // So that the Secrets go with the Cluster, however that is deleted.
    const owner = { apiVersion: CLUSTER_API, kind: "Cluster", name, uid: created.metadata.uid };
    for (const ref of secretRefs(name).filter((ref) => ref.name in secrets)) {
      await client.patch(ref, { metadata: { ownerReferences: [owner] } }, "merge", { fieldManager: FIELD_MANAGER });
    }
    return shortfalls;
  } catch (error) {
    for (const ref of secretRefs(name)) await client.delete(ref).catch(() => false);
    if (credentials === "token") await removeMemberAccount(member, name).catch(() => undefined);
    throw error;
  }
}

interface Accounts {
  /** The Secrets of the control plane with the credentials of the accounts, by name. */
  readonly secrets: Readonly<Record<string, Record<string, string>>>;
  /** As registered: without what could not be made. */
  readonly cluster: Cluster;
  readonly shortfalls: readonly Shortfall[];
}

async function makeAccounts(
  client: KubeClient,
  member: KubeClient,
  { name, kubeconfig, mode, cluster }: Registration,
  signal: AbortSignal,
): Promise<Accounts> {
  const rules = mode === "cluster-admin" ? EVERYTHING : await rulesInUse(client, member, cluster);
  const account = await createMemberAccount(member, name, {
    rules,
    keepsRights: mode === "kinds-in-use",
    clock: commandClock,
    signal,
  });
  // The kubeconfig's own bundle leads to the address that was just used; the member's may be for inside addresses only.
  const caBundle = kubeconfig.caBundle ?? account.caBundle;
  const authority = caBundle === undefined ? {} : { caBundle };
  const secrets: Record<string, Record<string, string>> = { [name]: { token: base64(account.token), ...authority } };
  const shortfalls: Shortfall[] = [];
  let registered = cluster;
  if (account.impersonatorToken === undefined) {
    const { impersonatorSecretRef: _, ...spec } = cluster.spec;
    registered = { ...registered, spec };
    shortfalls.push(
      `this kubeconfig may not let an account act for others: clusters/${name}/proxy is not there until one is made by a kubeconfig that may.`,
    );
  } else secrets[impersonatorSecretName(name)] = { token: base64(account.impersonatorToken) };
  if (account.rightsToken !== undefined)
    secrets[rightsSecretName(name)] = { token: base64(account.rightsToken), ...authority };
  else if (mode === "kinds-in-use") {
    const annotations = { ...registered.metadata.annotations, [MEMBER_RIGHTS_ANNOTATION]: "granted" };
    registered = { ...registered, metadata: { ...registered.metadata, annotations } };
    shortfalls.push(
      `this kubeconfig may not make an account that changes rights: when further kinds come into use, grant them by ${grantCommand(name)}`,
    );
  }
  if (account.lacking.length > 0) {
    const list = account.lacking.map((rule) => `    ${ruleText(rule)}`).join("\n");
    shortfalls.push(
      `the account did not get what this kubeconfig has not got itself:\n${list}\n  Grant it with one that has: ${grantCommand(name)}`,
    );
  }
  return { secrets, cluster: registered, shortfalls };
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

async function awaitReady(
  invocation: Invocation,
  client: KubeClient,
  ref: ObjectRef,
  timeoutMs: number,
): Promise<ExitCode> {
  const deadline = commandClock.now() + timeoutMs;
  let cluster = await client.get<Cluster>(ref);
  const readyOf = (): ReturnType<typeof findCondition> => findCondition(cluster.status?.conditions, "Ready");
  while (readyOf()?.status !== "True" && commandClock.now() < deadline) {
    await sleep(commandClock, 100, invocation.signal);
    cluster = await client.get<Cluster>(ref);
  }
  const ready = readyOf();
  const isReady = ready?.status === "True";
  const colour = paint(invocation);
  print(invocation, { cluster: ref.name, ready, version: cluster.status?.kubernetesVersion }, () =>
    isReady
      ? `${colour.green("✔")} ${ref.name} is joined and ready${cluster.status?.kubernetesVersion === undefined ? "" : `, Kubernetes ${cluster.status.kubernetesVersion}`}.`
      : `${colour.red("✗")} ${ref.name} is joined, but not ready: ${ready?.message ?? "no control loop has looked at it yet; is 'flaghoist up' running?"}`,
  );
  return isReady ? EXIT.ok : EXIT.failed;
}
