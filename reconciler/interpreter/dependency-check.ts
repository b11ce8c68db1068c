// Whatever level named the dependencies, each must say clearly which object it means.

import { type KubeObject, refOf } from "../../kube/object.ts";
import { type LabelSelector, requirementsOf } from "../../kube/selectors.ts";
import { messageOf } from "../../runtime/errors.ts";
import { interpreterFailed } from "./errors.ts";
import type { Dependency } from "./interpreter.ts";

/** Gives back `dependencies`. Throws `interpreter-failed` when one lacks its kind, or both name and label selector. */
export function checkDependencies(object: KubeObject, dependencies: readonly Dependency[]): readonly Dependency[] {
  for (const [index, dependency] of dependencies.entries()) {
    const problem = problemOf(dependency);
    if (problem !== undefined) {
      throw interpreterFailed("InterpretDependency", refOf(object), `dependencies[${index}]: ${problem}`);
    }
  }
  return dependencies;
}

function problemOf(dependency: Dependency): string | undefined {
  if (!dependency.apiVersion) return "apiVersion is missing";
  if (!dependency.kind) return "kind is missing";
  if (!dependency.name && dependency.labelSelector === undefined) {
    return `the ${dependency.kind} has neither name nor labelSelector`;
  }
  return dependency.labelSelector === undefined ? undefined : selectorProblem(dependency.labelSelector);
}

function selectorProblem(selector: LabelSelector): string | undefined {
  try {
    requirementsOf(selector);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
