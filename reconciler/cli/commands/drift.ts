import type { Cluster } from "../../../api/cluster.ts";
import type { KubeClient } from "../../../kube/client/kube-client.ts";
import { findCondition } from "../../../kube/conditions.ts";
import { isObject, type KubeObject, type ObjectRef, refKey } from "../../../kube/object.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { DRIFT_CORRECTED, DRIFT_DETECTED } from "../../controllers/works/drift-events.ts";
import { groupDrift } from "../../plan/live-drift.ts";
import { loadInterpretation } from "../../plan/world.ts";
import type { WorldInterpreters } from "../../plan/world-interpreters.ts";
import { type DriftReport, driftText, type PastDrift } from "../../reports/drift-text.ts";
import { LEFT_OVER_CONDITION } from "../../works/left-over.ts";
import {
  booleanOption,
  type Command,
  EXIT,
  type ExitCode,
  type Invocation,
  OUTPUT_OPTION,
  READING_OPTIONS,
  stringOption,
} from "../command.ts";
import { withControlPlane } from "../connect.ts";
import { findObject } from "../find-kind.ts";
import { compareLiveCopies } from "../live-copies.ts";
import { paint, print } from "../output.ts";
import { INTERPRETATION_OPTIONS, withInterpreters } from "../world-interpretation.ts";

export const driftCommand: Command = {
  name: "drift",
  summary: "show what others changed in the clusters",
  usage: "[KIND/NAME] [-n NAMESPACE] [--clusters NAMES] [--exit-code]",
  description:
    "Compares every copy in the member clusters with what it should be, and says which fields differ, who changed them and since when. Only fields that were applied count: defaults and fields of others are no drift. Also shows what was undone lately.",
  options: {
    namespace: { type: "string", short: "n", value: "NAMESPACE", help: "only objects of this namespace" },
    clusters: { type: "string", short: "C", value: "NAMES", help: "only these clusters" },
    "exit-code": { type: "boolean", help: "exit 3 when there is drift" },
    ...INTERPRETATION_OPTIONS,
    ...READING_OPTIONS,
    ...OUTPUT_OPTION,
  },
  examples: [
    ["drift", "everything"],
    ["drift deployment/web -n shop", "the copies of one object"],
    ["drift --exit-code -o json", "for a pipeline"],
  ],
  run: (invocation) =>
    withControlPlane(invocation, ({ client }) =>
      withInterpreters(client, invocation, (interpreters) => drift(invocation, client, interpreters)),
    ),
};

async function drift(invocation: Invocation, client: KubeClient, interpreters: WorldInterpreters): Promise<ExitCode> {
  const wants = await selection(invocation, client);
  const names = stringOption(invocation, "clusters")?.split(",");
  const all = (await client.list<Cluster>("cluster.karmada.io/v1alpha1", "Cluster")).items;
  const clusters = all.filter((cluster) => names === undefined || names.includes(cluster.metadata.name ?? ""));
  const { copies, unreachable } = await compareLiveCopies(client, clusters, {
    interpretation: interpreters.of(await loadInterpretation(client)),
    wants,
    signal: invocation.signal,
  });
  const report: DriftReport = {
    copies,
    clusters: clusters.map((cluster) => cluster.metadata.name ?? ""),
    unreachable,
    leftOver: clusters.flatMap(leftOverIn),
    past: (await pastDrift(client)).filter((past) => wants(past.object)),
  };
  const groups = groupDrift(copies);
  print(
    invocation,
    {
      drift: groups,
      waiting: copies.filter((copy) => copy.state === "waiting"),
      unknown: copies.filter((copy) => copy.state === "unknown"),
      unreachable,
      leftOver: report.leftOver,
      past: report.past,
    },
    () => driftText(report, systemClock.now(), paint(invocation)),
  );
  if (unreachable.length > 0) return EXIT.failed;
  return groups.length > 0 && booleanOption(invocation, "exit-code") ? EXIT.differences : EXIT.ok;
}

function leftOverIn({ metadata, status }: Cluster): DriftReport["leftOver"] {
  const condition = findCondition(status?.conditions, LEFT_OVER_CONDITION);
  return condition?.status === "True" ? [{ cluster: metadata.name ?? "", message: condition.message }] : [];
}

async function selection(invocation: Invocation, client: KubeClient): Promise<(object: ObjectRef) => boolean> {
  const namespace = stringOption(invocation, "namespace");
  if (invocation.positionals.length === 0) return (object) => namespace === undefined || object.namespace === namespace;
  const wanted = refKey(await findObject(client, invocation.positionals, namespace));
  return (object) => refKey(object) === wanted;
}

/** What was noticed before, latest first. */
async function pastDrift(client: KubeClient): Promise<PastDrift[]> {
  const lists = await Promise.all(
    [DRIFT_CORRECTED, DRIFT_DETECTED].map((reason) =>
      client.list("v1", "Event", { fieldSelector: `reason=${reason}` }),
    ),
  );
  return lists
    .flatMap((list) => list.items)
    .map(toPastDrift)
    .sort((a, b) => (a.at < b.at ? 1 : -1));
}

function toPastDrift(event: KubeObject): PastDrift {
  const about = isObject(event["involvedObject"]) ? event["involvedObject"] : {};
  const text = (field: unknown): string => (typeof field === "string" ? field : "");
  return {
    object: {
      apiVersion: text(about["apiVersion"]),
      kind: text(about["kind"]),
      namespace: text(about["namespace"]) === "" ? undefined : text(about["namespace"]),
      name: text(about["name"]),
    },
    message: text(event["message"]),
    corrected: event["reason"] === DRIFT_CORRECTED,
    at: text(event["lastTimestamp"]),
    times: typeof event["count"] === "number" ? event["count"] : 1,
  };
}
