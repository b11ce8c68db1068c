// Takes objects of kinds that no kubelet looks after through the stages of a scenario.
import { parseApiVersion } from "../../../../kube/object.ts";
import { type Controller, splitKey, watchSelf } from "../../kernel/controller.ts";
import type { Stage } from "./stage.ts";
import { StageRunner } from "./stage-runner.ts";

/** A controller for each kind of the stages, but Pods and Nodes. */
export function stageControllers(stages: readonly Stage[]): Controller[] {
  const resources = new Map<string, Stage[]>();
  for (const stage of stages) {
    if (isOfKubelet(stage)) continue;
    const resource = resourceOf(stage);
    resources.set(resource, [...(resources.get(resource) ?? []), stage]);
  }
  return [...resources].map(([resource, own]) => stageController(resource, own));
}

/** Whether a stage leaves its objects to the kubelet. */
export function isOfKubelet({ resourceRef: { apiGroup, kind } }: Stage): boolean {
  return apiGroup === "v1" && (kind === "Pod" || kind === "Node");
}

function stageController(resource: string, stages: readonly Stage[]): Controller {
  const runner = new StageRunner(stages);
  return {
    name: `stages:${resource}`,
    manager: "stages",
    watches: [watchSelf(resource)],
    *reconcile(key, world) {
      const { namespace, name } = splitKey(key);
      const object = world.state.get(resource, namespace, name);
      if (object === undefined) {
        runner.forget(key);
        return undefined;
      }
      const turn = yield* runner.step(key, object, world);
      if (turn.do === "kubelet" || turn.atMs === undefined) return undefined;
      return { afterMs: Math.max(0, turn.atMs - world.now()) };
    },
  };
}

/** The storage key of a kind, by the rule that nearly all kinds follow. */
function resourceOf({ resourceRef: { apiGroup, kind } }: Stage): string {
  const { group } = parseApiVersion(apiGroup);
  const word = kind.toLowerCase();
  const plural = /(s|x|ch|sh)$/.test(word)
    ? `${word}es`
    : /[^aeiou]y$/.test(word)
      ? `${word.slice(0, -1)}ies`
      : `${word}s`;
  return group === "" ? plural : `${group}/${plural}`;
}
