import type { KubeClient } from "../../../kube/client/kube-client.ts";
import { changeTaintsByWords, looksLikeTaint, parseTaintWords, type TaintOutcome } from "../../failover/taint-words.ts";
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

export const taintCommand: Command = {
  name: "taint",
  summary: "set and take away taints of clusters",
  usage: "clusters NAME... KEY=VALUE:EFFECT... [--overwrite]",
  description:
    "NoSchedule keeps new workloads away, PreferNoSchedule where it can be, NoExecute drives those out that do not tolerate it (see up --failover). A word that ends in - takes away: KEY:EFFECT- one taint, KEY- all of the key.",
  options: {
    overwrite: { type: "boolean", help: "replace the value of a taint that is there" },
    "dry-run": { type: "boolean", help: "say what would be done, write nothing" },
    ...SERVER_OPTIONS,
    ...OUTPUT_OPTION,
  },
  examples: [
    ["taint clusters paris-1 dedicated=team-a:NoSchedule", "for those who tolerate it"],
    ["taint clusters paris-1 paris-2 dedicated-", "all taints of that key"],
  ],
  run: (invocation) => withControlPlane(invocation, ({ client }) => taint(invocation, client)),
};

async function taint(invocation: Invocation, client: KubeClient): Promise<ExitCode> {
  const { names, words } = readWords(invocation.positionals);
  const change = parseTaintWords(words);
  const options = { dryRun: booleanOption(invocation, "dry-run") };
  const overwrite = booleanOption(invocation, "overwrite");
  const done: { readonly cluster: string; readonly outcome: TaintOutcome["outcome"] }[] = [];
  for (const cluster of names) {
    let outcome: TaintOutcome["outcome"] = "tainted";
    const decide = (before: Parameters<Parameters<typeof changeClusterTaints>[2]>[0]) => {
      const result = changeTaintsByWords(cluster, before.spec.taints ?? [], change, overwrite);
      ({ outcome } = result);
      return result.taints;
    };
    await changeClusterTaints(client, cluster, decide, options);
    done.push({ cluster, outcome });
  }
  print(invocation, { clusters: done }, () =>
    done.map(({ cluster, outcome }) => `cluster/${cluster} ${outcome}`).join("\n"),
  );
  return EXIT.ok;
}

function readWords(positionals: readonly string[]): { readonly names: string[]; readonly words: string[] } {
  const start = positionals.findIndex(looksLikeTaint);
  const [type, ...names] = start < 0 ? positionals : positionals.slice(0, start);
  const words = start < 0 ? [] : positionals.slice(start);
  const late = words.find((word) => !looksLikeTaint(word));
  if (late !== undefined) throw new UsageError(`all resources must be specified before taint changes: ${late}`);
  if (type === undefined) throw new UsageError("one or more resources must be specified as <resource> <name>");
  if (words.length === 0) throw new UsageError("at least one taint update is required");
  if (!["cluster", "clusters"].includes(type.toLowerCase()))
    throw new UsageError(`invalid resource type ${type}, only ["cluster" "clusters"] are supported`);
  if (names.length === 0) throw new UsageError("at least one resource name must be specified");
  return { names, words };
}
