// Scripted sequences on workloads, as a real control plane with kwok's nodes went through them. The format of the vectors
// is in test/conformance/workloads/README.md. With `--server KUBECONFIG` the scripts are played there instead, on a
// cluster such as record makes.
import { messageOf } from "../../../runtime/errors.ts";
import { type CaseResult, isChosen, type Suite, type SuiteOptions } from "../suite.ts";
import { play } from "../workloads/play.ts";
import { openRealTarget } from "../workloads/real-target.ts";
import { recordingOf } from "../workloads/recording.ts";
import { openSimulatedTarget } from "../workloads/simulated-target.ts";
import type { WorkloadTarget } from "../workloads/target.ts";
import { differencesFrom, type Vector } from "../workloads/vector.ts";
import { readVectors } from "../workloads/vectors.ts";

async function* run(options: SuiteOptions): AsyncIterable<CaseResult> {
  for (const vector of readVectors(options.vectors)) {
    if (!isChosen(vector.id, options.only)) continue;
    const { server } = options;
    yield await playVector(vector, () => (server === undefined ? openSimulatedTarget() : openRealTarget(server)));
  }
}

async function playVector(vector: Vector, open: () => Promise<WorkloadTarget>): Promise<CaseResult> {
  const { id, script } = vector;
  const target = await open();
  try {
    const found = differencesFrom(vector, recordingOf(await play(script, target, id.replace("/", "-"))));
    return found.length === 0 ? { id, passed: true } : { id, passed: false, details: found.join("\n") };
  } catch (error) {
    return { id, passed: false, details: messageOf(error) };
  } finally {
    await target.close();
  }
}

export const suite: Suite = { run };
