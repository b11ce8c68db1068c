// npm run differential -- karmada [--op NAME] [--cases N] [--seed S] [--show N] [--whole] [--record FOLDER [--take N]]
// npm run differential -- karmada --case ID [--record FOLDER]
//
// Asks the real Karmada (../karmada-oracle/build makes the program) and us the same random questions, and prints where we
// answer otherwise, as small as the difference gets. --record adds the differences found, or with --take N that many cases
// of every kind, to vectors in FOLDER.
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { messageOf } from "../../../../runtime/errors.ts";
import { compareOperation } from "./comparison.ts";
import { minimise } from "./minimise.ts";
import { type Operation, type Question, type Recorded, record } from "./operation.ts";
import { OPERATIONS } from "./operations.ts";
import { findOracle, Oracle } from "./oracle.ts";
import { VectorWriter } from "./vector-writer.ts";

const SHRINKING_TRIES = 1500;

interface Tally {
  passed: number;
  failed: number;
  understood: number;
  skipped: number;
}

function usage(problem: string): never {
  process.stderr.write(
    `${problem}\nusage: npm run differential -- karmada [--op NAME] [--cases N] [--seed S] [--show N] [--whole] [--record FOLDER [--take N]]\n` +
      `operations: ${Object.keys(OPERATIONS).join(", ")}\n`,
  );
  process.exit(2);
}

/** Runs the command line after the word `karmada`. */
export async function runKarmada(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      op: { type: "string" },
      cases: { type: "string", default: "1000" },
      seed: { type: "string", default: "1" },
      show: { type: "string", default: "10" },
      whole: { type: "boolean", default: false },
      record: { type: "string" },
      take: { type: "string", default: "0" },
      case: { type: "string" },
    },
  });
  const wanted = values.case === undefined ? undefined : readCaseId(values.case);
  const op = wanted?.op ?? values.op;
  const names = Object.keys(OPERATIONS).filter((name) => op === undefined || name === op);
  if (names.length === 0) usage(`there is no operation ${op}`);
  const path = findOracle();
  if (path === undefined || !existsSync(path)) {
    process.stdout.write(
      "skipped: no Karmada to ask; test/conformance/differential/karmada-oracle/build makes it (needs Go)\n",
    );
    return;
  }
  const oracle = new Oracle(path);
  const tally: Tally = { passed: 0, failed: 0, understood: 0, skipped: 0 };
  const run = {
    oracle,
    tally,
    seed: wanted?.seed ?? Number(values.seed),
    wanted,
    cases: Math.ceil(Number(wanted === undefined ? values.cases : 1000) / names.length),
    show: Number(values.show),
    whole: values.whole,
    take: Number(values.take),
    writer: values.record === undefined ? undefined : new VectorWriter(values.record),
  };
  for (const name of names) await compare(name, OPERATIONS[name] as Operation<unknown>, run);
  oracle.close();
  run.writer?.close();
  if (tally.understood > 0) process.stdout.write(`${tally.understood} differ for a known reason\n`);
  if (tally.skipped > 0) process.stdout.write(`${tally.skipped} could not be asked\n`);
  process.stdout.write(`${tally.passed} passed, ${tally.failed} failed\n`);
  process.exitCode = tally.failed > 0 ? 1 : 0;
}

interface CaseId {
  readonly id: string;
  readonly op: string;
  readonly seed: number;
  readonly batch: number;
}

function readCaseId(id: string): CaseId {
  const match = /^(.+)-(\d+)-(\d+)-(\d+)$/.exec(id);
  if (match === null) usage(`${id} is no case`);
  const [, op = "", seed, batch] = match;
  return { id, op, seed: Number(seed), batch: Number(batch) };
}

interface Run {
  /** The one case to play. */
  readonly wanted: CaseId | undefined;
  readonly oracle: Oracle;
  readonly tally: Tally;
  readonly seed: number;
  readonly cases: number;
  readonly show: number;
  readonly whole: boolean;
  readonly take: number;
  readonly writer: VectorWriter | undefined;
}

async function compare(name: string, operation: Operation<unknown>, run: Run): Promise<void> {
  const { tally, wanted } = run;
  const whys = new Map<string, number>();
  let shown = 0;
  const options = { seed: run.seed, cases: run.cases, firstBatch: wanted?.batch ?? 0 };
  for await (const { id, question, outcome } of compareOperation(run.oracle, name, operation, options)) {
    if (wanted !== undefined && id !== wanted.id) continue;
    tally[outcome.kind]++;
    if (outcome.kind === "skipped" || outcome.kind === "understood") {
      whys.set(outcome.why, (whys.get(outcome.why) ?? 0) + 1);
    } else if (outcome.kind === "failed") {
      if (shown++ < run.show) await show(operation, question, outcome.recorded, run);
    } else if (wanted === undefined) run.writer?.offer(operation, question, outcome.recorded, run.take);
    else run.writer?.add(operation, question, outcome.recorded);
    if (wanted !== undefined) break;
  }
  for (const [why, times] of [...whys].slice(0, 20)) process.stdout.write(`${name}: ${times} × ${why}\n`);
}

/** The field at which two answers part, so that shrinking does not wander off to another difference. */
function sortOf(details: string | undefined): string {
  return /^\w+/.exec(details ?? "")?.[0] ?? "";
}

async function show(
  operation: Operation<unknown>,
  question: Question<unknown>,
  recorded: Recorded<unknown>,
  run: Run,
): Promise<void> {
  let least = question;
  let judged = recorded;
  if (!run.whole) {
    const sort = sortOf(operation.judge(recorded, question.clusters ?? []).details);
    least = await minimise(
      question,
      async (candidate) => {
        try {
          const clusters = candidate.clusters ?? [];
          if (candidate.input === undefined || (candidate.clusters === undefined) !== (question.clusters === undefined))
            return false;
          if (operation.isSensible?.(candidate.input, clusters) === false) return false;
          const again = await record(run.oracle, operation.op, candidate, recorded.id);
          if (typeof again === "string") return false;
          const result = operation.judge(again, clusters);
          if (result.passed || sortOf(result.details) !== sort) return false;
          if (operation.understood?.(again, clusters) !== undefined) return false;
          judged = again;
          return true;
        } catch {
          // What is left has no shape that one could ask about.
          return false;
        }
      },
      SHRINKING_TRIES,
    );
  }
  let details: string;
  try {
    details = operation.judge(judged, least.clusters ?? []).details ?? "";
  } catch (error) {
    details = messageOf(error);
  }
  process.stdout.write(
    `DIFFERENT ${recorded.id}\n  ${JSON.stringify(least)}\n${details.trim().replace(/^/gm, "  ")}\n`,
  );
  run.writer?.add(operation, least, judged);
}
