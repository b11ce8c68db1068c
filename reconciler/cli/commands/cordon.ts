import type { KubeClient } from "../../../kube/client/kube-client.ts";
import { cordonTaints } from "../../failover/taint-words.ts";
import { changeClusterTaints } from "../change-cluster-taints.ts";
import {
  booleanOption,
  type Command,
  EXIT,
  type ExitCode,
  type Invocation,
  OUTPUT_OPTION,
  SERVER_OPTIONS,
  UsageError,
} from "../command.ts";
import { withControlPlane } from "../connect.ts";
import { print } from "../output.ts";

const OPTIONS = {
  "dry-run": { type: "boolean", help: "say what would be done, write nothing" },
  ...SERVER_OPTIONS,
  ...OUTPUT_OPTION,
} as const;

export const cordonCommand: Command = {
  name: "cordon",
  summary: "let no new workloads into a cluster",
  usage: "NAME [--dry-run]",
  description:
    "Sets the taint cluster.karmada.io/unschedulable:NoSchedule. What runs in the cluster runs on. The same from Git: a Cluster with that name and this taint under spec.taints.",
  options: OPTIONS,
  examples: [["cordon paris-1", "before maintenance"]],
  run: (invocation) => withControlPlane(invocation, ({ client }) => setCordoned(invocation, client, true)),
};

export const uncordonCommand: Command = {
  name: "uncordon",
  summary: "let new workloads into a cluster again",
  usage: "NAME [--dry-run]",
  description: "Takes the taint cluster.karmada.io/unschedulable:NoSchedule away.",
  options: OPTIONS,
  examples: [["uncordon paris-1", "after maintenance"]],
  run: (invocation) => withControlPlane(invocation, ({ client }) => setCordoned(invocation, client, false)),
};

async function setCordoned(invocation: Invocation, client: KubeClient, cordoned: boolean): Promise<ExitCode> {
  const [name, ...more] = invocation.positionals;
  if (name === undefined) throw new UsageError("cluster name is required");
  if (more.length > 0) throw new UsageError("more than one cluster name is not supported");
  const word = cordoned ? "cordoned" : "uncordoned";
  let changed = false;
  await changeClusterTaints(
    client,
    name,
    ({ spec }) => {
      const taints = cordonTaints(spec.taints ?? [], cordoned);
      changed = taints !== undefined;
      return taints;
    },
    { dryRun: booleanOption(invocation, "dry-run") },
  );
  print(invocation, { cluster: name, cordoned, changed }, () => `${name} cluster ${changed ? "" : "already "}${word}`);
  return EXIT.ok;
}
