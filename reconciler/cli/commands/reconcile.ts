import { type GitRepository, REQUESTED_AT_ANNOTATION, reconcileRequest, type Sync } from "../../../api/gitops.ts";
import type { KubeClient } from "../../../kube/client/kube-client.ts";
import { findCondition } from "../../../kube/conditions.ts";
import type { ObjectRef } from "../../../kube/object.ts";
import { sleep, systemClock } from "../../../runtime/clock.ts";
import { parseDuration } from "../../../runtime/duration.ts";
import {
  type Command,
  EXIT,
  type Invocation,
  NAMESPACE_OPTION,
  OUTPUT_OPTION,
  SERVER_OPTIONS,
  stringOption,
  UsageError,
} from "../command.ts";
import { withControlPlane } from "../connect.ts";
import { paint, print } from "../output.ts";

const API = "gitops.flaghoist.io/v1alpha1";
const KINDS: Readonly<Record<string, string>> = {
  source: "GitRepository",
  gitrepository: "GitRepository",
  sync: "Sync",
};

export const reconcileCommand: Command = {
  name: "reconcile",
  summary: "fetch a source or apply a sync now",
  usage: "source|sync NAME [-n NAMESPACE]",
  description:
    "Asks for a reconciliation now instead of at the next interval, and waits for its outcome. Reconciling a sync fetches its source first.",
  options: {
    ...NAMESPACE_OPTION,
    timeout: { type: "string", value: "DURATION", help: "how long to wait (default: 1m)" },
    ...SERVER_OPTIONS,
    ...OUTPUT_OPTION,
  },
  examples: [
    ["reconcile source shop -n shop", "fetch GitRepository shop now"],
    ["reconcile sync shop -n shop", "fetch and apply now"],
  ],
  run: (invocation) =>
    withControlPlane(invocation, async ({ client }) => {
      const [word, name] = invocation.positionals;
      const kind = KINDS[(word ?? "").toLowerCase()];
      if (kind === undefined || name === undefined)
        throw new UsageError("say what to reconcile: source NAME or sync NAME");
      const namespace = stringOption(invocation, "namespace") ?? "default";
      const ref: ObjectRef = { apiVersion: API, kind, namespace, name };
      if (kind === "Sync") {
        const { sourceRef } = (await client.get<Sync>(ref)).spec;
        await request(
          client,
          { apiVersion: API, kind: sourceRef.kind, namespace: sourceRef.namespace ?? namespace, name: sourceRef.name },
          invocation,
        );
      }
      const object = await request(client, ref, invocation);
      const ready = findCondition(object.status?.conditions, "Ready");
      const colour = paint(invocation);
      print(invocation, { kind, namespace, name, ready }, () =>
        ready?.status === "True"
          ? `${colour.green("✔")} ${kind} ${namespace}/${name}: ${ready.message}`
          : `${colour.red("✗")} ${kind} ${namespace}/${name}: ${ready?.message ?? "no outcome"}`,
      );
      return ready?.status === "True" ? EXIT.ok : ready?.reason === "PruneHeld" ? EXIT.held : EXIT.failed;
    }),
};

async function request(client: KubeClient, ref: ObjectRef, invocation: Invocation): Promise<GitRepository | Sync> {
  const asked = new Date(systemClock.now()).toISOString();
  const patch = { metadata: { annotations: { [REQUESTED_AT_ANNOTATION]: asked } } };
  let object = await client.patch<GitRepository | Sync>(ref, patch, "merge", { fieldManager: "flaghoist-cli" });
  const wanted = reconcileRequest(object);
  const deadline = systemClock.now() + parseDuration(stringOption(invocation, "timeout") ?? "1m");
  while (object.status?.lastHandledReconcileAt !== wanted && systemClock.now() < deadline) {
    await sleep(systemClock, 100, invocation.signal);
    object = await client.get<GitRepository | Sync>(ref);
  }
  return object;
}
