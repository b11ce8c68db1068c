// The table row of a Pod: its status is read from phase, conditions and containers together.
import type { JsonObject, KubeObject } from "../../../kube/object.ts";
import { ageOf, shortDuration } from "./age.ts";
import { listOf, NONE, numberOf, part, textOf } from "./cell-values.ts";
import { parseTime } from "./go-values.ts";

interface PodSummary {
  reason: string;
  ready: number;
  restarts: number;
  lastRestart: number | undefined;
}

function isRestartableInit(container: JsonObject): boolean {
  return container["restartPolicy"] === "Always";
}

function terminatedReason(terminated: JsonObject): string {
  const reason = textOf(terminated["reason"]);
  if (reason !== "") return reason;
  const signal = numberOf(terminated["signal"]);
  return signal !== 0 ? `Signal:${signal}` : `ExitCode:${numberOf(terminated["exitCode"])}`;
}

function noteRestart(summary: PodSummary, status: JsonObject): void {
  summary.restarts += numberOf(status["restartCount"]);
  const finished = parseTime(part(part(status, "lastState"), "terminated")["finishedAt"]);
  if (finished !== undefined && (summary.lastRestart ?? 0) < finished) summary.lastRestart = finished;
}

/** Reads the init containers. Answers whether they are still running. */
function readInitContainers(pod: KubeObject, summary: PodSummary): boolean {
  const containers = listOf(part(pod, "spec")["initContainers"]);
  const restartable = new Map(containers.map((container) => [container["name"], isRestartableInit(container)]));
  const statuses = listOf(part(pod, "status")["initContainerStatuses"]);
  const total = containers.length;
  for (const [index, status] of statuses.entries()) {
    noteRestart(summary, status);
    const state = part(status, "state");
    const terminated = state["terminated"] as JsonObject | undefined;
    const waiting = state["waiting"] as JsonObject | undefined;
    if (terminated !== undefined && numberOf(terminated["exitCode"]) === 0) continue;
    if (restartable.get(status["name"]) === true && status["started"] === true) {
      if (status["ready"] === true) summary.ready++;
      continue;
    }
    if (terminated !== undefined) summary.reason = `Init:${terminatedReason(terminated)}`;
    else if (textOf(waiting?.["reason"]) !== "" && waiting?.["reason"] !== "PodInitializing") {
      summary.reason = `Init:${textOf(waiting?.["reason"])}`;
    } else summary.reason = `Init:${index}/${total}`;
    return true;
  }
  return false;
}

function readContainers(pod: KubeObject, summary: PodSummary): void {
  let running = false;
  const statuses = listOf(part(pod, "status")["containerStatuses"]);
  // Backwards, so that the first container has the last word.
  for (const status of statuses.toReversed()) {
    noteRestart(summary, status);
    const state = part(status, "state");
    const waiting = state["waiting"] as JsonObject | undefined;
    const terminated = state["terminated"] as JsonObject | undefined;
    if (textOf(waiting?.["reason"]) !== "") summary.reason = textOf(waiting?.["reason"]);
    else if (terminated !== undefined) summary.reason = terminatedReason(terminated);
    else if (status["ready"] === true && state["running"] !== undefined) {
      running = true;
      summary.ready++;
    }
  }
  if (summary.reason === "Completed" && running) summary.reason = hasReadyCondition(pod) ? "Running" : "NotReady";
}

function hasReadyCondition(pod: KubeObject): boolean {
  const conditions = listOf(part(pod, "status")["conditions"]);
  return conditions.some((condition) => condition["type"] === "Ready" && condition["status"] === "True");
}

function summarize(pod: KubeObject): PodSummary {
  const status = part(pod, "status");
  const reason = textOf(status["reason"], textOf(status["phase"]));
  const summary: PodSummary = { reason, ready: 0, restarts: 0, lastRestart: undefined };
  const gated = listOf(status["conditions"]).some(
    (condition) => condition["type"] === "PodScheduled" && condition["reason"] === "SchedulingGated",
  );
  if (gated) summary.reason = "SchedulingGated";
  const initializing = readInitContainers(pod, summary);
  if (!initializing || isInitialized(pod)) {
    if (initializing) summary.reason = reason;
    const sidecarsReady = summary.ready;
    summary.ready = sidecarsReady;
    readContainers(pod, summary);
  }
  if (pod.metadata.deletionTimestamp === undefined) return summary;
  if (status["reason"] === "NodeLost") summary.reason = "Unknown";
  else if (status["phase"] !== "Succeeded" && status["phase"] !== "Failed") summary.reason = "Terminating";
  return summary;
}

function isInitialized(pod: KubeObject): boolean {
  const conditions = listOf(part(pod, "status")["conditions"]);
  return conditions.some((condition) => condition["type"] === "Initialized" && condition["status"] === "True");
}

function readinessGates(pod: KubeObject): string {
  const gates = listOf(part(pod, "spec")["readinessGates"]);
  if (gates.length === 0) return NONE;
  const conditions = listOf(part(pod, "status")["conditions"]);
  const passed = gates.filter((gate) =>
    conditions.some((condition) => condition["type"] === gate["conditionType"] && condition["status"] === "True"),
  );
  return `${passed.length}/${gates.length}`;
}

export function podCells(pod: KubeObject, nowMs: number): readonly unknown[] {
  const spec = part(pod, "spec");
  const status = part(pod, "status");
  const summary = summarize(pod);
  const sidecars = listOf(spec["initContainers"]).filter(isRestartableInit).length;
  const total = listOf(spec["containers"]).length + sidecars;
  const last = summary.lastRestart;
  const ago = last === undefined || summary.restarts === 0 ? "" : ` (${shortDuration(nowMs - last)} ago)`;
  const podIp = textOf(listOf(status["podIPs"])[0]?.["ip"], NONE);
  return [
    pod.metadata.name,
    `${summary.ready}/${total}`,
    summary.reason,
    `${summary.restarts}${ago}`,
    ageOf(pod.metadata.creationTimestamp, nowMs),
    podIp,
    textOf(spec["nodeName"], NONE),
    textOf(status["nominatedNodeName"], NONE),
    readinessGates(pod),
  ];
}
