import { resolve } from "node:path";
import type { Cluster } from "../../../api/cluster.ts";
import { SnapshotWriter } from "../../../fleets/simulator/snapshot/snapshot-file.ts";
import { type TakenPart, takePart } from "../../../fleets/simulator/snapshot/take-snapshot.ts";
import type { KubeClient } from "../../../kube/client/kube-client.ts";
import { rfc3339, systemClock } from "../../../runtime/clock.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import { mapLimit } from "../../../runtime/parallel.ts";
import { table } from "../../reports/table.ts";
import {
  booleanOption,
  type Command,
  EXIT,
  type ExitCode,
  type Invocation,
  OUTPUT_OPTION,
  SERVER_OPTIONS,
  stringOption,
  UsageError,
} from "../command.ts";
import { withControlPlane } from "../connect.ts";
import { withMember } from "../member-client.ts";
import { print } from "../output.ts";
import { productVersion } from "./version.ts";

/** Clusters that are read at the same time. */
const AT_ONCE = 8;

export const snapshotCommand: Command = {
  name: "snapshot",
  summary: "write the state of the whole fleet to one file, without secrets",
  usage: "FILE [--clusters NAMES] [--force]",
  description:
    "Reads every object of the control plane and of its member clusters, and writes them to one file. Of Secrets only names and keys are taken, wherever they stand; so are no credentials of clusters and repositories. ConfigMaps, environment variables and everything else is in it as it is. plan, explain, get, drift and lint answer from the file with --snapshot; 'fleet up --snapshot' runs simulated clusters that begin as the real ones were. A cluster that does not answer is named in the file and left out.",
  options: {
    clusters: { type: "string", short: "C", value: "NAMES", help: "only these clusters, by comma; 'none' takes none" },
    force: { type: "boolean", help: "replace FILE when it exists" },
    ...SERVER_OPTIONS,
    ...OUTPUT_OPTION,
  },
  examples: [
    ["snapshot fleet.snapshot", "everything"],
    ["snapshot fleet.snapshot --clusters tokyo-1,paris-1 --force", "two clusters, over yesterday's file"],
  ],
  run: async (invocation) => {
    const [file, ...more] = invocation.positionals;
    if (file === undefined || more.length > 0) throw new UsageError("snapshot to where? One file");
    return withControlPlane(invocation, ({ client }) => snapshot(invocation, client, resolve(invocation.io.cwd, file)));
  },
};

interface PartReport {
  readonly name: string;
  readonly objects: number;
  readonly unreachable?: string;
}

async function snapshot(invocation: Invocation, client: KubeClient, file: string): Promise<ExitCode> {
  const { io, signal } = invocation;
  const clusters = await chosenClusters(invocation, client);
  const head = { flaghoist: productVersion(), takenAt: rfc3339(systemClock.now()) };
  const writer = new SnapshotWriter(file, head, booleanOption(invocation, "force"));
  const reports: PartReport[] = [];
  const note = (name: string, part: TakenPart): void => {
    for (const reason of part.skipped) io.err(`warning: ${name}: left out ${reason}\n`);
    reports.push({ name, objects: part.objects.length });
  };
  try {
    const plane = await takePart(client, signal);
    await writer.part({ source: "control-plane", name: "" }, plane.objects);
    note("control plane", plane);
    await mapLimit(clusters, AT_ONCE, async (cluster) => {
      const name = cluster.metadata.name ?? "";
      const source = { source: "cluster", name, version: cluster.status?.kubernetesVersion } as const;
      let part: TakenPart;
      try {
        part = await withMember(client, cluster, (member) => takePart(member, signal));
      } catch (error) {
        if (signal.aborted) throw error;
        const unreachable = messageOf(error);
        io.err(`warning: ${name}: ${unreachable}\n`);
        reports.push({ name, objects: 0, unreachable });
        await writer.part({ ...source, unreachable }, []);
        return;
      }
      await writer.part(source, part.objects);
      note(name, part);
    });
    await writer.finish();
  } catch (error) {
    await writer.abandon();
    throw error;
  }
  print(invocation, { file, objects: writer.objects, parts: reports }, () =>
    [
      `Wrote ${writer.objects} objects to ${file}`,
      table(reports.map(({ name, objects, unreachable }) => [`  ${name}`, unreachable ?? `${objects} objects`])),
    ].join("\n"),
  );
  return EXIT.ok;
}

async function chosenClusters(invocation: Invocation, client: KubeClient): Promise<readonly Cluster[]> {
  const names = stringOption(invocation, "clusters")?.split(",");
  const all = (await client.list<Cluster>("cluster.karmada.io/v1alpha1", "Cluster")).items;
  if (names === undefined) return all;
  if (names.length === 1 && names[0] === "none") return [];
  return names.map((name) => {
    const found = all.find((cluster) => cluster.metadata.name === name);
    if (found !== undefined) return found;
    throw new AppError("cluster-unknown", `there is no cluster ${name}`, { recovery: "stall" });
  });
}
