// What an object whose changes go in waves needs, and takes along in its waves.
import type { Work } from "../../../api/work.ts";
import { gvkOf, type KubeObject, refKey, refOf } from "../../../kube/object.ts";
import { AppError } from "../../../runtime/errors.ts";
import type { Dependency } from "../../interpreter/interpreter.ts";
import type { OverridePolicySource } from "../../overrides/override-policies.ts";
import { copyState } from "../../rollout/copy-state.ts";
import type { CopyState } from "../../rollout/decide-rollout.ts";
import { goesWith, type Needs } from "../../rollout/needs.ts";
import { type Revision, revisionOf, withoutControls } from "../../rollout/revision.ts";
import { REVISION_ANNOTATION } from "../../rollout/rollout-state.ts";
import type { AnyBinding } from "../../works/binding.ts";
import { dependsOn } from "../../works/dependencies.ts";
import { bindingName, executionNamespace, workName } from "../../works/naming.ts";
import { WORK_API_VERSION } from "../../works/work.ts";
import type { ControllerContext } from "../context.ts";
import type { Asking, Interpretation } from "../interpretation/interpretation.ts";
import type { TemplateWatch } from "../templates/template-watch.ts";

/** One object that goes along. */
export interface NeededObject {
  readonly key: string;
  readonly object: KubeObject;
  readonly revision: Revision;
}

export interface NeedsDeps {
  readonly context: ControllerContext;
  readonly templates: TemplateWatch;
  readonly interpretation: Interpretation;
}

const NOT_LOADED_MS = 200;

/** What `template` needs and takes along, as it is now. Waits while it is not known what there is. */
export async function neededObjects(
  { templates, interpretation }: NeedsDeps,
  binding: AnyBinding,
  { template, overridePolicies }: { readonly template: KubeObject; readonly overridePolicies: OverridePolicySource },
  asking: Asking,
): Promise<readonly NeededObject[]> {
  if (!interpretation.hookEnabled(gvkOf(template), "InterpretDependency")) return [];
  const dependencies = await interpretation.decide((interpreter) => interpreter.getDependencies(template), asking);
  if (!dependencies.every(({ apiVersion, kind }) => templates.isLoaded(apiVersion, kind)))
    throw new AppError("needs-not-loaded", "what the object needs is being read", {
      recovery: "wait",
      afterMs: NOT_LOADED_MS,
    });
  const found = new Map<string, KubeObject>();
  for (const object of dependencies.flatMap((dependency) => findNeeded(templates, dependency)))
    if (
      object.metadata.deletionTimestamp === undefined &&
      goesWith(template, object, binding.spec.propagateDeps === true)
    )
      found.set(refKey(refOf(object)), withoutControls(object));
  return interpretation.decide(
    (interpreter) =>
      [...found].map(([key, object]) => ({ key, object, revision: revisionOf(object, overridePolicies, interpreter) })),
    asking,
  );
}

function findNeeded(templates: TemplateWatch, dependency: Dependency): KubeObject[] {
  const { apiVersion, kind, namespace, name } = dependency;
  if (name === undefined || name === "")
    return [...templates.ofKind(apiVersion, kind)].filter((object) => dependsOn(dependency, object));
  const object = templates.find(apiVersion, kind, namespace, name);
  return object === undefined ? [] : [object];
}

export function needsOf(needed: readonly NeededObject[]): Needs {
  return Object.fromEntries(needed.map(({ key, revision }) => [key, revision.name]).sort());
}

/** Keys of the bindings of what goes along. */
export function bindingKeysOf(needed: readonly NeededObject[]): string[] {
  return needed.map(({ object: { kind, metadata } }) => {
    const { namespace = "", name = "" } = metadata;
    return `${namespace === "" ? "ClusterResourceBinding" : "ResourceBinding"}/${namespace}/${bindingName(kind, name)}`;
  });
}

/** What a cluster shows of those revisions of what an object needs that `needs` names. */
export function needStates(
  { context }: Pick<NeedsDeps, "context">,
  cluster: string,
  needed: readonly NeededObject[],
  needs: Needs | undefined,
): { readonly copy: CopyState; readonly message?: string | undefined }[] {
  return needed.flatMap(({ key, object, revision }) => {
    const wanted = needs?.[key];
    const work = workOf(context, cluster, object);
    // Others that need it may have brought it further.
    const isOther = wanted !== revision.name && work?.metadata.annotations?.[REVISION_ANNOTATION] !== wanted;
    if (wanted === undefined || isOther) return [];
    const { copy, message } = copyState(work, wanted);
    const { kind, metadata } = object;
    return [{ copy, message: `${kind} ${metadata.name}: ${message ?? "it was not sent yet"}` }];
  });
}

function workOf(context: ControllerContext, cluster: string, { kind, metadata }: KubeObject): Work | undefined {
  const { namespace = "", name = "" } = metadata;
  return context.informers
    .of<Work>(WORK_API_VERSION, "Work")
    .get(executionNamespace(cluster), workName(kind, name, namespace));
}
