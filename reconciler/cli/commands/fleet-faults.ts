import type { FaultReport } from "../../../fleets/simulator/serving/fleet-api.ts";
import { table } from "../../reports/table.ts";
import { booleanOption, type Command, EXIT, OUTPUT_OPTION } from "../command.ts";
import { FLEET_OPTIONS, withFleet } from "../fleet-connection.ts";
import { print } from "../output.ts";

/** `flaghoist fleet faults`. */
export const fleetFaultsCommand: Command = {
  name: "fleet faults",
  summary: "list what goes wrong in a simulated fleet",
  usage: "[--all]",
  description: "Lists the faults of a fleet of 'flaghoist fleet up' that are there, or are still to come.",
  options: {
    all: { type: "boolean", help: "also those that are over" },
    ...OUTPUT_OPTION,
    ...FLEET_OPTIONS,
  },
  examples: [["fleet faults --all -o json", "everything that went wrong so far, as data"]],
  run: async (invocation) => {
    const { faults } = await withFleet(invocation, (fleet) =>
      fleet.ask<{ faults: FaultReport[] }>("GET", "/fleet/faults"),
    );
    const shown = faults.filter(({ state }) => booleanOption(invocation, "all") || state !== "over");
    print(invocation, shown, () => {
      if (shown.length === 0) return "nothing is wrong in the fleet\n";
      const rows = shown.map((report) => [
        report.id,
        report.fault.type,
        report.state,
        report.clusters.join(",") || "-",
        report.since ?? "-",
        report.until ?? report.next ?? "-",
      ]);
      return table([["NAME", "TYPE", "STATE", "CLUSTERS", "SINCE", "UNTIL"], ...rows]);
    });
    return EXIT.ok;
  },
};

/** What became of a fault, in a line. */
export function faultLine({ id, state, clusters, nodes, next, until }: FaultReport): string {
  const where = nodes.length > 0 ? nodes : clusters;
  const when = state === "waiting" && next !== undefined ? ` at ${next}` : until === undefined ? "" : ` until ${until}`;
  return `${id} ${state}${where.length === 0 ? "" : ` in ${where.join(", ")}`}${when}`;
}
