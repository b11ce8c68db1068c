import { resolve } from "node:path";
import { planClusters } from "../../../api/fleet-plan.ts";
import { loadFleetScenario } from "../../../fleets/simulator/scenario/load-scenario.ts";
import { scenarioDurationMs } from "../../../fleets/simulator/scenario/step-times.ts";
import { formatDuration } from "../../../runtime/duration.ts";
import { AppError } from "../../../runtime/errors.ts";
import { type Command, EXIT, type ExitCode, type Invocation, UsageError } from "../command.ts";

/** `flaghoist fleet validate`. */
export const fleetValidateCommand: Command = {
  name: "fleet validate",
  usage: "FILE...",
  summary: "check scenarios of simulated fleets",
  description:
    "Reads FleetScenarios and the files that they name, and tells everything that is wrong with them as FILE:LINE:COLUMN: FIELD: WORDS: unknown fields, impossible capacities, faults that contradict one another, references to nothing. Exit code 1 when something is.",
  options: {},
  examples: [["fleet validate examples/fleets/*.yaml", "check all of them; exit code 1 when one is wrong"]],
  run: async (invocation) => {
    if (invocation.positionals.length === 0) throw new UsageError("which scenario? name a file");
    let code: ExitCode = EXIT.ok;
    for (const name of invocation.positionals) if (!(await validate(invocation, name))) code = EXIT.failed;
    return code;
  },
};

async function validate({ io }: Invocation, name: string): Promise<boolean> {
  try {
    const { scenario } = await loadFleetScenario(resolve(io.cwd, name), name);
    const clusters = planClusters(scenario);
    const nodes = clusters.reduce((sum, cluster) => sum + cluster.nodes.length, 0);
    const steps = scenario.timeline?.length ?? 0;
    io.out(
      `${name}: ${clusters.length} clusters, ${nodes} nodes, ${steps} steps in ${formatDuration(scenarioDurationMs(scenario))}\n`,
    );
    return true;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    io.err(`${error.message}\n`);
    return false;
  }
}
