import { resolve } from "node:path";
import { loadFleetScenario } from "../../../fleets/simulator/scenario/load-scenario.ts";
import type { StoryEntry } from "../../../fleets/simulator/scenario/scenario-player.ts";
import { createFleet, type SimulatedFleet } from "../../../fleets/simulator/simulated-fleet.ts";
import { formatDuration } from "../../../runtime/duration.ts";
import { type Command, durationOption, EXIT, OUTPUT_OPTION, seedOption, stringOption, UsageError } from "../command.ts";
import { print } from "../output.ts";

/** Of the fleet's time, between two looks at what is new and whether somebody has interrupted. */
const STRIDE_MS = 10_000;
/** Clusters that a line names. */
const MOST_NAMES = 4;

/** `flaghoist fleet play`. */
export const fleetPlayCommand: Command = {
  name: "fleet play",
  usage: "FILE [--for DURATION] [--seed N] [-o json|yaml]",
  summary: "play a scenario to its end, and tell what happens",
  description:
    "Starts the clusters of a FleetScenario in this process, without any port, and plays its timeline on a clock that does not wait. Tells what happens, and of each expectation whether it holds; exit code 1 when one does not, or a step cannot be taken.",
  options: {
    ...OUTPUT_OPTION,
    for: { type: "string", value: "DURATION", help: "play so long of it (default: what the scenario lasts)" },
    seed: { type: "string", value: "N", help: "another chance than the scenario's" },
  },
  examples: [
    ["fleet play examples/fleets/flapping.yaml", "tell what happens, and whether it is as expected"],
    ["fleet play fleet.yaml --seed 7", "the same with other chance"],
  ],
  run: async (invocation) => {
    const { positionals, io, signal } = invocation;
    const [name, more] = positionals;
    if (name === undefined || more !== undefined) throw new UsageError("which scenario? name one file");
    const scenario = await loadFleetScenario(resolve(io.cwd, name), name);
    const seed = seedOption(invocation);
    const limit = stringOption(invocation, "for") === undefined ? undefined : durationOption(invocation, "for", "10m");
    const format = stringOption(invocation, "output");
    const fleet = await createFleet({ scenario, pace: "stepped", ...(seed === undefined ? {} : { seed }) });
    try {
      await play(fleet, limit, signal, format === undefined ? io.out : () => {});
      const { scenario: player } = fleet;
      const problems = player?.problems ?? [];
      const result = { story: player?.story ?? [], problems: problems.length, open: player?.openExpectations ?? 0 };
      print(invocation, result, () => summary(fleet));
      return problems.length === 0 ? EXIT.ok : EXIT.failed;
    } finally {
      await fleet.close();
    }
  },
};

async function play(
  fleet: SimulatedFleet,
  limitMs: number | undefined,
  signal: AbortSignal,
  out: (text: string) => void,
): Promise<void> {
  const { scenario: player, clock } = fleet;
  if (player === undefined) return;
  const end = clock.now() + (limitMs ?? player.durationMs);
  let told = 0;
  while (clock.now() < end) {
    signal.throwIfAborted();
    await clock.advance(Math.min(STRIDE_MS, end - clock.now()));
    for (const entry of player.story.slice(told)) out(line(entry));
    told = player.story.length;
    // Whoever interrupts is heard in between.
    await new Promise((done) => setImmediate(done));
  }
}

function line({ atMs, words, clusters, problem, isExpectation }: StoryEntry): string {
  const mark = problem !== undefined ? "FAIL" : isExpectation ? "ok  " : "    ";
  const where =
    clusters.length === 0
      ? ""
      : clusters.length <= MOST_NAMES
        ? ` (${clusters.join(", ")})`
        : ` (${clusters.length} clusters)`;
  return `${formatDuration(Math.round(atMs / 100) * 100).padStart(10)}  ${mark} ${words}${where}${problem === undefined ? "" : `\n${" ".repeat(17)}${problem}`}\n`;
}

function summary({ scenario: player, clusters, clock }: SimulatedFleet): string {
  const story = player?.story ?? [];
  const held = story.filter(({ isExpectation, problem }) => isExpectation && problem === undefined).length;
  const problems = player?.problems.length ?? 0;
  const open = player?.openExpectations ?? 0;
  const lasted = formatDuration(clock.now() - (player?.startMs ?? 0));
  return `${clusters.size} clusters, ${lasted}: ${held} as expected, ${problems} not${open === 0 ? "" : `, ${open} not looked at yet`}\n`;
}
