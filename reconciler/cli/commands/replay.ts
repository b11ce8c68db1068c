import { AppError, messageOf } from "../../../runtime/errors.ts";
import { explainReplay } from "../../plan/explain-replay.ts";
import { replayText } from "../../reports/replay-text.ts";
import type { RecordedDecision } from "../../scheduler/explanation/recorded-decision.ts";
import { compareAnswers, type Replay, replay } from "../../scheduler/explanation/replay.ts";
import { isUnchanged, type Variation, varyDecision } from "../../scheduler/explanation/vary-decision.ts";
import {
  booleanOption,
  type Command,
  EXIT,
  type ExitCode,
  type Invocation,
  OUTPUT_OPTION,
  stringOption,
  UsageError,
} from "../command.ts";
import { paint, print } from "../output.ts";
import { readTraceFile } from "../trace-files.ts";

export const replayCommand: Command = {
  name: "replay",
  summary: "decide again from a trace, and compare",
  usage: "FILE [--explain] [--set CLUSTER.FIELD=VALUE] [--without CLUSTER] [--replicas N]",
  description:
    "Makes the scheduling decision of a trace file (from 'flaghoist explain --save') again with the same functions, and compares the answer bit for bit. Exit code 0 when it is the same, 3 when it differs, 1 when the file cannot be used. With --set, --without or --replicas it says what would have been decided then.",
  options: {
    explain: { type: "boolean", help: "show the decision: clusters, reasons, weights, the division step by step" },
    set: {
      type: "string",
      multiple: true,
      value: "CLUSTER.FIELD=VALUE",
      help: "change a cluster: taint=K=V:EFFECT, label.KEY=V, region=V, provider=V, zone=V, pods=N, cpu=N",
    },
    without: { type: "string", multiple: true, value: "CLUSTER", help: "leave a cluster out" },
    replicas: { type: "string", value: "N", help: "with another number of replicas" },
    ...OUTPUT_OPTION,
  },
  examples: [
    ["replay web.trace", "whether this version decides as that one did"],
    ["replay web.trace --explain", "and how"],
    ["replay web.trace --without paris-1", "where it would be without paris-1"],
  ],
  run,
};

async function run(invocation: Invocation): Promise<ExitCode> {
  const [path, ...more] = invocation.positionals;
  if (path === undefined || more.length > 0) throw new UsageError("name one trace file");
  const variation = variationOf(invocation);
  const file = await readTraceFile(invocation.io.cwd, path);
  const decision = varyDecision(file.decision, variation);
  const replayed = replayOrRefuse(decision, path);
  const differences = compareAnswers(file.decision.answer, replayed.answer);
  const explanation = booleanOption(invocation, "explain") ? explainReplay(decision, replayed) : undefined;
  const data = { same: differences.length === 0, differences, answer: replayed.answer, explanation };
  print(invocation, data, () =>
    replayText(file, replayed.answer, {
      paint: paint(invocation),
      changes: changesOf(variation),
      differences,
      explanation,
    }),
  );
  // What was changed on purpose is no difference to report.
  return differences.length === 0 || !isUnchanged(variation) ? EXIT.ok : EXIT.differences;
}

function replayOrRefuse(decision: RecordedDecision, path: string): Replay {
  try {
    return replay(decision);
  } catch (error) {
    // Only a file that was made by hand comes here: its fields are of other types than they should be.
    const message = `${path} cannot be replayed: scheduling cannot make sense of its content (${messageOf(error)})`;
    throw new AppError("trace-broken", message, { recovery: "stall", cause: error });
  }
}

function variationOf(invocation: Invocation): Variation {
  const list = (name: string): readonly string[] => {
    const value = invocation.values[name];
    return Array.isArray(value) ? value : [];
  };
  const text = stringOption(invocation, "replicas");
  if (text !== undefined && !/^\d{1,9}$/.test(text)) throw new UsageError(`--replicas takes a number, not "${text}"`);
  return { set: list("set"), without: list("without"), replicas: text === undefined ? undefined : Number(text) };
}

function changesOf({ set, without, replicas }: Variation): string[] {
  return [
    ...set,
    ...without.map((name) => `no cluster ${name}`),
    ...(replicas === undefined ? [] : [`${replicas} ${replicas === 1 ? "replica" : "replicas"}`]),
  ];
}
