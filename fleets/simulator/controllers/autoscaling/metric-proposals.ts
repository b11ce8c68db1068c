// What each metric of an autoscaler asks for, from what the cluster's Pods are said to use.
import { formatQuantity, parseQuantity, quantityMilliNumber, quantityOf } from "../../../../kube/quantity.ts";
import type { Behaviours } from "../../kernel/behaviours.ts";
import type { Pod } from "../pod-object.ts";
import { printSelector } from "../print-selector.ts";
import type { MetricSpec, MetricStatus, MetricTarget } from "./autoscaler.ts";
import {
  type Calculation,
  MetricProblem,
  type Question,
  replicasForAverage,
  replicasForUtilization,
  type Tolerances,
  type Usage,
} from "./replica-calculator.ts";

/** A number of replicas, and what asks for it. */
export interface Proposal {
  readonly replicas: number;
  /** As Events name the metric. */
  readonly metric: string;
  readonly status: MetricStatus;
}

/** Why a metric says nothing. */
export interface NoProposal {
  /** The reason of the condition and the Event. */
  readonly reason: string;
  readonly message: string;
  /** The message with what was tried before it. */
  readonly error: string;
}

/** Whose Pods are measured, and when. */
export interface Measured {
  readonly namespace: string;
  readonly pods: readonly Pod[];
  readonly current: number;
  readonly tolerances: Tolerances;
  readonly behaviours: Behaviours;
  readonly nowMs: number;
}

const NO_RESOURCE_METRICS =
  "unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)";
const NO_CUSTOM_METRICS =
  "unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered";

/** What one metric asks for. */
export function proposalOf(spec: MetricSpec, measured: Measured): Proposal | NoProposal {
  switch (spec.type) {
    case "Resource": {
      const { name = "", target } = spec.resource ?? {};
      return attempt("FailedGetResourceMetric", `failed to get ${name} resource metric value`, () =>
        resourceProposal(measured, name, target, undefined),
      );
    }
    case "ContainerResource": {
      const { name = "", container = "", target } = spec.containerResource ?? {};
      return attempt("FailedGetContainerResourceMetric", `failed to get ${container} container metric value`, () =>
        resourceProposal(measured, name, target, container),
      );
    }
    case "Pods":
      return attempt("FailedGetPodsMetric", "failed to get pods metric value", () => podsProposal(measured, spec));
    case "Object":
      return objectProblem(spec, measured);
    case "External":
      return externalProblem(spec, measured);
  }
}

function attempt(reason: string, prefix: string, propose: () => Proposal): Proposal | NoProposal {
  try {
    return propose();
  } catch (error) {
    if (!(error instanceof MetricProblem)) throw error;
    return { reason, message: error.message, error: `${prefix}: ${error.message}` };
  }
}

/** Runs `ask`, saying before its problem what it was about. */
function about<T>(what: string, ask: () => T): T {
  try {
    return ask();
  } catch (error) {
    throw error instanceof MetricProblem ? new MetricProblem(`${what}: ${error.message}`) : error;
  }
}

function questionOf({ pods, current, tolerances, nowMs }: Measured, usage: Usage, isCpu: boolean): Question {
  return { pods, usage, isCpu, current, tolerances, nowMs };
}

function resourceProposal(
  measured: Measured,
  name: string,
  target: MetricTarget | undefined,
  container: string | undefined,
): Proposal {
  const isCpu = name === "cpu";
  const { averageValue, averageUtilization } = target ?? {};
  if (averageValue !== undefined) {
    const calculation = about(`failed to get ${name} usage`, () =>
      replicasForAverage(questionOf(measured, resourceUsage(measured, name, container), isCpu), milli(averageValue)),
    );
    return resourceAnswer(calculation, name, container, `${name} resource`);
  }
  if (averageUtilization === undefined) {
    const why = "neither an average utilization target nor an average value (usage) target was set";
    throw new MetricProblem(`invalid resource metric source: ${why}`);
  }
  const calculation = about(`failed to get ${name} utilization`, () => {
    const usage = resourceUsage(measured, name, container);
    const requests = new Map(measured.pods.map((pod) => [pod.metadata.name ?? "", requestOf(pod, name, container)]));
    return replicasForUtilization(questionOf(measured, usage, isCpu), requests, averageUtilization);
  });
  const what = container === undefined ? "resource" : "container resource";
  return resourceAnswer(calculation, name, container, `${name} ${what} utilization (percentage of request)`);
}

function resourceAnswer(
  { replicas, average, utilization }: Calculation,
  name: string,
  container: string | undefined,
  metric: string,
): Proposal {
  const format = name === "memory" ? "BinarySI" : "DecimalSI";
  const current = {
    ...(utilization === undefined ? {} : { averageUtilization: utilization }),
    averageValue: formatQuantity(quantityOf(average, format, -3)),
  };
  const status: MetricStatus =
    container === undefined
      ? { type: "Resource", resource: { name, current } }
      : { type: "ContainerResource", containerResource: { name, container, current } };
  return { replicas, metric, status };
}

/** Usage of a resource by Pod. A Pod of which a container says nothing is left out, as those that do not run. */
function resourceUsage(measured: Measured, name: string, container: string | undefined): Usage {
  const samples = samplesOf(measured);
  if (samples.length === 0)
    throw new MetricProblem(`unable to get metrics for resource ${name}: ${NO_RESOURCE_METRICS}`);
  const usage = new Map<string, number>();
  for (const { pod, containers } of samples) {
    const counted = container === undefined ? Object.values(containers) : [containers[container] ?? {}];
    if (counted.length === 0 || counted.some((each) => each[name] === undefined)) continue;
    usage.set(
      pod.metadata.name ?? "",
      counted.reduce((sum, each) => sum + milli(each[name] ?? "0"), 0),
    );
  }
  return usage;
}

interface Sample {
  readonly pod: Pod;
  readonly containers: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** What is known of the Pods that run. As with a real cluster: where nothing is said of any, nobody measures. */
function samplesOf({ pods, behaviours, nowMs }: Measured): Sample[] {
  return pods.flatMap((pod) => {
    const containers = pod.status.phase === "Running" ? behaviours.metricsOf(pod, nowMs) : undefined;
    return containers === undefined ? [] : [{ pod, containers }];
  });
}

interface Requesting {
  readonly name: string;
  readonly restartPolicy?: string;
  readonly resources?: { readonly requests?: Readonly<Record<string, string>> };
}

/** What a Pod, or one container of it, requests of a resource, in thousandths. */
function requestOf(pod: Pod, resource: string, container: string | undefined): number {
  const podName = pod.metadata.name ?? "";
  const {
    resources,
    containers = [],
    initContainers = [],
  } = pod.spec as {
    readonly resources?: Requesting["resources"];
    readonly containers?: readonly Requesting[];
    readonly initContainers?: readonly Requesting[];
  };
  if (container === undefined && Object.keys(resources?.requests ?? {}).length > 0) {
    const request = resources?.requests?.[resource];
    if (request === undefined) throw new MetricProblem(`missing pod-level request for ${resource} in Pod ${podName}`);
    return milli(request);
  }
  const running = [...containers, ...initContainers.filter(({ restartPolicy }) => restartPolicy === "Always")];
  const counted = container === undefined ? running : running.filter(({ name }) => name === container);
  if (container !== undefined && counted.length === 0)
    throw new MetricProblem(`container ${container} not found in Pod ${podName}`);
  return counted.reduce((sum, { name, resources: { requests = {} } = {} }) => {
    const request = requests[resource];
    if (request === undefined)
      throw new MetricProblem(`missing request for ${resource} in container ${name} of Pod ${podName}`);
    return sum + milli(request);
  }, 0);
}

function podsProposal(measured: Measured, { pods: spec }: MetricSpec): Proposal {
  const { metric, target } = spec ?? {};
  const name = metric?.name ?? "";
  const usage = new Map<string, number>();
  for (const { pod, containers } of samplesOf(measured)) {
    const values = Object.values(containers).flatMap((each) => (each[name] === undefined ? [] : [milli(each[name])]));
    if (values.length > 0)
      usage.set(
        pod.metadata.name ?? "",
        values.reduce((sum, value) => sum + value, 0),
      );
  }
  if (usage.size === 0) throw new MetricProblem(`unable to get metric ${name}: ${NO_CUSTOM_METRICS}`);
  const { replicas, average } = replicasForAverage(
    questionOf(measured, usage, false),
    milli(target?.averageValue ?? "0"),
  );
  const current = { averageValue: formatQuantity(quantityOf(average, "DecimalSI", -3)) };
  return { replicas, metric: `pods metric ${name}`, status: { type: "Pods", pods: { metric, current } } };
}

/** Nobody measures other objects here. */
function objectProblem({ object }: MetricSpec, { namespace }: Measured): NoProposal {
  const { describedObject, metric, target } = object ?? {};
  const where = `${describedObject?.kind} ${namespace}/${describedObject?.name}`;
  const message = `unable to get metric ${metric?.name}: ${NO_CUSTOM_METRICS} on ${where}`;
  const error = target?.type === "AverageValue" ? `failed to get ${metric?.name} object metric: ${message}` : message;
  return { reason: "FailedGetObjectMetric", message, error: `failed to get object metric value: ${error}` };
}

/** Nobody measures anything outside. */
function externalProblem({ external }: MetricSpec, { namespace }: Measured): NoProposal {
  const { metric, target } = external ?? {};
  const name = metric?.name ?? "";
  const missing = `the server could not find the requested resource (get ${name}.external.metrics.k8s.io)`;
  const asked = `${namespace}/${name}/${printSelector(metric?.selector)}`;
  const message = `unable to get external metric ${asked}: unable to fetch metrics from external metrics API: ${missing}`;
  const inner =
    target?.averageValue === undefined
      ? `failed to get external metric ${name}: ${message}`
      : `failed to get ${name} external metric: ${message}`;
  return { reason: "FailedGetExternalMetric", message, error: `failed to get ${name} external metric value: ${inner}` };
}

function milli(quantity: string): number {
  return quantityMilliNumber(parseQuantity(quantity));
}
