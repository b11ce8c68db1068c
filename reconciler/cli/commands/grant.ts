import { resolve } from "node:path";
import type { Cluster } from "../../../api/cluster.ts";
import { MEMBER_RIGHTS_ANNOTATION } from "../../../fleets/member-account-names.ts";
import { grantCommand } from "../../../fleets/member-rights.ts";
import { openHttpTransport } from "../../../kube/client/http-transport.ts";
import { KubeClient } from "../../../kube/client/kube-client.ts";
import { stringifyYaml } from "../../../kube/yaml.ts";
import { EVERYTHING } from "../../works/member-rules.ts";
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
import { withControlPlane } from "../connect.ts";
import { accountRole, grantRules } from "../member-account.ts";
import { readMemberKubeconfig } from "../member-kubeconfig.ts";
import { rulesInUse, ruleText } from "../member-use.ts";
import { paint, print } from "../output.ts";

const REACH_TIMEOUT_MS = 5_000;

export const grantRightsCommand: Command = {
  name: "grant",
  summary: "give the control plane's account in a cluster the rights it needs",
  usage: "NAME [--cluster-kubeconfig FILE [--cluster-context CONTEXT]] [--cluster-admin]",
  description:
    "Brings the ClusterRole of the account that join made in the cluster in line with the kinds in use: what policies may send there and what is there. Never grants what the kubeconfig itself may not. Without a kubeconfig it prints the ClusterRole, to be read or applied by whoever may.",
  options: {
    "cluster-kubeconfig": { type: "string", value: "FILE", help: "who grants; without it the role is only printed" },
    "cluster-context": { type: "string", value: "CONTEXT", help: "context of that kubeconfig (default: the current)" },
    "cluster-admin": { type: "boolean", help: "everything, as Karmada's join" },
    ...SERVER_OPTIONS,
    ...OUTPUT_OPTION,
  },
  examples: [
    ["grant tokyo-1 --cluster-kubeconfig tokyo.yaml", "what the condition SufficientRights of the cluster asks for"],
    ["grant tokyo-1", "the ClusterRole, for kubectl apply -f - in the cluster"],
  ],
  run: (invocation) => withControlPlane(invocation, ({ client }) => grant(invocation, client)),
};

async function grant(invocation: Invocation, client: KubeClient): Promise<ExitCode> {
  const { io, signal } = invocation;
  const [name] = invocation.positionals;
  if (name === undefined) throw new UsageError("which cluster?");
  const cluster = await findCluster(client, name);
  const admin = booleanOption(invocation, "cluster-admin");
  const file = stringOption(invocation, "cluster-kubeconfig");
  if (file === undefined) {
    const role = accountRole(name, admin ? EVERYTHING : await rulesInUse(client, undefined, cluster));
    print(invocation, role, () => stringifyYaml(role).trimEnd());
    return EXIT.ok;
  }
  const kubeconfig = readMemberKubeconfig(resolve(io.cwd, file), stringOption(invocation, "cluster-context"));
  const transport = await openHttpTransport({ kubeconfig: kubeconfig.text, timeoutMs: REACH_TIMEOUT_MS });
  try {
    const member = new KubeClient(transport.send);
    const rules = admin ? EVERYTHING : await rulesInUse(client, member, cluster);
    const { role, lacking } = await grantRules(member, name, rules, signal);
    await client.patch(
      { apiVersion: "cluster.karmada.io/v1alpha1", kind: "Cluster", name },
      { metadata: { annotations: rightsAnnotation(cluster, admin) } },
      "merge",
      { fieldManager: "flaghoist-cli" },
    );
    const colour = paint(invocation);
    print(invocation, { cluster: name, rules: role["rules"], lacking }, () =>
      lacking.length === 0
        ? `${colour.green("✔")} ${name}: the account has what the kinds in use call for.`
        : [
            `${colour.red("✗")} ${name}: this kubeconfig has not got, and so cannot grant:`,
            ...lacking.map((rule) => `    ${ruleText(rule)}`),
            `  Grant it with one that has: ${grantCommand(name)}`,
          ].join("\n"),
    );
    return lacking.length === 0 ? EXIT.ok : EXIT.failed;
  } finally {
    await transport.close();
  }
}

/** Rights that a person widened to everything are not narrowed again. */
function rightsAnnotation(cluster: Cluster, admin: boolean): Record<string, string> {
  const present = cluster.metadata.annotations?.[MEMBER_RIGHTS_ANNOTATION];
  const next = admin ? "cluster-admin" : present === "kinds-in-use" ? present : "granted";
  return { [MEMBER_RIGHTS_ANNOTATION]: next };
}
