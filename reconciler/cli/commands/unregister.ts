import type { Cluster } from "../../../api/cluster.ts";
import type { Work } from "../../../api/work.ts";
import { openHttpTransport } from "../../../kube/client/http-transport.ts";
import { KubeClient } from "../../../kube/client/kube-client.ts";
import { isForbidden } from "../../../kube/client/status-error.ts";
import { refOf } from "../../../kube/object.ts";
import { sleep } from "../../../runtime/clock.ts";
import { AppError } from "../../../runtime/errors.ts";
import { mapLimit } from "../../../runtime/parallel.ts";
import { executionNamespace } from "../../works/naming.ts";
import { credentialFile, credentialSecret } from "../agents/agent-credentials.ts";
import {
  booleanOption,
  type Command,
  durationOption,
  EXIT,
  type ExitCode,
  type Invocation,
  OUTPUT_OPTION,
  UsageError,
} from "../command.ts";
import { commandClock } from "../command-clock.ts";
import { paint, print } from "../output.ts";
import { controlPlaneFile, MEMBER_SIDE_OPTIONS, openMember } from "./agent.ts";

const CLUSTER_API = "cluster.karmada.io/v1alpha1";
const { "cluster-name": _named, ...MEMBER_OPTIONS } = MEMBER_SIDE_OPTIONS;

export const unregisterCommand: Command = {
  name: "unregister",
  summary: "take this cluster, which an agent drives, out of its fleet",
  usage: "NAME --kubeconfig MEMBER [--keep-resources]",
  description:
    "Run on the side of the cluster, with its agent still running: the agent removes what was placed there (unless --keep-resources). Then the Cluster object and the agent's rights go, and the credentials on this side. A control plane that finds the agent silent lets the cluster go as it is.",
  options: {
    "keep-resources": { type: "boolean", help: "leave the objects in the cluster, no longer managed" },
    wait: { type: "string", value: "DURATION", help: "how long to wait (default: 1m)" },
    ...MEMBER_OPTIONS,
    ...OUTPUT_OPTION,
  },
  examples: [
    ["unregister edge-7 --kubeconfig edge.yaml", "its workloads move to other clusters as their policies allow"],
  ],
  run: unregister,
};

async function unregister(invocation: Invocation): Promise<ExitCode> {
  const [name] = invocation.positionals;
  if (name === undefined) throw new UsageError("which cluster?");
  const waitMs = durationOption(invocation, "wait", "1m");
  const member = await openMember(invocation);
  try {
    const file = controlPlaneFile(invocation);
    const place = file === undefined ? credentialSecret(new KubeClient(member.send)) : credentialFile(file);
    const kubeconfig = await place.read();
    if (kubeconfig === undefined)
      throw new AppError(
        "agent-not-registered",
        `there are no credentials of a control plane (${place.description}); with those of the control plane itself: flaghoist unjoin ${name}`,
        { recovery: "stall" },
      );
    const transport = await openHttpTransport({ kubeconfig });
    try {
      await takeOut(invocation, new KubeClient(transport.send), name, waitMs);
    } finally {
      await transport.close();
    }
    await place.remove();
    const colour = paint(invocation);
    print(
      invocation,
      { cluster: name, removed: true },
      () => `${colour.green("✔")} ${name} is no longer part of the fleet; its agent can be stopped.`,
    );
    return EXIT.ok;
  } finally {
    await member.close();
  }
}

async function takeOut(invocation: Invocation, plane: KubeClient, name: string, waitMs: number): Promise<void> {
  const { signal } = invocation;
  const ref = { apiVersion: CLUSTER_API, kind: "Cluster", name };
  // Where the control plane took it out before, the agent has no rights any more: only this side is left to clean.
  if (await isGone(plane, ref, signal)) return;
  const cluster = await plane.get<Cluster>(ref, signal);
  if (cluster.spec.syncMode !== "Pull")
    throw new AppError(
      "cluster-is-push",
      `cluster ${name} is a ${cluster.spec.syncMode} mode member cluster: flaghoist unjoin ${name}`,
      { recovery: "stall" },
    );
  if (booleanOption(invocation, "keep-resources")) {
    const works = await plane.list<Work>("work.karmada.io/v1alpha1", "Work", { namespace: executionNamespace(name) });
    await mapLimit(works.items, 16, (work) =>
      plane.patch(refOf(work), { spec: { preserveResourcesOnDeletion: true } }, "merge", {
        fieldManager: "flaghoist-cli",
      }),
    );
  }
  await plane.delete(ref, { uid: cluster.metadata.uid });
  const deadline = commandClock.now() + waitMs;
  while (commandClock.now() < deadline) {
    if (await isGone(plane, ref, signal)) return;
    await sleep(commandClock, 200, signal);
  }
  throw new AppError(
    "unregister-timeout",
    `cluster ${name} is being removed but not gone yet: is its agent running? Run this again to go on waiting`,
    { recovery: "retry" },
  );
}

/** With the Cluster, the agent's rights go: being refused is the end, too. */
async function isGone(
  plane: KubeClient,
  ref: { readonly apiVersion: string; readonly kind: string; readonly name: string },
  signal: AbortSignal,
): Promise<boolean> {
  try {
    return (await plane.find(ref, signal)) === undefined;
  } catch (error) {
    if (isForbidden(error)) return true;
    throw error;
  }
}
