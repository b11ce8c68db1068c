// One condition of each type for a whole fleet, so that whoever reads the template as a single object reads it right.

import type { AggregatedStatusItem } from "../../../../api/work.ts";
import type { KubeObject } from "../../../../kube/object.ts";
import { type Fields, optionalIntegerAt } from "../../field-access.ts";
import type { Report } from "./aggregation.ts";
import { conditionsOf, findCondition } from "./conditions.ts";
import { hasObserved } from "./kstatus.ts";
import { numberOr } from "./numbers.ts";

/** What one cluster reports. */
interface Speaker {
  readonly clusterName: string;
  readonly conditions: ReadonlyMap<string, Fields>;
  /** The copy is of this generation of the template. */
  readonly isOfTemplate: boolean;
  readonly generation: number;
  readonly observedGeneration: number | undefined;
}

/** What one cluster says of a type of condition; no condition when it says nothing. */
interface Voice {
  readonly speaker: Speaker;
  readonly status: string;
  readonly condition: Fields | undefined;
}

/** Types that are True when something is not as it should be, or not yet, and absent else. */
const ABNORMAL =
  /^Invalid|^Not[A-Z]|^Failed[A-Z]|(?:Failed|Failing|Failure|Error|Errors|Degraded|Outdated|Unavailable|Unhealthy|Unreachable|Exceeded|Expired|Denied|Blocked|Stuck|Pressure|Deleting|Terminating|Paused|Suspended|Remediating|Remediated|ScalingUp|ScalingDown|RollingOut|Issuing|Stalled|Reconciling|ErrorOccurred|RolloutProgressing)$/;

/** Types that pronounce on the whole object. */
const VERDICTS = ["Ready", "Available", "Healthy", "Synced", "Succeeded", "Accepted", "Programmed", "Established"];

/** How much of a status there may be: definitions allow 32768 characters, people read far fewer. */
const MAX_MESSAGE = 1024;
const MAX_NAMES = 5;

/**
 * The conditions of all clusters as those of one object. The worst status of each type wins: for most types False, then
 * Unknown, then True; for those that announce trouble the other way round. Reason, further fields and message are those
 * of the clusters that decided. A time changes only with the status it is the time of.
 *
 * Types in `decisive` are Unknown while any cluster does not report them: nobody takes silence for success. Of other
 * types only the clusters count that have them. An object that stands still somewhere stands still, wherever else it
 * goes on: Stalled silences Reconciling. Types in `announcing` are True as soon as they are so anywhere.
 */
export function agreedConditions(
  report: Report,
  decisive: readonly string[],
  announcing: readonly string[] = [],
): readonly Fields[] {
  const speakers = speakersOf(report);
  const types = new Set<string>(["Stalled", "Reconciling", ...decisive]);
  for (const { conditions } of speakers) for (const type of conditions.keys()) types.add(type);
  const agreed = [...types].flatMap((type) => {
    const isAnnouncing = announcing.includes(type) || ABNORMAL.test(type);
    const condition = agreedCondition(report, speakers, type, { isDecisive: decisive.includes(type), isAnnouncing });
    return condition === undefined ? [] : [condition];
  });
  const isStalled = agreed.some(({ type, status }) => type === "Stalled" && status === "True");
  return isStalled ? agreed.filter(({ type }) => type !== "Reconciling") : agreed;
}

/** The types that pronounce on the whole object, among those that any cluster reports or the template has already. */
export function verdictsOf({ members, old }: Report): readonly string[] {
  const said = [old, ...members.map(({ status }) => status)];
  return VERDICTS.filter((type) => said.some((status) => findCondition(status, type) !== undefined));
}

/** Every cluster has a copy of this generation of the template, and its controller has seen it. False when none has one. */
export function allObserve({ template, items, members }: Report): boolean {
  return (
    items.length > 0 &&
    members.length === items.length &&
    members.every(
      ({ status }) =>
        isOfTemplate(status, template) && hasObserved(status, optionalIntegerAt(status, "generation") ?? 0),
    )
  );
}

function isOfTemplate(status: Fields, template: KubeObject): boolean {
  return (optionalIntegerAt(status, "resourceTemplateGeneration") ?? 0) >= (template.metadata.generation ?? 0);
}

function speakersOf({ template, items, members }: Report): readonly Speaker[] {
  const statuses = new Map(members.map(({ clusterName, status }) => [clusterName, status]));
  return items.map(({ clusterName }) => {
    const status = statuses.get(clusterName) ?? {};
    const conditions = new Map<string, Fields>();
    for (const condition of conditionsOf(status)) {
      const { type } = condition;
      if (typeof type === "string" && type !== "" && !conditions.has(type)) conditions.set(type, condition);
    }
    return {
      clusterName,
      conditions,
      isOfTemplate: isOfTemplate(status, template),
      generation: optionalIntegerAt(status, "generation") ?? 0,
      // Rollouts write it as a text, and long ago as a hash, which says nothing.
      observedGeneration: numberOr(status["observedGeneration"], undefined),
    };
  });
}

function agreedCondition(
  report: Report,
  speakers: readonly Speaker[],
  type: string,
  { isDecisive, isAnnouncing }: { readonly isDecisive: boolean; readonly isAnnouncing: boolean },
): Fields | undefined {
  const voices = speakers.map((speaker) => voiceOf(speaker, type)).filter((voice) => isDecisive || voice.condition);
  if (voices.length === 0 && !isDecisive) return undefined;
  const order = isAnnouncing ? ["True", "Unknown", "False"] : ["False", "Unknown", "True"];
  const status = order.find((candidate) => voices.some((voice) => voice.status === candidate)) ?? "Unknown";
  const deciding = voices.filter((voice) => voice.status === status);
  const first = deciding.find((voice) => voice.condition !== undefined)?.condition;
  const { observedGeneration: _ofCopy, ...rest } = first ?? {};
  const old = findCondition(report.old, type);
  const wasSo = old?.["status"] === status && typeof old["lastTransitionTime"] === "string";
  // Only kinds that tell generations in their conditions get one.
  const tells = voices.some(({ condition }) => typeof condition?.["observedGeneration"] === "number");
  const observed = voices.every(isCurrent) ? report.template.metadata.generation : old?.["observedGeneration"];
  return {
    ...rest,
    type,
    status,
    reason: reasonOf(first, report.items),
    message: messageOf(deciding, report.items),
    lastTransitionTime: wasSo ? old["lastTransitionTime"] : report.now,
    ...(tells && observed !== undefined ? { observedGeneration: observed } : {}),
  };
}

function voiceOf(speaker: Speaker, type: string): Voice {
  const condition = speaker.conditions.get(type);
  const { status } = condition ?? {};
  return { speaker, condition, status: status === "True" || status === "False" ? status : "Unknown" };
}

/** The condition is about a copy of this generation of the template, as that copy is now. */
function isCurrent({ speaker, condition }: Voice): boolean {
  const own = condition === undefined ? undefined : optionalIntegerAt(condition, "observedGeneration");
  const observed = own ?? speaker.observedGeneration;
  return condition !== undefined && speaker.isOfTemplate && (observed ?? speaker.generation) >= speaker.generation;
}

function reasonOf(first: Fields | undefined, items: readonly AggregatedStatusItem[]): string {
  const reason = first?.["reason"];
  if (typeof reason === "string" && reason !== "") return reason;
  if (first !== undefined) return "Reported";
  return items.length === 0 ? "NotPlaced" : "AwaitingReport";
}

function messageOf(deciding: readonly Voice[], items: readonly AggregatedStatusItem[]): string {
  if (items.length === 0) return "no cluster has a copy yet";
  const sayings = deciding.map(({ speaker, condition }) => ({
    clusterName: speaker.clusterName,
    said: condition === undefined ? "nothing reported yet" : String(condition["message"] ?? ""),
  }));
  return told(sayings, items.length);
}

/**
 * What clusters say, once where several say the same. They are named unless all of the fleet, which has `total` clusters,
 * say the same.
 */
export function told(
  sayings: readonly { readonly clusterName: string; readonly said: string }[],
  total: number,
): string {
  const clusters = new Map<string, string[]>();
  for (const { clusterName, said } of sayings) {
    const names = clusters.get(said);
    if (names === undefined) clusters.set(said, [clusterName]);
    else names.push(clusterName);
  }
  const texts = [...clusters].map(([said, names]) =>
    names.length === total ? said : `${listed(names)}${said === "" ? "" : `: ${said}`}`,
  );
  const whole = texts.join("; ");
  return whole.length <= MAX_MESSAGE ? whole : `${whole.slice(0, MAX_MESSAGE - 1)}…`;
}

function listed(names: readonly string[]): string {
  const more = names.length - MAX_NAMES;
  return more <= 0 ? names.join(", ") : `${names.slice(0, MAX_NAMES).join(", ")} and ${more} more`;
}
