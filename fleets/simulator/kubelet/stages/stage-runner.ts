// Takes objects from stage to stage.
import { compileJsonPath, type JsonPath, printValue } from "../../../../kube/jsonpath.ts";
import { isObject, type KubeObject } from "../../../../kube/object.ts";
import { rfc3339 } from "../../../../runtime/clock.ts";
import type { Random } from "../../../../runtime/random.ts";
import { perform, remove, type Steps, tell, writeStatus } from "../../kernel/action.ts";
import type { World } from "../../kernel/controller.ts";
import { allStages, type Stage, type StageNext } from "./stage.ts";
import { mergeStatus, renderTemplate } from "./stage-template.ts";

/** How long an object that its stage has left as it was stays at it, at least. */
const LEAST_REPETITION_MS = 1_000;

interface CompiledStage {
  readonly stage: Stage;
  readonly expressions: readonly {
    readonly path: JsonPath;
    readonly operator: string;
    readonly values: ReadonlySet<string>;
  }[];
}

/** Where an object is: among which stages, which of them was chosen, and when it goes on. */
interface Place {
  readonly uid: string;
  readonly among: string;
  readonly chosen: Stage | undefined;
  readonly dueMs: number;
}

/** What is next: nothing by stages, since the kubelet decides; or nothing before `atMs`, or before a change. */
export type StageTurn = { readonly do: "kubelet" } | { readonly do: "wait"; readonly atMs: number | undefined };

/** Finds the stage that an object is at, and what becomes of it when. */
export class StageRunner {
  readonly #stages: readonly CompiledStage[];
  readonly #places = new Map<string, Place>();

  /** `ofScenario` are added to the shipped stages, or replace them. */
  constructor(ofScenario: readonly Stage[]) {
    this.#stages = allStages(ofScenario).map((stage) => ({
      stage,
      expressions: (stage.selector.matchExpressions ?? []).map(({ key, operator, values = [] }) => ({
        path: compileJsonPath(key),
        operator,
        values: new Set(values),
      })),
    }));
  }

  /** The object is gone. */
  forget(key: string): void {
    this.#places.delete(key);
  }

  /** Does what is due of the object's stage. */
  *step(key: string, object: KubeObject, world: World): Steps<StageTurn> {
    const now = world.now();
    const place = this.#placeOf(key, object, world.random, now);
    const { chosen, dueMs } = place;
    if (chosen === undefined) return { do: "wait", atMs: undefined };
    if (chosen.next.kubelet !== undefined) return { do: "kubelet" };
    if (now < dueMs) return { do: "wait", atMs: dueMs };
    const again = now + Math.max(LEAST_REPETITION_MS, delayOf(chosen, world.random));
    this.#places.set(key, { ...place, dueMs: again });
    yield* advanceTo(chosen.next, object, now);
    return { do: "wait", atMs: again };
  }

  #placeOf(key: string, object: KubeObject, random: Random, nowMs: number): Place {
    const fitting = this.#stages.filter((each) => fits(each, object)).map(({ stage }) => stage);
    const among = fitting.map(({ name }) => name).join(" ");
    const uid = object.metadata.uid ?? "";
    const known = this.#places.get(key);
    if (known?.uid === uid && known.among === among) return known;
    const chosen = choose(fitting, random);
    const place = { uid, among, chosen, dueMs: nowMs + (chosen === undefined ? 0 : delayOf(chosen, random)) };
    this.#places.set(key, place);
    return place;
  }
}

function fits({ stage, expressions }: CompiledStage, object: KubeObject): boolean {
  const { resourceRef, selector } = stage;
  if (object.kind !== resourceRef.kind || object.apiVersion !== resourceRef.apiGroup) return false;
  const { labels = {}, annotations = {} } = object.metadata;
  if (Object.entries(selector.matchLabels ?? {}).some(([key, value]) => labels[key] !== value)) return false;
  if (Object.entries(selector.matchAnnotations ?? {}).some(([key, value]) => annotations[key] !== value)) return false;
  return expressions.every(({ path, operator, values }) => {
    const found = path.find(object).filter((value) => value !== undefined && value !== null);
    switch (operator) {
      case "Exists":
        return found.length > 0;
      case "DoesNotExist":
        return found.length === 0;
      case "In":
        return found.some((value) => values.has(printValue(value)));
      default:
        return !found.some((value) => values.has(printValue(value)));
    }
  });
}

/** By weight; the first where none has any. */
function choose(stages: readonly Stage[], random: Random): Stage | undefined {
  const total = stages.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) return stages[0];
  let left = random.next() * total;
  for (const stage of stages) {
    left -= stage.weight;
    if (left < 0) return stage;
  }
  return stages.findLast(({ weight }) => weight > 0);
}

function delayOf({ delay }: Stage, random: Random): number {
  if (delay === undefined) return 0;
  const { durationMs, jitterDurationMs = 0 } = delay;
  if (jitterDurationMs <= durationMs) return durationMs;
  return Math.round(durationMs + random.next() * (jitterDurationMs - durationMs));
}

function* advanceTo(next: StageNext, object: KubeObject, nowMs: number): Steps<void> {
  const now = rfc3339(nowMs);
  let present = object;
  if (next.event !== undefined) {
    const message = renderTemplate(next.event.message, object, now);
    yield* tell(object, next.event.type, next.event.reason, String(message));
  }
  if (next.finalizers !== undefined) {
    const finalizers = finalizersAfter(next.finalizers, object.metadata.finalizers ?? []);
    present = (yield* perform({ do: "patch", object, patch: { metadata: { finalizers } } })) ?? present;
  }
  if (next.statusPatch !== undefined) {
    const status = mergeStatus(present["status"], renderTemplate(next.statusPatch, object, now), now);
    if (isObject(status)) present = yield* writeStatus(present, status);
  }
  if (next.delete === true) yield* remove(present, 0);
}

function finalizersAfter(change: NonNullable<StageNext["finalizers"]>, present: readonly string[]): string[] {
  const removed = new Set((change.remove ?? []).map(({ value }) => value));
  const kept = change.empty === true ? [] : present.filter((each) => !removed.has(each));
  return [...new Set([...kept, ...(change.add ?? []).map(({ value }) => value)])];
}
