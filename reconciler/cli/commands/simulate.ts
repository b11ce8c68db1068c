import { resolve } from "node:path";
import { planClusters } from "../../../api/fleet-plan.ts";
import { loadFleetScenario } from "../../../fleets/simulator/scenario/load-scenario.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { AppError } from "../../../runtime/errors.ts";
import { silentLogger } from "../../../runtime/logger.ts";
import { DEFAULT_PROFILE } from "../../controllers/context.ts";
import { findDuplicates, type RenderedFolder, renderFolder } from "../../plan/desired-objects.ts";
import { simulationText } from "../../reports/simulation-text.ts";
import { LOSS_KINDS, lossName, readLosses } from "../../simulation/losses.ts";
import {
  booleanOption,
  type Command,
  durationOption,
  EXIT,
  type ExitCode,
  type Invocation,
  OUTPUT_OPTION,
  seedOption,
  stringOption,
  UsageError,
} from "../command.ts";
import { FAILOVER_OPTIONS, readFailoverSettings } from "../failover-settings.ts";
import { paint, print } from "../output.ts";
import { REMOTE_OPTIONS, withRemoteBases } from "../remote-settings.ts";
import { simulateLosses } from "../simulation.ts";
import { openSourceFolder, type SourceFolder } from "../source-folder.ts";

/** `flaghoist simulate`. */
export const simulateCommand: Command = {
  name: "simulate",
  summary: "show what a folder's workloads go through when a part of a fleet fails",
  usage: "[PATH] --fleet FILE [--fail KIND[/NAME],...]",
  description:
    "Renders a folder with workloads and policies, applies it to a control plane of its own over the simulated fleet of a scenario, and lets clusters, zones, regions and providers fail one by one, each on a fresh fleet. Says how many replicas go on serving at once, when all serve again and where, and how they return. Everything runs in this process on a clock that does not wait; nothing is written anywhere.",
  options: {
    fleet: {
      type: "string",
      value: "FILE",
      help: "scenario with the clusters (FleetScenario); its timeline is not played",
    },
    fail: {
      type: "string",
      value: "WHAT",
      help: `what fails, by comma: ${LOSS_KINDS.join(", ")} for each of them, or one as in region/eu-west (default: everything)`,
    },
    for: { type: "string", value: "DURATION", help: "how long each loss lasts (default: 15m)" },
    after: { type: "string", value: "DURATION", help: "how long is watched after its end, at most (default: 1h)" },
    story: { type: "boolean", help: "also tell what happens in each loss, moment by moment" },
    seed: { type: "string", value: "N", help: "determines everything that is left to chance (default: 1)" },
    ...FAILOVER_OPTIONS,
    ...REMOTE_OPTIONS,
    ...OUTPUT_OPTION,
  },
  examples: [
    ["simulate examples/policy-sets/active-active --fleet examples/policy-sets/fleet.yaml", "every loss there can be"],
    ["simulate apps/shop --fleet fleet.yaml --fail region,provider/aws", "each region, and one provider"],
  ],
  run: async (invocation) => {
    const file = stringOption(invocation, "fleet");
    if (file === undefined) throw new UsageError("on which fleet? --fleet FILE, a FleetScenario");
    const [path = ".", more] = invocation.positionals;
    if (more !== undefined) throw new UsageError("one folder at a time");
    const folder = openSourceFolder(invocation.io.cwd, path, undefined);
    try {
      return await simulate(invocation, folder, file);
    } finally {
      folder.close();
    }
  },
};

async function simulate(invocation: Invocation, folder: SourceFolder, file: string): Promise<ExitCode> {
  const { io, signal } = invocation;
  const scenario = await loadFleetScenario(resolve(io.cwd, file), file);
  const wanted = stringOption(invocation, "fail") ?? LOSS_KINDS.join(",");
  const losses = readLosses(
    wanted.split(",").map((word) => word.trim()),
    planClusters(scenario.scenario),
  );
  const failover = readFailoverSettings(invocation, DEFAULT_PROFILE);
  const mode = failover.mode ?? "safe";
  let rendered: readonly KubeObject[] | undefined;
  const report = await withRemoteBases(invocation, (remotes) =>
    simulateLosses({
      scenario,
      losses,
      profile: failover.settingsFor(mode),
      failover: mode,
      lossMs: durationOption(invocation, "for", "15m"),
      afterMs: durationOption(invocation, "after", "1h"),
      seed: seedOption(invocation) ?? 1,
      logger: silentLogger,
      signal,
      objectsFor: async ({ client }) => {
        rendered ??= acceptable(
          await renderFolder(client, folder.head, folder.path, { sync: undefined, remotes, signal }),
        );
        return rendered;
      },
      onLoss: (loss) => {
        if (io.isTerminal) io.err(`${paint(invocation).dim(`simulating the loss of ${lossName(loss)}`)}\n`);
      },
    }),
  );
  print(invocation, report, () => simulationText(report, booleanOption(invocation, "story")));
  return EXIT.ok;
}

/** The objects of a folder that has no mistakes. Throws `folder-invalid` with the first of them, and where they are. */
function acceptable({ objects, problems }: RenderedFolder): readonly KubeObject[] {
  const errors = [...problems, ...findDuplicates(objects)].filter(({ severity }) => severity === "error");
  if (errors.length === 0) return objects.map(({ object }) => object);
  const texts = errors.slice(0, 5).map(({ origin, message }) => `${origin}: ${message}`);
  throw new AppError("folder-invalid", texts.join("; "), { recovery: "stall" });
}
