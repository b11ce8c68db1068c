// Runs a script on the embedded server and sets it beside what a real server says.
import { join } from "node:path";
import { findKubeAssets } from "../support/real-api-server.ts";
import { readScript, runScript } from "./command-script.ts";
import { hasControllerManager } from "./controller-manager.ts";
import { startEndpoint } from "./endpoint.ts";
import { readClientVersion, readRecording } from "./recordings.ts";
import { startReferenceServer } from "./reference-server.ts";
import { formatExchange, splitTranscript } from "./transcript.ts";

/** Where the texts of the real server come from; undefined when the script cannot run here. */
export interface ComparisonPlan {
  readonly script: string;
  readonly commands: readonly string[];
  /** Transcript of a real server; absent: one is started. */
  readonly recording: string | undefined;
  /** Folders of clients and servers that come before the path. */
  readonly path: readonly string[];
}

/** A plan, or undefined with the reason printed. */
export function planComparison(script: string): ComparisonPlan | undefined {
  const assets = process.env["KUBEBUILDER_ASSETS"];
  const path = assets === undefined ? [] : [assets];
  // Scripts of other clients look at what these did with kubectl.
  const missing = [script, "kubectl"].find((program) => readClientVersion(program, path) === undefined);
  if (missing !== undefined) {
    console.warn(`skipped: ${missing} is neither on the path nor in $KUBEBUILDER_ASSETS`);
    return undefined;
  }
  const version = readClientVersion(script, path) ?? "";
  const recording = readRecording(script, version);
  if (recording === undefined && !hasControllerManager(findKubeAssets())) {
    console.warn(`skipped: there is no recording of a real server for ${script} ${version}, and no real server to ask`);
    return undefined;
  }
  return { script, commands: readScript(join(import.meta.dirname, "testdata", script)), recording, path };
}

export interface Compared {
  readonly real: string;
  readonly embedded: string;
}

/** Both blocks of every command, by its place in the script. */
export async function compare(plan: ComparisonPlan): Promise<Compared[]> {
  const folder = join(import.meta.dirname, "testdata", plan.script);
  const { path } = plan;
  const endpoint = await startEndpoint();
  let embedded: string[];
  try {
    embedded = (await runScript({ folder, kubeconfig: endpoint.kubeconfig, path })).map(formatExchange);
  } finally {
    await endpoint.close();
  }
  const real = plan.recording ?? (await recordLive(folder, path));
  const blocks = splitTranscript(real);
  return plan.commands.map((command, index) => {
    const block = blocks[index];
    if (block?.command !== command)
      throw new Error(`the recording has not "${command}" as command ${index + 1}: record again`);
    return { real: block.block, embedded: embedded[index] ?? "" };
  });
}

async function recordLive(folder: string, path: readonly string[]): Promise<string> {
  const reference = await startReferenceServer(findKubeAssets() ?? "");
  try {
    return (await runScript({ folder, kubeconfig: reference.kubeconfig, path })).map(formatExchange).join("\n");
  } finally {
    await reference.close();
  }
}
