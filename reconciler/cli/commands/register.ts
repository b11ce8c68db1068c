import { openHttpTransport } from "../../../kube/client/http-transport.ts";
import { KubeClient } from "../../../kube/client/kube-client.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import { agentKubeconfig, requestAgentCertificate } from "../agents/agent-certificate.ts";
import { credentialFile, credentialSecret } from "../agents/agent-credentials.ts";
import { type DiscoveredPlane, discoverControlPlane, parseBootstrapToken } from "../agents/discovery.ts";
import { clusterId, PLACE_OPTIONS, pullCluster, registerPullCluster } from "../agents/pull-registration.ts";
import {
  booleanOption,
  type Command,
  durationOption,
  EXIT,
  type ExitCode,
  type Invocation,
  OUTPUT_OPTION,
  stringOption,
  UsageError,
} from "../command.ts";
import { paint, print } from "../output.ts";
import { controlPlaneFile, MEMBER_SIDE_OPTIONS, openMember } from "./agent.ts";

const RIGHTS_TIMEOUT_MS = 15_000;

export const registerCommand: Command = {
  name: "register",
  summary: "register this cluster with a control plane that cannot reach it",
  usage: "ENDPOINT --cluster-name NAME --token TOKEN --discovery-token-ca-cert-hash sha256:HASH",
  description:
    "Run on the side of the cluster. Checks that the control plane at ENDPOINT (HOST:PORT) knows the token and has the authority of that hash, has a certificate made for this cluster's agent, and creates the Cluster object in Pull mode. The credentials are kept in the cluster, or in the file that --control-plane-kubeconfig names. 'flaghoist token create --print-register-command' prints the line.",
  options: {
    token: { type: "string", value: "TOKEN", help: "bootstrap token of the control plane" },
    "discovery-token-ca-cert-hash": {
      type: "string",
      multiple: true,
      value: "sha256:HASH",
      help: "hash of the control plane's authority; several by comma",
    },
    "discovery-token-unsafe-skip-ca-verification": {
      type: "boolean",
      help: "believe any authority: whoever stands between can be the control plane",
    },
    "discovery-timeout": {
      type: "string",
      value: "DURATION",
      help: "how long to wait for the control plane (default: 5m)",
    },
    "cert-expiration-seconds": {
      type: "string",
      value: "SECONDS",
      help: "how long the agent's certificate holds; it is renewed before (default: a year)",
    },
    ...MEMBER_SIDE_OPTIONS,
    ...PLACE_OPTIONS,
    "dry-run": { type: "boolean", help: "check everything that can be checked without a certificate, write nothing" },
    ...OUTPUT_OPTION,
  },
  examples: [
    [
      "register 10.0.0.2:6443 --cluster-name edge-7 --kubeconfig edge.yaml --token abcdef.0123456789abcdef --discovery-token-ca-cert-hash sha256:1234…",
      "then: flaghoist agent --cluster-name edge-7 --kubeconfig edge.yaml",
    ],
  ],
  run: register,
};

async function register(invocation: Invocation): Promise<ExitCode> {
  const { signal } = invocation;
  const [endpoint] = invocation.positionals;
  const name = stringOption(invocation, "cluster-name");
  const token = stringOption(invocation, "token");
  const caHashes = hashesOf(invocation);
  if (endpoint === undefined) throw new UsageError("where is the control plane? ENDPOINT is HOST:PORT");
  if (name === undefined) throw new UsageError("what is the cluster to be called? --cluster-name NAME");
  if (token === undefined) throw new UsageError("which token? --token TOKEN, of 'flaghoist token create'");
  const isUnsafe = booleanOption(invocation, "discovery-token-unsafe-skip-ca-verification");
  if (caHashes.length === 0 && !isUnsafe)
    throw new UsageError(
      "name the control plane's authority by --discovery-token-ca-cert-hash, or believe any by --discovery-token-unsafe-skip-ca-verification",
    );
  parseBootstrapToken(token);
  const seconds = secondsOf(invocation);
  const timeoutMs = durationOption(invocation, "discovery-timeout", "5m");
  const member = await openMember(invocation);
  try {
    const client = new KubeClient(member.send);
    const file = controlPlaneFile(invocation);
    const place = file === undefined ? credentialSecret(client) : credentialFile(file);
    const id = await reachMember(client, member.server, signal);
    if ((await place.read()) !== undefined)
      throw new AppError(
        "agent-registered",
        `this cluster has credentials of a control plane already (${place.description}); take it out by 'flaghoist unregister' first, or remove them`,
        { recovery: "stall" },
      );
    const wait = { timeoutMs, clock: systemClock, signal };
    const hashes = isUnsafe ? [] : caHashes;
    const plane = await discoverControlPlane({
      endpoint: endpoint.replace(/^https:\/\//, ""),
      token,
      caHashes: hashes,
      ...wait,
    });
    if (booleanOption(invocation, "dry-run")) {
      print(
        invocation,
        { cluster: name, dryRun: true, server: plane.server, id },
        () =>
          `${name} can be registered: ${plane.server} knows the token, and ${member.server} answers. Nothing was written.`,
      );
      return EXIT.ok;
    }
    const pair = await withPlane(plane, { token }, (bootstrap) =>
      requestAgentCertificate(bootstrap, { cluster: name, seconds, ...wait }),
    );
    const kubeconfig = agentKubeconfig(name, plane.server, plane.caPem, pair);
    const outcome = await withPlane(plane, { certificate: pair.certificate, key: pair.key }, (own) =>
      registerPullCluster(own, pullCluster(invocation, name, id), { ...wait, timeoutMs: RIGHTS_TIMEOUT_MS }),
    );
    await place.write(kubeconfig);
    const colour = paint(invocation);
    const next = `flaghoist agent --cluster-name ${name} --kubeconfig ${stringOption(invocation, "kubeconfig") ?? "$KUBECONFIG"}${file === undefined ? "" : ` --control-plane-kubeconfig ${stringOption(invocation, "control-plane-kubeconfig")}`}`;
    print(
      invocation,
      { cluster: name, server: plane.server, registered: outcome, credentials: place.description },
      () =>
        [
          `${colour.green("✔")} ${name} is registered with ${plane.server}, in Pull mode. Its credentials: ${place.description}.`,
          `  Start its agent: ${next}`,
        ].join("\n"),
    );
    return EXIT.ok;
  } finally {
    await member.close();
  }
}

function hashesOf(invocation: Invocation): string[] {
  const given = invocation.values["discovery-token-ca-cert-hash"];
  const texts = Array.isArray(given) ? given : typeof given === "string" ? [given] : [];
  return texts.flatMap((text: string) => text.split(",")).filter((text) => text !== "");
}

function secondsOf(invocation: Invocation): number {
  const text = stringOption(invocation, "cert-expiration-seconds") ?? String(365 * 86_400);
  const seconds = Number(text);
  if (!Number.isInteger(seconds) || seconds < 600)
    throw new UsageError(`--cert-expiration-seconds takes a whole number from 600 on, not "${text}"`);
  return seconds;
}

async function reachMember(member: KubeClient, server: string, signal: AbortSignal): Promise<string> {
  try {
    return await clusterId(member, signal);
  } catch (error) {
    throw new AppError("cluster-unreachable", `the cluster at ${server} gives no answer: ${messageOf(error)}`, {
      recovery: "retry",
      cause: error,
    });
  }
}

async function withPlane<T>(
  { server, caPem }: DiscoveredPlane,
  credentials: { readonly token: string } | { readonly certificate: string; readonly key: string },
  work: (client: KubeClient) => Promise<T>,
): Promise<T> {
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const user =
    "token" in credentials
      ? credentials
      : {
          "client-certificate-data": base64(credentials.certificate),
          "client-key-data": base64(credentials.key),
        };
  const kubeconfig = JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "a",
    contexts: [{ name: "a", context: { cluster: "a", user: "a" } }],
    clusters: [{ name: "a", cluster: { server, "certificate-authority-data": base64(caPem) } }],
    users: [{ name: "a", user }],
  });
  const transport = await openHttpTransport({ kubeconfig });
  try {
    return await work(new KubeClient(transport.send));
  } finally {
    await transport.close();
  }
}
