import type { KubeClient } from "../../../kube/client/kube-client.ts";
import { describeRef } from "../../../kube/object.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { AppError } from "../../../runtime/errors.ts";
import { createInterpreter } from "../../interpreter/levels.ts";
import { nativeLevel } from "../../interpreter/native.ts";
import { explain } from "../../plan/explain.ts";
import { loadWorld } from "../../plan/world.ts";
import { explainText } from "../../reports/explain-text.ts";
import {
  type Command,
  EXIT,
  type ExitCode,
  type Invocation,
  NAMESPACE_OPTION,
  OUTPUT_OPTION,
  SERVER_OPTIONS,
  stringOption,
} from "../command.ts";
import { withControlPlane } from "../connect.ts";
import { findObject } from "../find-kind.ts";
import { originFinder } from "../origins.ts";
import { paint, print } from "../output.ts";

export const explainCommand: Command = {
  name: "explain",
  summary: "say why an object is where it is",
  usage: "KIND/NAME [-n NAMESPACE] [--cluster NAME]",
  description:
    "Says which policy places the object, on which clusters and with how many replicas, why not on the others, what differs in each copy and by which rule, and what keeps it from being as wanted.",
  options: {
    ...NAMESPACE_OPTION,
    cluster: { type: "string", value: "NAME", help: "only this cluster" },
    ...SERVER_OPTIONS,
    ...OUTPUT_OPTION,
  },
  examples: [
    ["explain deployment/web -n shop", "where web is, and why"],
    ["explain deploy web -n shop --cluster paris-2", "why web is (not) on paris-2"],
  ],
  run: (invocation) => withControlPlane(invocation, ({ client }) => run(invocation, client)),
};

async function run(invocation: Invocation, client: KubeClient): Promise<ExitCode> {
  const ref = await findObject(client, invocation.positionals, stringOption(invocation, "namespace"));
  if ((await client.find(ref, invocation.signal)) === undefined)
    throw new AppError("object-unknown", `there is no ${describeRef(ref)} in the control plane`, { recovery: "stall" });
  const world = await loadWorld(client, ref);
  const cluster = stringOption(invocation, "cluster");
  if (cluster !== undefined && !world.clusters.some((other) => other.metadata.name === cluster)) {
    const names = world.clusters.map((other) => other.metadata.name ?? "").slice(0, 10);
    throw new AppError("cluster-unknown", `there is no cluster ${cluster}; there are ${names.join(", ")}`, {
      recovery: "stall",
    });
  }
  const explanation = explain(world, ref, {
    interpreter: createInterpreter({ native: nativeLevel() }),
    now: systemClock.now(),
    originOf: await originFinder(client, invocation.io.cwd),
  });
  print(invocation, explanation, () =>
    explainText(explanation, { nowMs: systemClock.now(), paint: paint(invocation), cluster }),
  );
  return EXIT.ok;
}
