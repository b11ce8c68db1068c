// Reads a scenario with the files that it names.
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { manifestsOf, objectsOf, type ReadFile } from "../../../api/fleet-rules/manifests.ts";
import { type SnapshotFacts, snapshotFilesOf } from "../../../api/fleet-rules/snapshots.ts";
import type { FleetScenario } from "../../../api/fleet-scenario.ts";
import type { FleetManifests } from "../../../api/fleet-timeline.ts";
import { parseFleetScenario } from "../../../api/parse-fleet-scenario.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import type { ImportedObject } from "../../apiserver/server.ts";
import { readSnapshot, type Snapshot } from "../snapshot/snapshot-file.ts";

/** A scenario, and what its files hold. */
export interface LoadedScenario {
  readonly scenario: FleetScenario;
  /** The objects of manifests, those in place and those of files. */
  objectsOf(manifests: FleetManifests): readonly KubeObject[];
  /** What a cluster begins with, of the snapshot that it names. */
  importedOf(snapshot: string, cluster: string): readonly ImportedObject[];
}

/**
 * Reads a scenario and everything that it names. `name` is how messages call the file. Throws `fleet-scenario-invalid` as `parseFleetScenario`, with what is
 * wrong in other files too; `fleet-scenario-missing` when the file cannot be read.
 */
export async function loadFleetScenario(file: string, name = file): Promise<LoadedScenario> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new AppError("fleet-scenario-missing", `${name} cannot be read: ${messageOf(error)}`, {
      recovery: "stall",
      cause: error,
    });
  }
  return loadScenarioText(text, name, dirname(file));
}

async function loadScenarioText(text: string, file: string, folder: string): Promise<LoadedScenario> {
  const readFile: ReadFile = (name) => {
    try {
      return readFileSync(resolve(folder, name), "utf8");
    } catch {
      return undefined;
    }
  };
  const first = parseFleetScenario(text, file, { readFile });
  const snapshots = new Map<string, Snapshot>();
  const facts = new Map<string, SnapshotFacts>();
  for (const name of snapshotFilesOf(first)) {
    try {
      const snapshot = await readSnapshot(resolve(folder, name));
      snapshots.set(name, snapshot);
      facts.set(name, { clusters: [...snapshot.clusters.keys()] });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      facts.set(name, { problem: error.message });
    }
  }
  const snapshotOf = (name: string): SnapshotFacts => facts.get(name) ?? { clusters: [] };
  const scenario = facts.size === 0 ? first : parseFleetScenario(text, file, { readFile, snapshotOf });
  return withFiles(
    scenario,
    readFile,
    (snapshot, cluster) => snapshots.get(snapshot)?.clusters.get(cluster)?.objects ?? [],
  );
}

/** A scenario that names no files. Throws `fleet-scenario-files` when it does. */
export function scenarioWithoutFiles(scenario: FleetScenario): LoadedScenario {
  for (const [field, { files = [] }] of manifestsOf(scenario)) {
    if (files.length > 0)
      throw new AppError("fleet-scenario-files", `${field} names files: load the scenario from its folder`, {
        recovery: "stall",
      });
  }
  return withFiles(
    scenario,
    () => undefined,
    () => [],
  );
}

function withFiles(
  scenario: FleetScenario,
  readFile: ReadFile,
  importedOf: LoadedScenario["importedOf"],
): LoadedScenario {
  const read = new Map<FleetManifests, readonly KubeObject[]>();
  return {
    scenario,
    importedOf,
    objectsOf: (manifests) => {
      const objects = read.get(manifests) ?? objectsOf(manifests, readFile);
      read.set(manifests, objects);
      return objects;
    },
  };
}
