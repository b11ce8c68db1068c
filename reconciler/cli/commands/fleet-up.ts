import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Pace } from "../../../fleets/simulator/clock/virtual-clock.ts";
import { loadFleetScenario } from "../../../fleets/simulator/scenario/load-scenario.ts";
import { serveFleet } from "../../../fleets/simulator/serving/serve-fleet.ts";
import type { Level } from "../../../fleets/simulator/simulated-cluster.ts";
import { createFleet, type FleetOptions } from "../../../fleets/simulator/simulated-fleet.ts";
import { readSnapshot } from "../../../fleets/simulator/snapshot/snapshot-file.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import { type Command, EXIT, type Invocation, stringOption, UsageError } from "../command.ts";
import { FLEET_FOLDER } from "../fleet-connection.ts";
import { paint } from "../output.ts";
import { loggerFor } from "./up.ts";

const LEVELS: readonly Level[] = ["full", "fast", "idle"];
const MOST_CLUSTERS = 1_000;
const MOST_NODES = 5_000;

/** `flaghoist fleet up`. */
export const fleetUpCommand: Command = {
  name: "fleet up",
  summary: "start a fleet of simulated clusters",
  usage: "-f SCENARIO | --snapshot FILE | --clusters N [--nodes N] [--level LEVEL]",
  description:
    "Starts simulated clusters in one process and serves them on one port: each is a Kubernetes API under /clusters/NAME. One kubeconfig has a context for each. 'flaghoist fleet fault' lets things go wrong in them. Ends on Ctrl-C; nothing of the clusters is kept.",
  options: {
    file: { type: "string", short: "f", value: "SCENARIO", help: "a FleetScenario: clusters, and what befalls them" },
    snapshot: {
      type: "string",
      value: "FILE",
      help: "in place of a scenario: the clusters of a file of 'flaghoist snapshot', as they were",
    },
    clusters: {
      type: "string",
      value: "N",
      help: "without a scenario: so many clusters, member1 to memberN (default: 3)",
    },
    nodes: { type: "string", value: "N", help: "without a scenario: nodes of each (default: 3)" },
    level: {
      type: "string",
      value: "LEVEL",
      help: "full: controllers, a scheduler, Pods; fast: only what workloads report; idle (default: full)",
    },
    seed: { type: "string", value: "N", help: "determines everything that is left to chance (default: 1)" },
    clock: {
      type: "string",
      value: "PACE",
      help: "real, stepped (see 'fleet advance'), instant, or how many times as fast (default: real)",
    },
    host: { type: "string", value: "ADDRESS", help: "address to listen on (default: 127.0.0.1)" },
    port: { type: "string", value: "PORT", help: "port to listen on (default: any)" },
    data: { type: "string", value: "FOLDER", help: `where certificates are kept (default: ${FLEET_FOLDER})` },
    kubeconfig: {
      type: "string",
      value: "FILE",
      help: "where the kubeconfig goes (default: kubeconfig in that folder)",
    },
    "log-level": { type: "string", value: "LEVEL", help: "debug, info, warn or error (default: warn)" },
  },
  examples: [
    ["fleet up --clusters 5", "five clusters of three nodes"],
    ["fleet up -f examples/fleets/three-clusters.yaml --clock 60", "a scenario, a minute a second"],
    ["fleet up --clusters 500 --level fast", "many, for load"],
    ["fleet up --snapshot fleet.snapshot", "what was taken of a real fleet, to try failures on"],
  ],
  run: async (invocation) => {
    const { io, signal } = invocation;
    const logger = loggerFor(io, stringOption(invocation, "log-level") ?? "warn");
    const directory = resolve(io.cwd, stringOption(invocation, "data") ?? FLEET_FOLDER);
    const kubeconfig = resolve(io.cwd, stringOption(invocation, "kubeconfig") ?? join(directory, "kubeconfig"));
    const port = numberOption(invocation, "port", 0, 65_535) ?? 0;
    const host = stringOption(invocation, "host") ?? "127.0.0.1";
    const fleet = await createFleet({ ...(await fleetOptions(invocation)), logger });
    try {
      const served = await serveFleet(fleet, { host, port, directory, logger }).catch((error: unknown) => {
        throw new AppError("fleet-not-served", `cannot listen on ${host}:${port}: ${messageOf(error)}`, {
          recovery: "stall",
          cause: error,
        });
      });
      try {
        await mkdir(dirname(kubeconfig), { recursive: true, mode: 0o700 });
        // A file that is there keeps its mode: it is made anew.
        await writeFile(`${kubeconfig}.new`, served.kubeconfig, { mode: 0o600 });
        await rename(`${kubeconfig}.new`, kubeconfig);
        const colour = paint(invocation);
        const names = [...fleet.clusters.keys()];
        const some = names.length > 8 ? `${names.slice(0, 7).join(", ")}, ... ${names.at(-1)}` : names.join(", ");
        io.out(`${colour.green("▸")} ${names.length} simulated clusters on ${colour.bold(served.url)}: ${some}\n`);
        io.out(`  export KUBECONFIG=${kubeconfig}\n`);
        await ended(signal);
        io.err("stopping\n");
      } finally {
        // Requests that hang would hold the port.
        fleet.faults.endAll();
        await served.close();
      }
    } finally {
      await fleet.close();
    }
    return EXIT.ok;
  },
};

async function fleetOptions(invocation: Invocation): Promise<FleetOptions> {
  const file = stringOption(invocation, "file");
  const snapshot = stringOption(invocation, "snapshot");
  if (file !== undefined || snapshot !== undefined) {
    for (const other of ["clusters", "nodes", ...(file === undefined ? [] : ["snapshot"])])
      if (stringOption(invocation, other) !== undefined)
        throw new UsageError(`the file says which clusters there are: leave --${other} out`);
  }
  const pace = paceOption(invocation);
  const level = levelOption(invocation);
  const seed = numberOption(invocation, "seed", 0, 2 ** 32 - 1);
  const common = {
    ...(pace === undefined ? {} : { pace }),
    ...(level === undefined ? {} : { level }),
    ...(seed === undefined ? {} : { seed }),
  };
  if (file !== undefined) return { ...common, scenario: await loadFleetScenario(resolve(invocation.io.cwd, file)) };
  if (snapshot !== undefined) return { ...common, snapshot: await readSnapshot(resolve(invocation.io.cwd, snapshot)) };
  return {
    ...common,
    clusters: numberOption(invocation, "clusters", 1, MOST_CLUSTERS) ?? 3,
    nodesPerCluster: numberOption(invocation, "nodes", 0, MOST_NODES) ?? 3,
  };
}

function paceOption(invocation: Invocation): Pace | undefined {
  const text = stringOption(invocation, "clock");
  if (text === undefined || text === "real" || text === "stepped") return text;
  if (text === "instant") return Number.POSITIVE_INFINITY;
  const factor = Number(text);
  if (text.trim() === "" || !(factor > 0) || !Number.isFinite(factor))
    throw new UsageError(`--clock takes real, stepped, instant or how many times as fast, not "${text}"`);
  return factor;
}

function levelOption(invocation: Invocation): Level | undefined {
  const text = stringOption(invocation, "level");
  if (text === undefined) return undefined;
  const level = LEVELS.find((each) => each === text);
  if (level === undefined) throw new UsageError(`--level takes ${LEVELS.join(", ")}, not "${text}"`);
  return level;
}

function numberOption(invocation: Invocation, name: string, least: number, most: number): number | undefined {
  const text = stringOption(invocation, name);
  if (text === undefined) return undefined;
  const number = Number(text);
  if (!/^\d{1,10}$/.test(text) || number < least || number > most)
    throw new UsageError(`--${name} takes a number from ${least} to ${most}, not "${text}"`);
  return number;
}

async function ended(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
