import { dirname } from "node:path";
import type { KubeClient } from "../../../kube/client/kube-client.ts";
import { describeRef } from "../../../kube/object.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { AppError } from "../../../runtime/errors.ts";
import { explain } from "../../plan/explain.ts";
import { type TraceToSave, traceToSave } from "../../plan/trace-to-save.ts";
import { loadWorld } from "../../plan/world.ts";
import type { WorldInterpreters } from "../../plan/world-interpreters.ts";
import { explainText } from "../../reports/explain-text.ts";
import type { RecordedDecision } from "../../scheduler/explanation/recorded-decision.ts";
import { formatTrace, parseTrace } from "../../scheduler/explanation/trace-file.ts";
import {
  type Command,
  DATA_OPTION,
  EXIT,
  type ExitCode,
  type Invocation,
  NAMESPACE_OPTION,
  OUTPUT_OPTION,
  READING_OPTIONS,
  stringOption,
} from "../command.ts";
import { dataFolderOf, findKubeconfig, withControlPlane } from "../connect.ts";
import { findObject } from "../find-kind.ts";
import { originFinder } from "../origins.ts";
import { paint, print } from "../output.ts";
import { writeTraceFile } from "../trace-files.ts";
import { fetchTrace } from "../trace-socket.ts";
import { INTERPRETATION_OPTIONS, withInterpreters } from "../world-interpretation.ts";

export const explainCommand: Command = {
  name: "explain",
  summary: "say why an object is where it is",
  usage: "KIND/NAME [-n NAMESPACE] [--cluster NAME] [--save FILE]",
  description:
    "Says which policy places the object, on which clusters and with how many replicas, why not on the others and what would change that, what differs in each copy and by which rule, and what keeps it from being as wanted. The decision is shown as it was made, with what is otherwise since. --save writes it to a file that 'flaghoist replay' decides again from; it holds what scheduling looks at, and no secrets.",
  options: {
    ...NAMESPACE_OPTION,
    cluster: { type: "string", value: "NAME", help: "only this cluster" },
    save: {
      type: "string",
      value: "FILE",
      help: "keep the decision for 'flaghoist replay'; compressed when it ends in .gz",
    },
    ...INTERPRETATION_OPTIONS,
    ...DATA_OPTION,
    ...READING_OPTIONS,
    ...OUTPUT_OPTION,
  },
  examples: [
    ["explain deployment/web -n shop", "where web is, and why"],
    ["explain deploy web -n shop --cluster paris-2", "why web is (not) on paris-2"],
    ["explain deploy/web -n shop --save web.trace", "keep the decision, to replay it"],
  ],
  run: (invocation) =>
    withControlPlane(invocation, ({ client }) =>
      withInterpreters(client, invocation, (interpreters) => run(invocation, client, interpreters)),
    ),
};

async function run(invocation: Invocation, client: KubeClient, interpreters: WorldInterpreters): Promise<ExitCode> {
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
  const interpretation = interpreters.of(world.interpretation);
  const now = systemClock.now();
  const originOf = await originFinder(client, invocation.io.cwd);
  const explanation = await interpretation.decide(
    (interpreter) => explain(world, ref, { interpreter, now, originOf, compatibility: interpreters.compatibility }),
    invocation,
  );
  const savedAs = stringOption(invocation, "save");
  if (savedAs !== undefined) {
    const trace = await interpretation.decide(
      (interpreter) => traceToSave(world, ref, { interpreter, now }),
      invocation,
    );
    await writeTraceFile(invocation.io.cwd, savedAs, await textOf(trace, invocation));
  }
  print(invocation, explanation, () =>
    explainText(explanation, { nowMs: systemClock.now(), paint: paint(invocation), cluster, savedAs }),
  );
  return EXIT.ok;
}

/** With the inputs as the scheduler saw them where the control plane runs here and still knows them. */
async function textOf({ decision, binding, source }: TraceToSave, invocation: Invocation): Promise<string> {
  const text = formatTrace(decision, binding, source);
  if (source !== "record") return text;
  const folders = new Set([dirname(findKubeconfig(invocation)), dataFolderOf(invocation)]);
  for (const folder of folders) {
    const exact = await fetchTrace(folder, binding);
    // A decision that came since, even in the same second, is another one than what is explained.
    if (exact !== undefined && isSameDecision(parseTrace(exact, folder).decision, decision)) return exact;
  }
  return text;
}

function isSameDecision(a: RecordedDecision, b: RecordedDecision): boolean {
  return a.decidedAt === b.decidedAt && a.occasion?.kind === b.occasion?.kind;
}
