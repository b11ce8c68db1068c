// npm run bench -- kustomize [--full] [--json] [--repeat N]: overlays of 10 to 5,000 objects and a typical application, read,
// built and printed by us and by the real kustomize where it is present (KUBEBUILDER_ASSETS or PATH), in one run.
// --full: the real one at 5,000 objects as well, which takes it minutes; else the figure of an earlier run stands for it.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { RenderCache } from "../../renderers/kustomize/render-cache.ts";
import { MemoryTree } from "../../renderers/memory-tree.ts";
import { RenderPool } from "../../renderers/render-pool.ts";
import { findRealKustomize, NO_REAL_KUSTOMIZE } from "../fuzz/kustomize/real-kustomize.ts";
import { buildCached, buildCold, buildFolder, buildReal, type Cost } from "./support-kustomize-build.ts";
import { appInput, type BenchInput, flatInput, groupFile, groupText } from "./support-kustomize-inputs.ts";
import { LoopDelay } from "./support-loop-delay.ts";

const SIZES = [10, 100, 1000, 5000] as const;
/** CPU seconds of kustomize 5.8.2 at 5,000 objects, measured on the machine of the first figures: two cores of 2.8 GHz. */
const RECORDED_AT_5000_SECONDS = 334;

const WARMUPS = 20;

interface Row {
  readonly input: string;
  readonly objects: number;
  /** The first build of a new process. */
  readonly cold: Cost;
  /** The median of later builds in one process. */
  readonly warm: Cost;
  readonly real: Cost | undefined;
  /** CPU time of the real one, its start included, over ours warm. */
  readonly ratio: number | undefined;
  readonly sameBytes: boolean | undefined;
  readonly microsecondsPerObject: number;
}

interface Report {
  readonly rows: readonly Row[];
  /** One of the files of flat-1000 changed, with the cache of the build before. */
  readonly oneFileChanged: Cost & { readonly printing: Cost; readonly sameBytes: boolean };
  /** The overlay's own kustomization changed, which concerns every object. */
  readonly overlayChanged: Cost;
  /** Longest turn of this process' event loop while its threads render flat-5000, in CPU milliseconds. */
  readonly longestTurnMs: number;
}

/** Fails when the bytes of the two differ. */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      full: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      repeat: { type: "string", default: "7" },
    },
  });
  const repeat = Number(values.repeat);
  const program = findRealKustomize();
  if (!values.json) printHead(program);
  const rows: Row[] = [];
  for (const input of [...SIZES.map(flatInput), appInput()]) {
    const row = measureInput(input, program, repeat, values.full);
    rows.push(row);
    if (!values.json) printRow(row);
  }
  const changes = measureChanges(repeat * 3);
  const report: Report = { rows, ...changes, longestTurnMs: await longestTurn(flatInput(5000)) };
  if (values.json) process.stdout.write(`${JSON.stringify(report, null, 1)}\n`);
  else printRest(report);
  const isSame = rows.every(({ sameBytes }) => sameBytes !== false) && changes.oneFileChanged.sameBytes;
  if (!isSame) process.exitCode = 1;
}

function measureInput(input: BenchInput, program: string | undefined, repeat: number, full: boolean): Row {
  const scratch = mkdtempSync(join(tmpdir(), "flaghoist-bench-"));
  try {
    const folder = join(scratch, "input");
    for (const [path, text] of Object.entries(input.files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const cold = median(Array.from({ length: Math.min(repeat, 3) }, () => buildCold(folder, input.path)));
    const first = buildFolder(folder, input.path);
    // The compiler of the engine needs a dozen runs, and more of small inputs.
    const warmups = Math.max(input.objects > 1000 ? 5 : 15, 3000 / input.objects);
    for (let i = 0; i < warmups; i++) buildFolder(folder, input.path);
    const warm = median(Array.from({ length: repeat }, () => buildFolder(folder, input.path)));
    const asked = program !== undefined && (input.objects < 5000 || full);
    const answers = asked
      ? Array.from({ length: input.objects < 1000 ? 5 : 1 }, () => buildReal(program, folder, input.path))
      : [];
    const recorded = { cpuMs: RECORDED_AT_5000_SECONDS * 1000, wallMs: Number.NaN };
    const real = answers.length > 0 ? median(answers) : input.objects === 5000 ? recorded : undefined;
    return {
      input: input.name,
      objects: input.objects,
      cold,
      warm,
      real,
      ratio: real && real.cpuMs / warm.cpuMs,
      sameBytes: answers.length > 0 ? answers.every(({ output }) => output === first.output) : undefined,
      microsecondsPerObject: (warm.cpuMs * 1000) / input.objects,
    };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Builds of flat-1000 in which one file is another than in the build before. */
function measureChanges(count: number): Pick<Report, "oneFileChanged" | "overlayChanged"> {
  const { files, path } = flatInput(1000);
  const cache = new RenderCache();
  const state: Record<string, string> = { ...files };
  const build = () => buildCached(new MemoryTree(state), path, cache);
  // The compiler of the engine needs some of them.
  for (let i = 0; i < WARMUPS; i++) {
    state[groupFile(i)] = groupText(i).replace("mode: plain", "mode: other");
    build();
  }
  const changed = Array.from({ length: count }, (_, i) => {
    const group = (i * 37) % 200;
    state[groupFile(group)] = groupText(group).replace("mode: plain", `mode: changed-${i}`);
    return build();
  });
  const plain = buildCached(new MemoryTree(state), path, new RenderCache());
  const overlay = "overlay/kustomization.yaml";
  const tagged = Array.from({ length: Math.ceil(count / 3) }, (_, i) => {
    state[overlay] = files[overlay]!.replace("newTag: final", `newTag: v${i}`);
    return build();
  });
  const printing = median(changed.map((build) => build.printing));
  const sameBytes = changed.at(-1)?.output === plain.output;
  return { oneFileChanged: { ...median(changed), printing, sameBytes }, overlayChanged: median(tagged) };
}

async function longestTurn(input: BenchInput): Promise<number> {
  const pool = new RenderPool();
  const delay = new LoopDelay();
  const tree = new MemoryTree(input.files);
  try {
    await pool.render(tree, input.path);
    delay.start();
    await pool.render(tree, input.path);
    return delay.take().cpuMaxMs;
  } finally {
    await pool.close();
  }
}

function median(costs: readonly Cost[]): Cost {
  const middle = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
  return { cpuMs: middle(costs.map(({ cpuMs }) => cpuMs)), wallMs: middle(costs.map(({ wallMs }) => wallMs)) };
}

const WIDTHS = [10, 12, 12, 12, 12, 12, 10, 12, 12] as const;

function printHead(program: string | undefined): void {
  process.stdout.write(
    program === undefined
      ? `the real one is left out: ${NO_REAL_KUSTOMIZE}\n`
      : `beside ${program}, its start included\n`,
  );
  printLine([
    "input",
    "cold CPU ms",
    "warm CPU ms",
    "warm wall",
    "real CPU ms",
    "real wall",
    "ratio",
    "same bytes",
    "us/object",
  ]);
}

function printRow({ input, cold, warm, real, ratio, sameBytes, microsecondsPerObject }: Row): void {
  const recorded = real !== undefined && Number.isNaN(real.wallMs);
  printLine([
    input,
    cold.cpuMs.toFixed(1),
    warm.cpuMs.toFixed(1),
    warm.wallMs.toFixed(1),
    real === undefined ? "-" : `${real.cpuMs.toFixed(0)}${recorded ? "*" : ""}`,
    real === undefined || recorded ? "-" : real.wallMs.toFixed(0),
    ratio === undefined ? "-" : `${ratio.toFixed(ratio < 10 ? 1 : 0)}x`,
    sameBytes === undefined ? "-" : sameBytes ? "yes" : "NO",
    microsecondsPerObject.toFixed(0),
  ]);
}

function printLine(cells: readonly string[]): void {
  process.stdout.write(
    `${cells
      .map((cell, index) => cell.padStart(WIDTHS[index] ?? 12))
      .join("")
      .trimEnd()}\n`,
  );
}

function printRest({ rows, oneFileChanged, overlayChanged, longestTurnMs }: Report): void {
  const at = (name: string): Row | undefined => rows.find(({ input }) => input === name);
  const growth = (at("flat-5000")?.microsecondsPerObject ?? 0) / (at("flat-1000")?.microsecondsPerObject ?? 1);
  const lines = [
    ...(at("flat-5000")?.sameBytes === undefined ? ["* of an earlier run; --full measures it now"] : []),
    `one file of flat-1000 changed: ${figures(oneFileChanged)} to build, ${figures(oneFileChanged.printing)} to print all${oneFileChanged.sameBytes ? "" : ", OTHER BYTES than without a cache"}`,
    `its overlay's image tag changed: ${figures(overlayChanged)} to build`,
    `from 1,000 to 5,000 objects the time for one object grows ${growth.toFixed(2)} times`,
    `longest turn of the event loop while a thread renders flat-5000: ${longestTurnMs.toFixed(1)} CPU ms`,
    ...goals(rows, oneFileChanged),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}

function figures({ cpuMs, wallMs }: Cost): string {
  return `${cpuMs.toFixed(1)} CPU ms, ${wallMs.toFixed(1)} ms`;
}

/** The figures that the project set itself, and whether this run met them. */
function goals(rows: readonly Row[], changed: Cost): string[] {
  const ratioOf = (name: string): number | undefined => rows.find(({ input }) => input === name)?.ratio;
  const goal = (text: string, met: boolean | undefined): string =>
    `goal: ${text}: ${met === undefined ? "not measured" : met ? "met" : "MISSED"}`;
  const reached = (ratio: number | undefined, wanted: number): boolean | undefined =>
    ratio === undefined ? undefined : ratio >= wanted;
  const known = rows.map(({ ratio }) => ratio).filter((ratio) => ratio !== undefined);
  return [
    goal("never slower than kustomize", known.length === 0 ? undefined : known.every((ratio) => ratio >= 1)),
    goal("50 times faster at 1,000 objects", reached(ratioOf("flat-1000"), 50)),
    goal("400 times faster at 5,000 objects", reached(ratioOf("flat-5000"), 400)),
    goal("one file of 1,000 objects changed under 20 ms", changed.wallMs < 20),
  ];
}
