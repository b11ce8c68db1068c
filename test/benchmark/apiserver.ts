// The embedded API server beside kube-apiserver with etcd, row by row in one run.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Cost, Load, measureStart } from "./support-apiserver-rows.ts";
import { findReference, OurServer, RealServer, type Side } from "./support-apiserver-sides.ts";
import { measureWatches, type WatchResult } from "./support-apiserver-watches.ts";
import { type Memory, memoryOf, pinning, pinSelf } from "./support-processes.ts";

const ROWS = ["create", "get", "update", "apply", "list", "delete", "watch", "memory", "start"] as const;
type Row = (typeof ROWS)[number];

const USAGE = `usage: npm run bench -- apiserver [--objects N] [--many N] [--rows ${ROWS.join(",")}] [--http 1.1|2] [--quick] [--alone]
  --objects  objects of the request rows (10000)     --many   objects of memory and start (100000)
  --quick    2,000 objects, 10,000 for memory         --alone  without kube-apiserver and etcd`;

interface Options {
  readonly objects: number;
  readonly many: number;
  readonly rows: ReadonlySet<Row>;
  readonly version: "1.1" | "2";
  readonly quick: boolean;
  readonly alone: boolean;
}

function readOptions(args: readonly string[]): Options | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        objects: { type: "string" },
        many: { type: "string" },
        rows: { type: "string", default: ROWS.join(",") },
        http: { type: "string", default: "2" },
        quick: { type: "boolean", default: false },
        alone: { type: "boolean", default: false },
      },
    });
    const rows = values.rows.split(",");
    const unknown = rows.find((row) => !ROWS.some((each) => each === row));
    if (unknown !== undefined) throw new Error(`no row ${unknown}`);
    if (values.http !== "1.1" && values.http !== "2") throw new Error(`no HTTP version ${values.http}`);
    return {
      objects: countOf(values.objects, values.quick ? 2_000 : 10_000),
      many: countOf(values.many, values.quick ? 10_000 : 100_000),
      // Each was compared with the known rows.
      rows: new Set(rows as Row[]),
      version: values.http,
      quick: values.quick,
      alone: values.alone,
    };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`);
    return undefined;
  }
}

function countOf(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (!/^[1-9][0-9]*$/.test(text)) throw new Error(`not a number of objects: ${text}`);
  return Number(text);
}

export async function run(args: readonly string[]): Promise<void> {
  const options = readOptions(args);
  if (options === undefined) {
    process.exitCode = 2;
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "flaghoist-bench-"));
  const assets = options.alone ? undefined : findReference();
  pinSelf();
  const sides: Side[] = [await OurServer.create(join(folder, "ours"))];
  if (assets !== undefined) sides.push(await RealServer.create(assets, join(folder, "real")));
  process.stdout.write(
    `ConfigMaps of 1.3 KB; TLS, RBAC, every write synced to disk before its answer on both sides; HTTP/${options.version}; ${pinning()}\n`,
  );
  const loads: Load[] = [];
  try {
    for (const side of sides) {
      await side.start();
      loads.push(new Load(side, options.version));
    }
    for (const load of loads) await load.createNamespace();
    await requestRows(loads, options);
    if (options.rows.has("watch")) await watchRows(sides, options);
    for (const load of loads) await load.close();
    await manyRows(sides, options);
  } finally {
    for (const side of sides) await side.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function requestRows(loads: readonly Load[], { objects, rows, quick }: Options): Promise<void> {
  const lists = quick ? 5 : 20;
  print("row", "flaghoist", "kube-apiserver + etcd", "ratio");
  const all: readonly (readonly [Row, string, (load: Load) => Promise<Cost>])[] = [
    ["create", "create", (load) => load.create(objects)],
    ["get", "get", (load) => load.get(objects, objects)],
    ["update", "update", (load) => load.update(objects, objects)],
    ["apply", "apply that changes nothing", (load) => load.applyUnchanged(objects, 1)],
    ["list", `list of ${objects}`, (load) => load.list(lists, objects)],
    [
      "list",
      `list of ${objects}, by label`,
      (load) => load.list(lists, objects, "?labelSelector=app.kubernetes.io/part-of=bench"),
    ],
    ["list", `list of ${objects} in pages of 500`, (load) => load.pages(Math.ceil(lists / 4), objects, 500)],
    ["delete", "delete", (load) => load.delete(objects)],
  ];
  // The others need the objects, though nobody asked what making them costs.
  const needed = new Set<Row>([
    ...rows,
    ...(["get", "update", "apply", "list", "delete"].some((row) => rows.has(row as Row)) ? (["create"] as const) : []),
  ]);
  for (const [row, title, measure] of all) {
    if (!needed.has(row)) continue;
    const costs: Cost[] = [];
    for (const load of loads) {
      await load.side.delay();
      costs.push(await measure(load));
      await printDelay(load.side, title);
    }
    if (rows.has(row)) printCosts(title, costs);
  }
}

async function watchRows(sides: readonly Side[], { quick }: Options): Promise<void> {
  const watches = quick ? 200 : 1_000;
  for (const namespaces of [50, 1]) {
    const watch = { watches, namespaces, changesPerSecond: 100, seconds: quick ? 3 : 10 };
    const title = `${watches} watches on ${namespaces === 1 ? "one namespace" : `${namespaces} namespaces`}`;
    const results: WatchResult[] = [];
    for (const side of sides) {
      await side.delay();
      results.push(await measureWatches(side, watch));
      await printDelay(side, title);
    }
    const cells = results.map(({ p50Ms, p99Ms, delivered, expected, cpuShare }) => {
      const lost = delivered === expected ? "" : `, ${delivered} of ${expected} events`;
      return `p50 ${p50Ms.toFixed(0)}, p99 ${p99Ms.toFixed(0)} ms; ${(cpuShare * 100).toFixed(0)} % CPU${lost}`;
    });
    print(`${title}, 100 changes/s`, ...cells, ratio(results.map(({ p99Ms }) => p99Ms)));
    const costs = results.map(({ cpuMicrosPerEvent }) => cpuMicrosPerEvent);
    print(`${title}, an event`, ...costs.map((cost) => `${cost.toFixed(1)} us CPU`), ratio(costs));
  }
}

/** Memory and start with many objects. */
async function manyRows(sides: readonly Side[], { many, rows, version, quick }: Options): Promise<void> {
  if (!rows.has("memory") && !rows.has("start")) return;
  const memories: Memory[] = [];
  const fresh: Memory[] = [];
  const starts: Cost[] = [];
  for (const side of sides) {
    const load = new Load(side, version);
    await load.createNamespace("many");
    await load.create(many, "many");
    await printDelay(side, `create ${many}`);
    memories.push(await load.settledMemory(quick ? 5 : 30));
    await load.close();
    starts.push(await measureStart(side));
    await printDelay(side, `start with ${many}`);
    fresh.push(memoryOf(side.pids()));
  }
  printMemory(`memory after creating ${many}`, memories);
  printMemory(`memory after a start with ${many}`, fresh);
  print(
    `start with ${many}`,
    ...starts.map(({ wallMs, cpuMicros }) => `${(wallMs / 1000).toFixed(2)} s (${(cpuMicros / 1e6).toFixed(2)} s CPU)`),
    ratio(starts.map(({ cpuMicros }) => cpuMicros)),
  );
}

function printMemory(title: string, memories: readonly Memory[]): void {
  print(
    title,
    ...memories.map(({ resident, peak }) => `${mb(resident)} (peak ${mb(peak)})`),
    ratio(memories.map(({ resident }) => resident)),
  );
  print(
    `${title}, without mapped files`,
    ...memories.map(({ anonymous }) => mb(anonymous)),
    ratio(memories.map(({ anonymous }) => anonymous)),
  );
}

function printCosts(title: string, costs: readonly Cost[]): void {
  const shown = costs.map(({ count, cpuMicros, wallMs }) => {
    const each = cpuMicros / count;
    const cpu = each > 10_000 ? `${(each / 1000).toFixed(1)} ms CPU` : `${each.toFixed(0)} us CPU`;
    const wall = wallMs / count > 10 ? `${(wallMs / count).toFixed(0)} ms` : `${Math.round((count / wallMs) * 1000)}/s`;
    return `${cpu}, ${wall}`;
  });
  print(title, ...shown, ratio(costs.map(({ count, cpuMicros }) => cpuMicros / count)));
}

async function printDelay(side: Side, title: string): Promise<void> {
  const delay = await side.delay();
  if (delay === undefined) return;
  const { cpuP99Ms, cpuMaxMs, wallP99Ms, wallMaxMs } = delay;
  print(
    `  event loop: ${title}`,
    `turns p99 ${cpuP99Ms.toFixed(0)}, max ${cpuMaxMs.toFixed(0)} ms CPU; delay p99 ${wallP99Ms.toFixed(0)}, max ${wallMaxMs.toFixed(0)} ms wall`,
  );
}

function ratio(values: readonly number[]): string {
  const [ours, theirs] = values;
  return ours === undefined || theirs === undefined ? "" : `${(theirs / ours).toFixed(1)}x`;
}

function mb(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}

function print(title: string, ...cells: readonly string[]): void {
  process.stdout.write(`${[title.padEnd(44), ...cells.map((cell) => cell.padEnd(30))].join(" ").trimEnd()}\n`);
}
