import type { FleetReport } from "../../../fleets/simulator/serving/fleet-api.ts";
import { table } from "../../reports/table.ts";
import { type Command, EXIT, OUTPUT_OPTION } from "../command.ts";
import { FLEET_OPTIONS, withFleet } from "../fleet-connection.ts";
import { print } from "../output.ts";

/** `flaghoist fleet status`. */
export const fleetStatusCommand: Command = {
  name: "fleet status",
  summary: "show the clusters of a simulated fleet, and its time",
  usage: "",
  description:
    "Shows each cluster of a fleet of 'flaghoist fleet up': its nodes, its Pods and what goes wrong there; and what its scenario let happen so far.",
  options: { ...OUTPUT_OPTION, ...FLEET_OPTIONS },
  examples: [["fleet status -o yaml", "as data"]],
  run: async (invocation) => {
    const report = await withFleet(invocation, (fleet) => fleet.ask<FleetReport>("GET", "/fleet/status"));
    print(invocation, report, () => {
      const { clock, clusters, story = [] } = report;
      const rows = clusters.map((each) => [
        each.name,
        each.kubernetesVersion,
        each.region ?? "-",
        `${each.readyNodes}/${each.nodes}`,
        `${each.readyPods}/${each.pods}`,
        each.faults.join(",") || "-",
      ]);
      const pace = typeof clock.pace === "number" ? `${clock.pace} times as fast` : clock.pace;
      const shown = table([["CLUSTER", "VERSION", "REGION", "NODES", "PODS", "FAULTS"], ...rows]);
      const steps = story.map(
        ({ at, words, problem }) => `${at}  ${words}${problem === undefined ? "" : `: ${problem}`}`,
      );
      return [`${clock.now} (${pace})`, shown, ...(steps.length === 0 ? [] : ["", ...steps])].join("\n");
    });
    return EXIT.ok;
  },
};
