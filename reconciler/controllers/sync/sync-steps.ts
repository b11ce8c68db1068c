// In which order a Sync does its work: phases, waves within a phase, and stages within a wave.
import { type KubeObject, parseApiVersion } from "../../../kube/object.ts";
import { bestSelectorMatch } from "../../policies/resource-selector.ts";
import { type Phase, readSyncWishes, type SyncWishes } from "./sync-wishes.ts";

/** Objects of one stage are applied together; a stage begins when the one before is done. */
export type Stage = "definitions" | "namespaces" | "interpreters" | "overrides" | "policies" | "rbac" | "objects";

const STAGES: readonly Stage[] = [
  "definitions",
  "namespaces",
  "interpreters",
  "overrides",
  "policies",
  "rbac",
  "objects",
];

const RBAC_KINDS: ReadonlySet<string> = new Set(["Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"]);

/**
 * Policies come before what they place, overrides before policies, and before all what says how many replicas a template
 * has, so that each is placed once and right at the first attempt. What gives rights comes before what needs them.
 */
function stageOf(object: KubeObject): Stage {
  const { group } = parseApiVersion(object.apiVersion);
  if (object.kind === "CustomResourceDefinition") return "definitions";
  if (object.kind === "Namespace" && group === "") return "namespaces";
  if (group === "config.karmada.io") return "interpreters";
  if (group === "policy.karmada.io") return object.kind.includes("Override") ? "overrides" : "policies";
  if (group === "rbac.authorization.k8s.io" && RBAC_KINDS.has(object.kind)) return "rbac";
  if (object.kind === "ServiceAccount" && group === "") return "rbac";
  return "objects";
}

/** Where an object's stage stands in their order. */
export function stageRank(object: KubeObject): number {
  return STAGES.indexOf(stageOf(object));
}

export interface StageObjects {
  readonly stage: Stage;
  readonly objects: readonly KubeObject[];
}

export function inStages(objects: readonly KubeObject[]): readonly StageObjects[] {
  const byStage = new Map<Stage, KubeObject[]>();
  for (const object of objects) {
    const stage = stageOf(object);
    const group = byStage.get(stage);
    if (group === undefined) byStage.set(stage, [object]);
    else group.push(object);
  }
  return STAGES.map((stage) => ({ stage, objects: byStage.get(stage) ?? [] })).filter(
    (group) => group.objects.length > 0,
  );
}

/** Phases in their order. What follows a failure, and what comes with the Sync's end, are no part of an attempt. */
const ORDER: readonly Phase[] = ["PreSync", "Sync", "PostSync", "SyncFail", "PreDelete", "PostDelete"];
/** Of those, what an attempt has. */
const ATTEMPT: ReadonlySet<Phase> = new Set(["PreSync", "Sync", "PostSync"]);

/** What is applied at once: all of it must be up before the next step begins. */
export interface SyncStep {
  readonly phase: Phase;
  readonly wave: number;
  /** Ordinary objects, which are kept and pruned. */
  readonly objects: readonly KubeObject[];
  /** Hooks, which run once an attempt. */
  readonly hooks: readonly KubeObject[];
}

export interface SyncPlan {
  readonly steps: readonly SyncStep[];
  /** After a failure. */
  readonly onFailure: readonly SyncStep[];
  /** When the Sync is deleted: before its objects go, and after. */
  readonly onDeletion: readonly SyncStep[];
  /** Ordinary objects that are applied, in the order of the source. */
  readonly objects: readonly KubeObject[];
  /** Objects of the source that are left alone, applied or not. */
  readonly skipped: readonly KubeObject[];
  readonly hooks: readonly KubeObject[];
  /** What was written on objects and means nothing. */
  readonly problems: readonly { readonly object: KubeObject; readonly words: string }[];
}

export interface PlanOptions {
  /** Whether a rendered policy or override is meant for a rendered hook, and not there yet. */
  readonly isNeededBy?: (policy: KubeObject, hook: KubeObject) => boolean;
}

interface Placed {
  readonly object: KubeObject;
  readonly wishes: SyncWishes;
  phase: Phase;
  wave: number;
}

/**
 * The steps of one attempt. As Argo CD: phase, then wave; Namespaces and definitions come no later than the first object
 * that needs them. Ours in addition: so do policies without which a hook could run nowhere.
 */
export function planSteps(objects: readonly KubeObject[], options: PlanOptions = {}): SyncPlan {
  const problems: { readonly object: KubeObject; readonly words: string }[] = [];
  const ordinary: Placed[] = [];
  const hooks: Placed[] = [];
  const skipped: KubeObject[] = [];
  const everyHook: KubeObject[] = [];
  for (const object of objects) {
    const wishes = readSyncWishes(object);
    for (const words of wishes.problems) problems.push({ object, words });
    if (wishes.isSkipped) skipped.push(object);
    else if (wishes.hook === undefined) ordinary.push({ object, wishes, phase: "Sync", wave: wishes.wave });
    else {
      everyHook.push(object);
      for (const phase of wishes.hook) hooks.push({ object, wishes, phase, wave: wishes.wave });
    }
  }
  bringForward(ordinary, hooks, options);
  const all = [...ordinary, ...hooks];
  return {
    steps: stepsOf(all.filter(({ phase }) => ATTEMPT.has(phase))),
    onFailure: stepsOf(all.filter(({ phase }) => phase === "SyncFail")),
    onDeletion: stepsOf(all.filter(({ phase }) => phase === "PreDelete" || phase === "PostDelete")),
    objects: ordinary.map(({ object }) => object),
    skipped,
    hooks: everyHook,
    problems,
  };
}

function stepsOf(placed: readonly Placed[]): readonly SyncStep[] {
  const steps = new Map<string, { phase: Phase; wave: number; objects: KubeObject[]; hooks: KubeObject[] }>();
  for (const { object, wishes, phase, wave } of placed) {
    const key = `${phase} ${wave}`;
    const step = steps.get(key) ?? { phase, wave, objects: [], hooks: [] };
    steps.set(key, step);
    (wishes.hook === undefined ? step.objects : step.hooks).push(object);
  }
  return [...steps.values()].sort(compareSteps);
}

interface Turn {
  readonly phase: Phase;
  readonly wave: number;
}

function compareSteps(a: Turn, b: Turn): number {
  return ORDER.indexOf(a.phase) - ORDER.indexOf(b.phase) || a.wave - b.wave;
}

function bringForward(ordinary: readonly Placed[], hooks: readonly Placed[], options: PlanOptions): void {
  const users = [...ordinary, ...hooks.filter(({ phase }) => ATTEMPT.has(phase))];
  const firstIn = new Map<string, Turn>();
  const firstOf = new Map<string, Turn>();
  for (const user of users) {
    const { apiVersion, kind, metadata } = user.object;
    noteFirst(firstOf, `${parseApiVersion(apiVersion).group}/${kind}`, user);
    if (metadata.namespace !== undefined) noteFirst(firstIn, metadata.namespace, user);
  }
  for (const one of ordinary) {
    const stage = stageOf(one.object);
    if (stage === "definitions") moveTo(one, firstOf.get(definedKind(one.object)));
    if ((stage === "policies" || stage === "overrides") && options.isNeededBy !== undefined) {
      for (const hook of hooks) {
        if (!ATTEMPT.has(hook.phase) || !options.isNeededBy(one.object, hook.object)) continue;
        moveTo(one, hook);
        if (one.object.metadata.namespace !== undefined) noteFirst(firstIn, one.object.metadata.namespace, one);
      }
    }
  }
  // Last, because policies that came forward need their namespace, too.
  for (const one of ordinary)
    if (stageOf(one.object) === "namespaces") moveTo(one, firstIn.get(one.object.metadata.name ?? ""));
}

/** Whether a policy or override is about an object. */
export function isMeantFor(policy: KubeObject, object: KubeObject): boolean {
  const stage = stageOf(policy);
  if (stage !== "policies" && stage !== "overrides") return false;
  if (policy.metadata.namespace !== undefined && policy.metadata.namespace !== object.metadata.namespace) return false;
  const spec = policy["spec"] as { resourceSelectors?: Parameters<typeof bestSelectorMatch>[1] } | undefined;
  // Checked against its schema before this; an override without selectors means every object.
  const selectors = spec?.resourceSelectors ?? [];
  return selectors.length === 0 ? stage === "overrides" : bestSelectorMatch(object, selectors) > 0;
}

function noteFirst(turns: Map<string, Turn>, key: string, { phase, wave }: Turn): void {
  const known = turns.get(key);
  if (known === undefined || compareSteps({ phase, wave }, known) < 0) turns.set(key, { phase, wave });
}

function moveTo(placed: Placed, turn: Turn | undefined): void {
  if (turn === undefined || compareSteps(turn, placed) >= 0) return;
  placed.phase = turn.phase;
  placed.wave = turn.wave;
}

/** Whether an object is the definition of another's kind. */
export function defines(definition: KubeObject, object: KubeObject): boolean {
  if (stageOf(definition) !== "definitions") return false;
  return definedKind(definition) === `${parseApiVersion(object.apiVersion).group}/${object.kind}`;
}

function definedKind(definition: KubeObject): string {
  const spec = definition["spec"] as { group?: string; names?: { kind?: string } } | undefined;
  return `${spec?.group ?? ""}/${spec?.names?.kind ?? ""}`;
}
