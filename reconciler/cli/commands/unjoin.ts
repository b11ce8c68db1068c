import type { Work } from "../../../api/work.ts";
import type { KubeClient } from "../../../kube/client/kube-client.ts";
import { isNotFound } from "../../../kube/client/status-error.ts";
import { type ObjectRef, refOf } from "../../../kube/object.ts";
import { sleep } from "../../../runtime/clock.ts";
import { parseDuration } from "../../../runtime/duration.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import { mapLimit } from "../../../runtime/parallel.ts";
import { executionNamespace } from "../../works/naming.ts";
import { findCluster } from "../change-cluster-taints.ts";
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
import { removeMemberAccount, secretRefs } from "../member-account.ts";
import { connectMember, type MemberConnection } from "../member-client.ts";
import { paint, print } from "../output.ts";

const WORK_API = "work.karmada.io/v1alpha1";

export const unjoinCommand: Command = {
  name: "unjoin",
  summary: "take a member cluster out of the fleet",
  usage: "NAME [--keep-resources] [--force]",
  description:
    "Removes from the cluster what was placed there (unless --keep-resources), what join made there, the Cluster object and its Secret. With --force it goes on when the cluster does not answer: then what is there stays there.",
  options: {
    "keep-resources": { type: "boolean", help: "leave the objects in the cluster, no longer managed" },
    force: { type: "boolean", help: "do not wait for a cluster that does not answer" },
    timeout: { type: "string", value: "DURATION", help: "how long to wait (default: 1m)" },
    ...SERVER_OPTIONS,
    ...OUTPUT_OPTION,
  },
  examples: [
    ["unjoin paris-2", "its workloads move to other clusters as their policies allow"],
    ["unjoin paris-2 --keep-resources", "and what runs there runs on"],
  ],
  run: (invocation) => withControlPlane(invocation, ({ client }) => unjoin(invocation, client)),
};

async function unjoin(invocation: Invocation, client: KubeClient): Promise<ExitCode> {
  const [name] = invocation.positionals;
  if (name === undefined) throw new UsageError("which cluster?");
  const cluster = await findCluster(client, name);
  const ref = refOf(cluster);
  const force = booleanOption(invocation, "force");
  const timeoutMs = parseDuration(stringOption(invocation, "timeout") ?? "1m");
  // Opened first: the Secret with the credentials goes with the Cluster.
  const member = await connectMember(client, cluster).catch(() => undefined);
  try {
    if (booleanOption(invocation, "keep-resources")) await keepResources(client, name);
    await client.delete(ref);
    await awaitGone(invocation, client, ref, { force, timeoutMs });
    // Where an agent drives the cluster, join made nothing.
    const isPull = cluster.spec.syncMode === "Pull";
    const leftBehind = isPull ? undefined : await cleanMember(member, name);
    for (const secret of secretRefs(name)) await client.delete(secret);
    const colour = paint(invocation);
    print(invocation, { cluster: name, removed: true, leftBehind }, () =>
      [
        `${colour.green("✔")} ${name} is no longer part of the fleet.`,
        ...(isPull
          ? [`  On its side: stop its agent, then 'flaghoist unregister ${name}' removes the credentials there.`]
          : []),
        ...(leftBehind === undefined
          ? []
          : [`  What join made there could not be removed: ${leftBehind}. It is the account karmada-${name}.`]),
      ].join("\n"),
    );
    return EXIT.ok;
  } finally {
    await member?.close();
  }
}

async function keepResources(client: KubeClient, name: string): Promise<void> {
  const works = (await client.list<Work>(WORK_API, "Work", { namespace: executionNamespace(name) })).items;
  await mapLimit(works, 16, async (work) => {
    await client.patch(refOf(work), { spec: { preserveResourcesOnDeletion: true } }, "merge", {
      fieldManager: "flaghoist-cli",
    });
  });
}

async function awaitGone(
  invocation: Invocation,
  client: KubeClient,
  ref: ObjectRef,
  { force, timeoutMs }: { readonly force: boolean; readonly timeoutMs: number },
): Promise<void> {
  const deadline = commandClock.now() + (force ? Math.min(timeoutMs, 5_000) : timeoutMs);
  while (commandClock.now() < deadline) {
    if ((await client.find(ref)) === undefined) return;
    await sleep(commandClock, 100, invocation.signal);
  }
  const left = await worksLeft(client, ref.name);
  if (!force) {
    throw new AppError(
      "unjoin-timeout",
      `cluster ${ref.name} is being removed but not gone yet: ${left.length} Works are left in ${executionNamespace(ref.name)}. ` +
        `If the cluster no longer answers: flaghoist unjoin ${ref.name} --force`,
      { recovery: "retry" },
    );
  }
  for (const work of left) await dropFinalizers(client, refOf(work));
  await dropFinalizers(client, ref);
  await client.delete({ apiVersion: "v1", kind: "Namespace", name: executionNamespace(ref.name) });
}

async function worksLeft(client: KubeClient, name: string): Promise<Work[]> {
  return (await client.list<Work>(WORK_API, "Work", { namespace: executionNamespace(name) })).items;
}

async function dropFinalizers(client: KubeClient, ref: ObjectRef): Promise<void> {
  try {
    await client.patch(ref, { metadata: { finalizers: null } }, "merge", { fieldManager: "flaghoist-cli" });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** Why what join made in the member is still there; undefined when it is not. */
async function cleanMember(member: MemberConnection | undefined, name: string): Promise<string | undefined> {
  if (member === undefined) return "there are no credentials for it";
  try {
    await removeMemberAccount(member.client, name);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
