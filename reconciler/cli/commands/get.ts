import type { Cluster } from "../../../api/cluster.ts";
import { findKind } from "../../../kube/client/find-kind.ts";
import type { KubeClient } from "../../../kube/client/kube-client.ts";
import { formatApiVersion, isObject, type KubeObject } from "../../../kube/object.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import { mapLimit } from "../../../runtime/parallel.ts";
import { table } from "../../reports/table.ts";
import { ROLLED_OUT } from "../../rollout/describe-rollout.ts";
import {
  booleanOption,
  type Command,
  EXIT,
  NAMESPACE_OPTION,
  OUTPUT_OPTION,
  READING_OPTIONS,
  stringOption,
  UsageError,
} from "../command.ts";
import { type ControlPlaneConnection, withControlPlane } from "../connect.ts";
import { withMember } from "../member-client.ts";
import { print } from "../output.ts";
import { rolloutsUnderWay } from "../rollouts-under-way.ts";

export const getCommand: Command = {
  name: "get",
  summary: "list objects of the control plane and of the member clusters",
  usage: "KIND [NAME] [-n NAMESPACE | -A] [--clusters all|NAME,...]",
  description:
    "Lists objects with the cluster they are in. Without --clusters, those of the control plane; with it, those of the members (all, or the named ones). A member that does not answer is reported; the others are shown.",
  options: {
    ...NAMESPACE_OPTION,
    "all-namespaces": { type: "boolean", short: "A", help: "in all namespaces" },
    clusters: { type: "string", short: "C", value: "all|NAMES", help: "member clusters to ask" },
    ...READING_OPTIONS,
    ...OUTPUT_OPTION,
  },
  examples: [
    ["get clusters", "the fleet"],
    ["get deployments -A --clusters all", "every Deployment in every member"],
  ],
  run: (invocation) =>
    withControlPlane(invocation, async (connection) => {
      const [word, name] = invocation.positionals;
      if (word === undefined) throw new UsageError("get what? A kind, such as clusters or deployments");
      const namespace = booleanOption(invocation, "all-namespaces")
        ? undefined
        : (stringOption(invocation, "namespace") ?? "default");
      const chosen = stringOption(invocation, "clusters");
      let failed = false;
      const list = (client: KubeClient): Promise<KubeObject[]> => listKind(client, word, namespace, name);
      const found =
        chosen === undefined
          ? [(await list(connection.client)).map((object) => ({ cluster: "", object }))]
          : await mapLimit(await chooseClusters(connection, chosen), 8, async (cluster) => {
              const clusterName = cluster.metadata.name ?? "";
              try {
                return (await withMember(connection.client, cluster, list)).map((object) => ({
                  cluster: clusterName,
                  object,
                }));
              } catch (error) {
                failed = true;
                invocation.io.err(`cluster ${clusterName}: ${messageOf(error)}\n`);
                return [];
              }
            });
      const rows = found.flat();
      const rolloutOf =
        chosen === undefined
          ? await rolloutsUnderWay(
              connection.client,
              rows.map((row) => row.object),
              namespace,
            )
          : () => undefined;
      print(
        invocation,
        rows.map((row) => ({ ...(row.cluster === "" ? {} : { cluster: row.cluster }), ...row.object })),
        () => asTable(rows, chosen !== undefined, rolloutOf),
      );
      return failed ? EXIT.failed : EXIT.ok;
    }),
};

async function chooseClusters(connection: ControlPlaneConnection, chosen: string): Promise<Cluster[]> {
  const clusters = (await connection.client.list<Cluster>("cluster.karmada.io/v1alpha1", "Cluster")).items;
  const names = chosen === "all" ? undefined : new Set(chosen.split(","));
  return clusters.filter((cluster) => names === undefined || names.has(cluster.metadata.name ?? ""));
}

async function listKind(
  client: KubeClient,
  word: string,
  namespace: string | undefined,
  name: string | undefined,
): Promise<KubeObject[]> {
  const info = findKind(await client.mapper.all(), word);
  if (info === undefined)
    throw new AppError("api-kind-unknown", `the server doesn't have a resource type "${word}"`, { recovery: "stall" });
  const apiVersion = formatApiVersion(info.group, info.version);
  if (name === undefined)
    return (await client.list(apiVersion, info.kind, { namespace: info.namespaced ? namespace : undefined })).items;
  return [
    await client.get({
      apiVersion,
      kind: info.kind,
      namespace: info.namespaced ? (namespace ?? "default") : undefined,
      name,
    }),
  ];
}

function asTable(
  rows: readonly { readonly cluster: string; readonly object: KubeObject }[],
  withCluster: boolean,
  rolloutOf: (object: KubeObject) => string | undefined,
): string {
  if (rows.length === 0) return "no objects found";
  const header = [...(withCluster ? ["CLUSTER"] : []), "NAMESPACE", "NAME", "STATE"];
  return table([
    header,
    ...rows.map(({ cluster, object }) => [
      ...(withCluster ? [cluster] : []),
      object.metadata.namespace ?? "-",
      object.metadata.name ?? "",
      [stateOf(object), rolloutOf(object)].filter((words) => words !== undefined).join(", "),
    ]),
  ]);
}

/** What waits for a person, whatever else an object says of itself. */
const HOLDS: ReadonlySet<string> = new Set(["DeletionsHeld", "FailoverHeld", "LeftOver"]);

/** One word or two on how an object fares: its replicas, else its Ready or Scheduled condition. */
function stateOf(object: KubeObject): string {
  const spec = isObject(object["spec"]) ? object["spec"] : {};
  const status = isObject(object["status"]) ? object["status"] : {};
  // Of a binding it is only what is to be divided.
  if (typeof spec["replicas"] === "number" && !object.kind.endsWith("Binding"))
    return `${Number(status["readyReplicas"] ?? 0)}/${spec["replicas"]} ready`;
  const conditions = Array.isArray(status["conditions"]) ? status["conditions"].filter(isObject) : [];
  const main = ["Ready", ...whatHolds(conditions), "FullyApplied", "Applied", "Scheduled", "Established"]
    .map((type) => conditions.find((condition) => condition["type"] === type))
    .find((condition) => condition !== undefined);
  const holds = conditions
    .filter((condition) => HOLDS.has(String(condition["type"])) && condition["status"] === "True")
    .map((condition) => `; ${String(condition["type"])}: ${String(condition["message"])}`);
  if (main !== undefined)
    return `${String(main["type"])} ${String(main["status"])}${main["status"] === "True" ? "" : `: ${String(main["message"])}`}${holds.join("")}`;
  return typeof status["phase"] === "string" ? status["phase"] : "-";
}

/** A rollout that is not through says more than that every copy was applied. */
function whatHolds(conditions: readonly Record<string, unknown>[]): string[] {
  return conditions.some(({ type, status }) => type === ROLLED_OUT && status === "False") ? [ROLLED_OUT] : [];
}
