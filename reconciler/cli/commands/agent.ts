import { resolve } from "node:path";
import { openHttpTransport } from "../../../kube/client/http-transport.ts";
import { KubeClient } from "../../../kube/client/kube-client.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { openAgentConnection } from "../agents/agent-connection.ts";
import { credentialFile, credentialSecret } from "../agents/agent-credentials.ts";
import { runAgent } from "../agents/agent-process.ts";
import { clusterId, PLACE_OPTIONS, pullCluster } from "../agents/pull-registration.ts";
import {
  type Command,
  durationOption,
  EXIT,
  type ExitCode,
  type Invocation,
  stringOption,
  UsageError,
} from "../command.ts";
import { DELETION_OPTIONS, readDeletionSettings } from "../deletion-settings.ts";
import { DRIFT_OPTIONS, readDriftSettings } from "../drift-settings.ts";
import { REPORT_OPTIONS, readReportSettings } from "../lease-settings.ts";
import { readMemberKubeconfig } from "../member-kubeconfig.ts";
import { MEMBER_OPTIONS, readMemberSettings } from "../member-settings.ts";
import { paint } from "../output.ts";
import { loggerFor } from "./up.ts";

const MEMBER_TIMEOUT_MS = 15_000;

/** How commands on the side of a member find that member, and where they keep the way to the control plane. */
export const MEMBER_SIDE_OPTIONS = {
  "cluster-name": { type: "string", value: "NAME", help: "name of the cluster in the fleet" },
  kubeconfig: {
    type: "string",
    value: "FILE",
    help: "how the cluster itself is reached (default: $KUBECONFIG)",
  },
  context: { type: "string", value: "CONTEXT", help: "context of that kubeconfig (default: the current)" },
  "control-plane-kubeconfig": {
    type: "string",
    value: "FILE",
    help: "file with the agent's way to the control plane (default: Secret karmada-system/karmada-kubeconfig of the cluster)",
  },
} as const satisfies Command["options"];

export const agentCommand: Command = {
  name: "agent",
  summary: "drive one cluster from beside it, by outgoing connections only",
  usage: "--cluster-name NAME --kubeconfig MEMBER [--control-plane-kubeconfig FILE]",
  description:
    "Applies what the control plane wants of this cluster, mends drift, and reports status, health and a lease. The control plane never connects to the cluster. Credentials come from 'flaghoist register' and are renewed before they end. Ends on Ctrl-C; what runs in the cluster runs on.",
  options: {
    ...MEMBER_SIDE_OPTIONS,
    "karmada-kubeconfig": { type: "string", value: "FILE", help: "the same as --control-plane-kubeconfig" },
    ...PLACE_OPTIONS,
    ...REPORT_OPTIONS,
    ...DELETION_OPTIONS,
    ...DRIFT_OPTIONS,
    ...MEMBER_OPTIONS,
    "cert-rotation-checking-interval": {
      type: "string",
      value: "DURATION",
      help: "how often the agent's certificate is looked at (default: 5m)",
    },
    "cert-rotation-remaining-time-threshold": {
      type: "string",
      value: "FRACTION",
      help: "part of its life that is left when it is renewed (default: 0.2)",
    },
    compatibility: { type: "string", value: "MODE", help: "as of the control plane: flaghoist (default) or karmada" },
    "log-level": { type: "string", value: "LEVEL", help: "debug, info, warn or error (default: info)" },
  },
  examples: [
    ["agent --cluster-name edge-7 --kubeconfig edge.yaml", "with the credentials that register left in the cluster"],
    [
      "agent --cluster-name edge-7 --kubeconfig edge.yaml --control-plane-kubeconfig agent.yaml",
      "with those of a file",
    ],
  ],
  run: agent,
};

async function agent(invocation: Invocation): Promise<ExitCode> {
  const { io, signal } = invocation;
  const name = stringOption(invocation, "cluster-name");
  if (name === undefined) throw new UsageError("which cluster is this? --cluster-name NAME");
  const compatibility = compatibilityOf(invocation);
  const profile = {
    compatibility,
    ...readMemberSettings(invocation),
    ...readReportSettings(invocation),
    ...readDeletionSettings(invocation, compatibility),
    ...readDriftSettings(invocation),
  };
  const rotation = rotationOf(invocation);
  const logger = loggerFor(io, stringOption(invocation, "log-level") ?? "info");
  const member = await openMember(invocation);
  try {
    const client = new KubeClient(member.send);
    const file = controlPlaneFile(invocation);
    const place = file === undefined ? credentialSecret(client) : credentialFile(file);
    const plane = await openAgentConnection({ cluster: name, place, rotation, clock: systemClock, logger });
    try {
      const cluster = pullCluster(invocation, name, await clusterId(client, signal));
      const colour = paint(invocation);
      io.out(`${colour.green("▸")} Agent of ${colour.bold(name)}: ${member.server}, told by ${plane.server}\n`);
      await runAgent({ cluster, plane, member: member.send, profile, clock: systemClock, logger, signal });
    } finally {
      await plane.close();
    }
  } finally {
    await member.close();
  }
  return EXIT.ok;
}

/** The file that is to hold the way to the control plane; undefined: the Secret. */
export function controlPlaneFile(invocation: Invocation): string | undefined {
  const file = stringOption(invocation, "control-plane-kubeconfig") ?? stringOption(invocation, "karmada-kubeconfig");
  return file === undefined ? undefined : resolve(invocation.io.cwd, file);
}

/** Opens the way to the cluster itself. */
export async function openMember(invocation: Invocation): Promise<Awaited<ReturnType<typeof openHttpTransport>>> {
  const { io } = invocation;
  const file = stringOption(invocation, "kubeconfig") ?? io.env["KUBECONFIG"]?.split(":")[0];
  if (file === undefined || file === "") throw new UsageError("how is the cluster itself reached? --kubeconfig FILE");
  const { text } = readMemberKubeconfig(resolve(io.cwd, file), stringOption(invocation, "context"));
  return openHttpTransport({ kubeconfig: text, timeoutMs: MEMBER_TIMEOUT_MS });
}

function compatibilityOf(invocation: Invocation): "flaghoist" | "karmada" {
  const word = stringOption(invocation, "compatibility") ?? "flaghoist";
  if (word !== "flaghoist" && word !== "karmada")
    throw new UsageError(`--compatibility takes flaghoist or karmada, not "${word}"`);
  return word;
}

function rotationOf(invocation: Invocation): { readonly checkMs: number; readonly threshold: number } {
  const text = stringOption(invocation, "cert-rotation-remaining-time-threshold") ?? "0.2";
  const threshold = Number(text);
  if (!(threshold > 0 && threshold < 1))
    throw new UsageError(`--cert-rotation-remaining-time-threshold takes a number between 0 and 1, not "${text}"`);
  const checkMs = durationOption(invocation, "cert-rotation-checking-interval", "5m");
  if (checkMs < 100) throw new UsageError("--cert-rotation-checking-interval takes at least 100ms");
  return { checkMs, threshold };
}
