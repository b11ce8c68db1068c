import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { FaultReport } from "../../../fleets/simulator/serving/fleet-api.ts";
import { isObject } from "../../../kube/object.ts";
import { parseYamlDocuments } from "../../../kube/yaml.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import { booleanOption, type Command, EXIT, type Invocation, stringOption, UsageError } from "../command.ts";
import { FLEET_OPTIONS, type FleetConnection, withFleet } from "../fleet-connection.ts";
import { FAULT_OPTIONS, faultOfOptions } from "../fleet-fault-options.ts";
import { faultLine } from "./fleet-faults.ts";

/** `flaghoist fleet fault`. */
export const fleetFaultCommand: Command = {
  name: "fleet fault",
  summary: "let something go wrong in a simulated fleet, or end it",
  usage: "CLUSTER... --down|--hang|--slow|... [--for DURATION] | FAULT --end | -f FILE",
  description:
    "Begins a fault in a fleet of 'flaghoist fleet up', and prints its name. CLUSTER may have * for any letters. Ending a fault takes back exactly what it did; an upgrade stops where it is, and what is over at once (--restore and the like) stays. --end with the name of a cluster ends every fault there. Faults that contradict one another are refused.",
  options: {
    ...FAULT_OPTIONS,
    end: { type: "boolean", help: "end the fault of this name, or all faults of this cluster" },
    all: { type: "boolean", help: "with --end: all faults of the fleet" },
    file: { type: "string", short: "f", value: "FILE", help: "begin the faults of a file, as a scenario writes them" },
    ...FLEET_OPTIONS,
  },
  examples: [
    ["fleet fault member1 --down --for 5m", "member1 refuses connections for five minutes"],
    ["fleet fault 'edge-*' --slow --latency 200ms/3s", "bad links: half of the answers take longer than 200 ms"],
    ["fleet fault member1 --node member1-node-0 --down", "a node is lost"],
    ["fleet fault --region eu-west --outage", "a whole region is without power"],
    ["fleet fault member1 --partition nodes", "kubelets do not reach the API: nodes become Unknown"],
    ["fleet fault member1 --upgrade v1.37.0", "node by node to another version"],
    ["fleet fault member1 --end", "everything is well again"],
  ],
  run: async (invocation) => {
    const { io, positionals } = invocation;
    const fault = faultOfOptions(invocation);
    const file = stringOption(invocation, "file");
    const ends = booleanOption(invocation, "end");
    if ([fault !== undefined, file !== undefined, ends].filter((each) => each).length !== 1)
      throw new UsageError("say what is to happen: a fault such as --down, --end, or -f FILE, and one of them only");
    await withFleet(invocation, async (fleet) => {
      if (ends) await end(fleet, positionals, invocation);
      for (const each of file === undefined ? [fault] : await faultsOf(file, invocation)) {
        if (each === undefined) continue;
        const report = await fleet.ask<FaultReport>("POST", "/fleet/faults", each);
        io.out(`${faultLine(report)}\n`);
        if (report.problem !== undefined) throw new AppError("fault-failed", report.problem, { recovery: "stall" });
      }
    });
    return EXIT.ok;
  },
};

async function end(fleet: FleetConnection, names: readonly string[], invocation: Invocation): Promise<void> {
  const { out } = invocation.io;
  if (booleanOption(invocation, "all")) {
    await fleet.ask("DELETE", "/fleet/faults");
    out("ended all faults\n");
    return;
  }
  if (names.length === 0) throw new UsageError("which fault? Name it or a cluster, or say --all");
  const { faults } = await fleet.ask<{ faults: FaultReport[] }>("GET", "/fleet/faults");
  const open = faults.filter(({ state }) => state !== "over");
  for (const name of names) {
    const there = open.some(({ id }) => id === name) ? [] : open.filter(({ clusters }) => clusters.includes(name));
    // The fleet itself says what is wrong with a name that is neither.
    for (const id of there.length === 0 ? [name] : there.map((each) => each.id)) {
      await fleet.ask("DELETE", `/fleet/faults/${encodeURIComponent(id)}`);
      out(`ended ${id}\n`);
    }
  }
}

/** The faults of a file: one each document, a list of them, or `faults` of a document. */
async function faultsOf(file: string, { io }: Invocation): Promise<unknown[]> {
  let text: string;
  try {
    text = file === "-" ? ((await io.readInput?.()) ?? "") : await readFile(resolve(io.cwd, file), "utf8");
  } catch (error) {
    throw new AppError("input-unreadable", `${file} cannot be read: ${messageOf(error)}`, { recovery: "stall" });
  }
  return parseYamlDocuments(text, { file }).flatMap(({ value }) => {
    if (Array.isArray(value)) return value;
    if (isObject(value) && Array.isArray(value["faults"])) return value["faults"];
    return value === null || value === undefined ? [] : [value];
  });
}
