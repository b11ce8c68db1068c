// The management API of a served fleet: faults, status and the clock, as JSON under `/fleet`.
import type { Fault } from "../../../api/fleet-faults.ts";
import { targetClusters } from "../../../api/fleet-targets.ts";
import type { ApiRequest, ApiResponse } from "../../../kube/client/transport.ts";
import { isObject, type KubeObject } from "../../../kube/object.ts";
import { formatDuration, isDuration, parseDuration } from "../../../runtime/duration.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import { jsonResponse } from "../../apiserver/handlers/answers.ts";
import type { ServedApi } from "../../apiserver/http/listener.ts";
import { badRequest, StatusError, statusError, unauthorized } from "../../apiserver/registry/status-error.ts";
import type { FaultRecord } from "../faults/fleet-faults.ts";
import type { StoryEntry } from "../scenario/scenario-player.ts";
import type { SimulatedCluster } from "../simulated-cluster.ts";
import type { SimulatedFleet } from "../simulated-fleet.ts";

/** A fault as the API tells of it: times are RFC 3339, on the fleet's clock. */
export interface FaultReport extends Omit<FaultRecord, "sinceMs" | "untilMs" | "nextMs"> {
  readonly since?: string;
  readonly until?: string;
  readonly next?: string;
}

interface ClusterReport {
  readonly name: string;
  readonly region?: string | undefined;
  readonly provider?: string | undefined;
  readonly zones: readonly string[];
  readonly kubernetesVersion: string;
  readonly nodes: number;
  readonly readyNodes: number;
  readonly pods: number;
  readonly readyPods: number;
  /** Faults that concern it at the moment. */
  readonly faults: readonly string[];
}

/** The answer of `/fleet/status`. */
export interface FleetReport {
  readonly clock: { readonly now: string; readonly pace: string | number };
  readonly clusters: readonly ClusterReport[];
  /** What its scenario let happen so far; absent for a fleet without one. */
  readonly story?: readonly StoryReport[];
}

/** A step of the scenario that was taken. */
interface StoryReport {
  /** Since the start: `5m`. */
  readonly at: string;
  /** `timeline[3]` */
  readonly step: string;
  readonly words: string;
  readonly clusters: readonly string[];
  /** Why it did not come about, or is not as expected. */
  readonly problem?: string;
}

type Handler = (request: ApiRequest, rest: string) => unknown;

/** For the root of the fleet's listener. Only administrators are answered. */
export function fleetApi(fleet: SimulatedFleet): ServedApi {
  // One advance after the other: each begins where the last one ended.
  let advancing: Promise<unknown> = Promise.resolve();
  const routes: Readonly<Record<string, Handler>> = {
    "GET /fleet/status": () => fleetReport(fleet),
    "GET /fleet/faults": () => ({ faults: fleet.faults.list().map(faultReport) }),
    "POST /fleet/faults": async (request) => {
      const fault = bodyOf(request);
      // Checked by whoever begins it.
      const id = fleet.faults.begin(fault as unknown as Fault);
      await fleet.faults.whenIdle();
      return reportOf(fleet, id);
    },
    "DELETE /fleet/faults": async (_request, id) => {
      if (id === "") fleet.faults.endAll();
      else fleet.faults.end(id);
      await fleet.faults.whenIdle();
      return id === "" ? { faults: [] } : reportOf(fleet, id);
    },
    "POST /fleet/advance": async (request) => {
      const { for: text } = bodyOf(request);
      if (typeof text !== "string" || !isDuration(text) || text.startsWith("-"))
        throw badRequest(`for: must be a duration such as 10m, not ${JSON.stringify(text)}`);
      const { pace } = fleet.clock;
      if (pace !== "stepped")
        throw statusError(
          409,
          "Conflict",
          `the fleet's clock runs by itself (pace ${pace}); a stepped one is moved by hand`,
        );
      const advance = advancing.then(() => fleet.clock.advance(parseDuration(text)));
      advancing = advance.catch(() => {});
      await advance;
      return { now: timeText(fleet.clock.now()) };
    },
  };
  return {
    name: "fleet",
    handle: async (request) => {
      try {
        return jsonResponse(request.method === "POST" ? 201 : 200, await answer(routes, request));
      } catch (error) {
        return refusal(error);
      }
    },
    checkToken: () => undefined,
    publishCa: () => {},
  };
}

async function answer(routes: Readonly<Record<string, Handler>>, request: ApiRequest): Promise<unknown> {
  const { user, method } = request;
  if (user === undefined || user.groups.includes("system:unauthenticated")) throw unauthorized();
  if (!user.groups.includes("system:masters"))
    throw statusError(403, "Forbidden", `user ${JSON.stringify(user.name)} may not manage the fleet`, {});
  const path = request.path.split("?")[0] ?? "";
  const [, route = path, rest = ""] = /^(\/fleet\/[a-z]+)(?:\/(.+))?$/.exec(path) ?? [];
  const handler = routes[`${method} ${route}`];
  if (handler === undefined || (rest !== "" && method !== "DELETE"))
    throw statusError(
      404,
      "NotFound",
      `the fleet serves ${Object.keys(routes).join(", ")}, and clusters at /clusters/NAME`,
    );
  return handler(request, decoded(rest));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw badRequest(`the path has escapes that mean nothing: ${text}`);
  }
}

function refusal(error: unknown): ApiResponse {
  if (error instanceof StatusError) return jsonResponse(error.code, error.status, error.headers);
  const [code, reason] = REASONS[error instanceof AppError ? error.code : ""] ?? [500, "InternalError"];
  return refusal(statusError(code, reason, messageOf(error)));
}

const REASONS: Readonly<Record<string, readonly [number, string]>> = {
  "fault-invalid": [422, "Invalid"],
  "fault-contradiction": [409, "Conflict"],
  "fault-unknown": [404, "NotFound"],
};

function bodyOf({ body }: ApiRequest): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(body ?? "").toString("utf8"));
  } catch (error) {
    throw badRequest(`the body must be JSON: ${messageOf(error)}`);
  }
  if (!isObject(value)) throw badRequest("the body must be a JSON object");
  return value;
}

function reportOf(fleet: SimulatedFleet, id: string): FaultReport | undefined {
  const record = fleet.faults.list().find((each) => each.id === id);
  return record === undefined ? undefined : faultReport(record);
}

function faultReport({ sinceMs, untilMs, nextMs, ...record }: FaultRecord): FaultReport {
  return {
    ...record,
    ...(sinceMs === undefined ? {} : { since: timeText(sinceMs) }),
    ...(untilMs === undefined ? {} : { until: timeText(untilMs) }),
    ...(nextMs === undefined ? {} : { next: timeText(nextMs) }),
  };
}

function fleetReport(fleet: SimulatedFleet): FleetReport {
  const active = fleet.faults.list().filter(({ state }) => state === "active");
  const { pace } = fleet.clock;
  return {
    clock: { now: timeText(fleet.clock.now()), pace: pace === Number.POSITIVE_INFINITY ? "unlimited" : pace },
    clusters: [...fleet.clusters.values()].map((cluster) => clusterReport(cluster, active)),
    ...(fleet.scenario === undefined ? {} : { story: fleet.scenario.story.map(storyReport) }),
  };
}

function storyReport({ atMs, step, words, clusters, problem }: StoryEntry): StoryReport {
  const told = { at: formatDuration(atMs), step: `timeline[${step}]`, words, clusters };
  return problem === undefined ? told : { ...told, problem };
}

function clusterReport(cluster: SimulatedCluster, active: readonly FaultRecord[]): ClusterReport {
  const { facts, server } = cluster;
  const { name, region, provider, zones, kubernetesVersion } = facts;
  const [nodes, pods] = ["nodes", "pods"].map((resource) => server.state.list(resource).map(({ object }) => object));
  const concerning = active.filter(({ fault }) => targetClusters(fault.target, [facts]).length > 0);
  return {
    name,
    region,
    provider,
    zones,
    kubernetesVersion,
    nodes: nodes?.length ?? 0,
    readyNodes: (nodes ?? []).filter(isReady).length,
    pods: pods?.length ?? 0,
    readyPods: (pods ?? []).filter(isReady).length,
    faults: [...(cluster.fault === "none" ? [] : [cluster.fault]), ...concerning.map(({ id }) => id)],
  };
}

function isReady(object: KubeObject): boolean {
  const { conditions = [] } = (object["status"] ?? {}) as { conditions?: { type: string; status: string }[] };
  return conditions.some(({ type, status }) => type === "Ready" && status === "True");
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
