// What earlier revisions of an object need, while clusters have them or may return to them.
import { gvkOf, type KubeObject } from "../../../kube/object.ts";
import type { Dependency } from "../../interpreter/interpreter.ts";
import { templateOfRevision } from "../../rollout/revision.ts";
import { parseRolloutState, ROLLOUT_ANNOTATION } from "../../rollout/rollout-state.ts";
import type { AnyBinding } from "../../works/binding.ts";
import type { ControllerContext } from "../context.ts";
import type { Asking, Interpretation } from "../interpretation/interpretation.ts";
import { findBinding } from "../scheduling/binding-key.ts";
import type { TemplateWatch } from "../templates/template-watch.ts";
import type { RevisionStore } from "./revision-store.ts";

export interface HeldDependenciesDeps {
  readonly interpretation: Interpretation;
  readonly revisions: RevisionStore;
}

/** Dependencies of every revision that the record of the rollout names; none for a binding without one. */
export async function heldDependencies(
  { interpretation, revisions }: HeldDependenciesDeps,
  binding: AnyBinding,
  template: KubeObject,
  asking: Asking,
): Promise<readonly Dependency[]> {
  const state = parseRolloutState(binding.metadata.annotations?.[ROLLOUT_ANNOTATION]);
  if (state === undefined || binding.spec.propagateDeps !== true) return [];
  const names = new Set(Object.values(state.clusters).map((record) => record.revision));
  if (state.stable !== undefined) names.add(state.stable);
  const found: Dependency[] = [];
  for (const name of names) {
    const content = await revisions.load(binding, name);
    if (content === undefined) continue;
    const needed = await interpretation.decide(
      (interpreter) => interpreter.getDependencies(templateOfRevision(content, template, interpreter)),
      asking,
    );
    found.push(...needed);
  }
  return found;
}

/** The dependencies of both lists, each once, those of the first list first. */
export function unionOfDependencies(a: readonly Dependency[], b: readonly Dependency[]): readonly Dependency[] {
  const byKey = new Map<string, Dependency>();
  for (const each of [...a, ...b]) if (!byKey.has(keyOf(each))) byKey.set(keyOf(each), each);
  return byKey.size === a.length ? a : [...byKey.values()];
}

function keyOf({ apiVersion, kind, namespace, name, labelSelector }: Dependency): string {
  return JSON.stringify([apiVersion, kind, namespace ?? "", name ?? "", labelSelector ?? null]);
}

/**
 * Whether the object of a binding that is being deleted is still needed by an earlier revision of an object that it
 * follows: then the copies stay until the rollout is through. What the present revision needs goes when it is deleted.
 */
export async function isHeldByRollout(
  deps: HeldDependenciesDeps & { readonly context: ControllerContext; readonly templates: TemplateWatch },
  binding: AnyBinding,
  asking: Asking,
): Promise<boolean> {
  const { context, templates, interpretation } = deps;
  for (const { namespace = "", name } of binding.spec.requiredBy ?? []) {
    const referrer = findBinding(context, `ResourceBinding/${namespace}/${name}`);
    if (referrer === undefined || referrer.metadata.deletionTimestamp !== undefined) continue;
    if (referrer.metadata.annotations?.[ROLLOUT_ANNOTATION] === undefined) continue;
    const { resource } = referrer.spec;
    const template = templates.find(resource.apiVersion, resource.kind, resource.namespace, resource.name);
    if (template === undefined) {
      if (!templates.isLoaded(resource.apiVersion, resource.kind)) return true;
      continue;
    }
    if (!interpretation.hookEnabled(gvkOf(template), "InterpretDependency")) continue;
    const present = await interpretation.decide((interpreter) => interpreter.getDependencies(template), asking);
    if (present.some((each) => isAbout(each, binding))) continue;
    if ((await heldDependencies(deps, referrer, template, asking)).some((each) => isAbout(each, binding))) return true;
  }
  return false;
}

function isAbout({ kind, namespace = "", name }: Dependency, { spec: { resource } }: AnyBinding): boolean {
  return kind === resource.kind && namespace === (resource.namespace ?? "") && name === resource.name;
}
