// The program of the process that makes one plan. See `sandbox-process.ts` for what it may do.
import { flushCompileCache } from "node:module";
import { Socket } from "node:net";
import type { KubeClient } from "../../../kube/client/kube-client.ts";
import { RenderCache } from "../../../renderers/kustomize/render-cache.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { AppError } from "../../../runtime/errors.ts";
import { openCompared } from "../../../sources/git/open-compared.ts";
import { compareLiveCopies } from "../../cli/live-copies.ts";
import { originFinderAt } from "../../cli/origins.ts";
import { planTrees } from "../../plan/plan-trees.ts";
import { WorldInterpreters } from "../../plan/world-interpreters.ts";
import { encodeFrame, FrameReader } from "./frames.ts";
import { withoutLiveValues } from "./hide-live.ts";
import { errorHeader, readParentMessage, type StartMessage } from "./messages.ts";
import { ParentApi } from "./parent-api.ts";
import type { SandboxedPlan } from "./plan-job.ts";
import { partsOf, restOf } from "./report-parts.ts";
import { SANDBOX_FD } from "./sandbox-process.ts";

/** Whoever answers keeps to bounds of its own. */
const MOST_ANSWER_BYTES = 256 * 1024 * 1024;

const NOT_ASKED = "webhooks are not asked about pull requests";

const connection = new Socket({ fd: SANDBOX_FD, readable: true, writable: true });
const api = new ParentApi(connection);
const reader = new FrameReader(MOST_ANSWER_BYTES);
connection.on("data", (chunk: Uint8Array) => {
  for (const frame of reader.push(chunk)) {
    const message = readParentMessage(frame);
    if (message.type === "plan") void run(message);
    else if (message.type === "fill") keepCode();
    else api.take(frame);
  }
});
// Nobody is there any more who would read a plan.
connection.on("close", () => process.exit(0));

async function run(start: StartMessage): Promise<void> {
  try {
    const { report, syncs } = await plan(api.client(), start);
    const shown = start.job.hideLive ? withoutLiveValues(report) : report;
    for (const { list, text } of partsOf(shown)) tell({ type: "part", list }, Buffer.from(text));
    tell({ type: "result" }, Buffer.from(JSON.stringify({ report: restOf(shown), syncs })));
  } catch (error) {
    if (error instanceof AppError) tell({ type: "error", ...errorHeader(error) });
    else tell({ type: "bug", stack: placesOf(error) });
  }
}

/** Code is written when the process ends of itself, and it is ended. */
function keepCode(): void {
  flushCompileCache();
  tell({ type: "result" });
}

function tell(header: Record<string, unknown>, payload?: Uint8Array): void {
  for (const part of encodeFrame(header, payload)) connection.write(part);
}

async function plan(client: KubeClient, { job, version }: StartMessage): Promise<SandboxedPlan> {
  const signal = new AbortController().signal;
  const compared = openCompared(job.directory, job);
  const interpreters = new WorldInterpreters(job.compatibility, undefined, NOT_ASKED);
  try {
    const trees = {
      head: compared.head,
      base: compared.base,
      commit: job.head,
      path: job.path,
      basePath: job.path,
      isPair: false,
      remotes: [job.repository],
      changedPaths: () => compared.changedPaths(),
    };
    return await planTrees(client, {
      trees,
      target: { repository: job.repository, branch: job.branch },
      rendering: { remotes: undefined, signal, cache: new RenderCache() },
      subject: { ...job.subject, path: job.path, fleet: { from: "live" } },
      interpretations: interpreters,
      originOf: await originFinderAt(client, (commit) => (commit === job.base ? compared.base : undefined)),
      compareCopies: job.drift
        ? (clusters, wants, world, objects) =>
            compareLiveCopies(client, clusters, {
              interpretation: interpreters.of(world.interpretation),
              wants,
              objects,
              signal,
            })
        : undefined,
      clock: systemClock,
      version,
      signal,
    });
  } finally {
    compared.close();
  }
}

/** Where something went wrong. What went wrong may quote what was read. */
function placesOf(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  const places = stack.split("\n").filter((line) => /^ {4}at /.test(line));
  return [error instanceof Error ? error.name : typeof error, ...places].join("\n");
}
