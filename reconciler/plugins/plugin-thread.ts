// The thread of one plugin: loads its module and asks it about clusters.
import { pathToFileURL } from "node:url";
import { parentPort, workerData } from "node:worker_threads";
import {
  PLUGIN_API_VERSION,
  type PluginCluster,
  type PluginRequest,
  type SchedulerPlugin,
} from "../scheduler/plugin.ts";
import {
  CALLS,
  PLACE_OF_CALL,
  PLACE_OF_CLUSTER,
  PLACE_OF_COUNT,
  type PluginAnswer,
  type PluginCall,
  type PluginQuestion,
  type PluginReady,
  type PluginReply,
  type PluginThreadData,
} from "./plugin-messages.ts";

const LONGEST_TEXT = 300;

/** A call of the plugin went wrong. */
class CallFailure extends Error {
  readonly call: PluginCall;

  constructor(call: PluginCall, problem: string) {
    super(problem);
    this.call = call;
  }
}

// Given by the host.
const { path, progress } = workerData as PluginThreadData;
const counter = new Int32Array(progress);

async function load(): Promise<SchedulerPlugin | string> {
  let module: Readonly<Record<string, unknown>>;
  try {
    module = (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    return `cannot be loaded: ${describeError(error)}`;
  }
  const { apiVersion, filter, score } = module;
  if (apiVersion !== PLUGIN_API_VERSION) {
    const has = apiVersion === undefined ? "exports no apiVersion" : `is for apiVersion ${String(apiVersion)}`;
    return `${has}; this program takes ${PLUGIN_API_VERSION}`;
  }
  for (const [name, value] of Object.entries({ filter, score })) {
    if (value !== undefined && typeof value !== "function")
      return `exports ${name} as ${typeof value}, not as a function`;
  }
  if (filter === undefined && score === undefined) return "exports neither filter nor score";
  // Looked at above, as far as can be.
  return module as unknown as SchedulerPlugin;
}

async function askAbout(
  plugin: SchedulerPlugin,
  cluster: PluginCluster,
  request: PluginRequest,
): Promise<PluginAnswer> {
  if (plugin.filter !== undefined) {
    const refusal = await callFilter(plugin.filter, cluster, request);
    if (refusal !== undefined) return { refusal };
  }
  return plugin.score === undefined ? {} : { score: await callScore(plugin.score, cluster, request) };
}

async function callFilter(
  filter: NonNullable<SchedulerPlugin["filter"]>,
  cluster: PluginCluster,
  request: PluginRequest,
): Promise<string | undefined> {
  const answer: unknown = await call("filter", () => filter(cluster, request));
  if (answer === undefined || answer === true) return undefined;
  if (answer === false) return "does not fit";
  if (typeof answer === "string") return shorten(answer === "" ? "does not fit" : answer);
  throw new CallFailure("filter", `answered ${describeValue(answer)}, not true, false or a text`);
}

async function callScore(
  score: NonNullable<SchedulerPlugin["score"]>,
  cluster: PluginCluster,
  request: PluginRequest,
): Promise<number> {
  const answer: unknown = await call("score", () => score(cluster, request));
  if (typeof answer === "number" && answer >= 0 && answer <= 100) return answer;
  throw new CallFailure("score", `answered ${describeValue(answer)}, not a number from 0 to 100`);
}

async function call(name: PluginCall, run: () => unknown): Promise<unknown> {
  Atomics.store(counter, PLACE_OF_CALL, CALLS.indexOf(name));
  Atomics.add(counter, PLACE_OF_COUNT, 1);
  try {
    return await run();
  } catch (error) {
    throw new CallFailure(name, `threw ${describeError(error)}`);
  }
}

function describeValue(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(shorten(value));
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

function describeError(error: unknown): string {
  return shorten(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
}

function shorten(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length <= LONGEST_TEXT ? line : `${line.slice(0, LONGEST_TEXT)}...`;
}

async function reply(plugin: SchedulerPlugin, { clusters, request }: PluginQuestion): Promise<PluginReply> {
  const answers: PluginAnswer[] = [];
  for (const [index, cluster] of clusters.entries()) {
    Atomics.store(counter, PLACE_OF_CLUSTER, index);
    try {
      answers.push(await askAbout(plugin, cluster, request));
    } catch (error) {
      if (!(error instanceof CallFailure)) throw error;
      return { type: "failed", cluster: cluster.name, call: error.call, problem: error.message };
    }
  }
  return { type: "answers", answers };
}

const plugin = await load();
const ready: PluginReady =
  typeof plugin === "string"
    ? { type: "unusable", reason: plugin }
    : { type: "ready", filters: plugin.filter !== undefined, scores: plugin.score !== undefined };
if (typeof plugin !== "string") {
  parentPort?.on("message", (question: PluginQuestion) => {
    void reply(plugin, question).then((answer) => parentPort?.postMessage(answer));
  });
}
parentPort?.postMessage(ready);
