// How a command reaches a fleet that `flaghoist fleet up` serves.
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type HttpTransport, openHttpTransport } from "../../kube/client/http-transport.ts";
import { failureStatus, isUnreachable } from "../../kube/client/status-error.ts";
import { isObject } from "../../kube/object.ts";
import { parseYaml } from "../../kube/yaml.ts";
import { AppError, messageOf } from "../../runtime/errors.ts";
import { type CommandOption, type Invocation, stringOption } from "./command.ts";

/** Where `fleet up` keeps its certificates and the kubeconfig. */
export const FLEET_FOLDER = ".flaghoist/fleet";

export const FLEET_OPTIONS: Readonly<Record<string, CommandOption>> = {
  kubeconfig: {
    type: "string",
    value: "FILE",
    help: `the fleet's kubeconfig (default: $FLAGHOIST_FLEET_KUBECONFIG, ./${FLEET_FOLDER}/kubeconfig)`,
  },
};

export interface FleetConnection {
  /** Asks the management API; throws `fleet-refused` with what the fleet says. */
  ask<T>(method: string, path: string, body?: unknown): Promise<T>;
}

/** Runs `work` with a connection to the fleet that is closed afterwards. */
export async function withFleet<T>(invocation: Invocation, work: (fleet: FleetConnection) => Promise<T>): Promise<T> {
  const file = fleetKubeconfig(invocation);
  const transport = await openManagement(file);
  try {
    return await work({ ask: (method, path, body) => ask(transport, file, { method, path, body, invocation }) });
  } finally {
    await transport.close();
  }
}

function fleetKubeconfig(invocation: Invocation): string {
  const { env, cwd } = invocation.io;
  const named = stringOption(invocation, "kubeconfig") ?? env["FLAGHOIST_FLEET_KUBECONFIG"];
  if (named !== undefined && named !== "") return resolve(cwd, named);
  const local = join(cwd, FLEET_FOLDER, "kubeconfig");
  if (existsSync(local)) return local;
  throw new AppError(
    "fleet-unknown",
    "no fleet found: start one with 'flaghoist fleet up' in this folder, or name its kubeconfig with --kubeconfig",
    { recovery: "stall" },
  );
}

/** The management API stands at the root of the port whose clusters the kubeconfig names. */
async function openManagement(file: string): Promise<HttpTransport> {
  let config: unknown;
  try {
    config = parseYaml(readFileSync(file, "utf8"));
  } catch (error) {
    throw new AppError("fleet-unknown", `${file} cannot be read: ${messageOf(error)}`, { recovery: "stall" });
  }
  const clusters = isObject(config) && Array.isArray(config["clusters"]) ? config["clusters"].filter(isObject) : [];
  let isFleet = false;
  for (const { cluster } of clusters) {
    if (!isObject(cluster)) continue;
    const [, base] = /^(https:\/\/[^/]+)\/clusters\/[^/]+$/.exec(String(cluster["server"])) ?? [];
    if (base === undefined) continue;
    cluster["server"] = base;
    isFleet = true;
  }
  if (!isFleet)
    throw new AppError("fleet-unknown", `${file} is no kubeconfig of a fleet: 'flaghoist fleet up' writes one`, {
      recovery: "stall",
    });
  return openHttpTransport({ kubeconfig: JSON.stringify(config) });
}

async function ask<T>(
  transport: HttpTransport,
  file: string,
  request: { readonly method: string; readonly path: string; readonly body: unknown; readonly invocation: Invocation },
): Promise<T> {
  const { method, path, body, invocation } = request;
  try {
    const answer = await transport.send({
      method,
      path,
      signal: invocation.signal,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    });
    const bytes = await bytesOf(answer.body);
    if (answer.status >= 300)
      throw new AppError("fleet-refused", failureStatus(answer.status, bytes).message, { recovery: "stall" });
    // The management API answers with what its reports describe.
    return JSON.parse(Buffer.from(bytes).toString("utf8")) as T;
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    throw new AppError(
      "fleet-unreachable",
      `the fleet of ${file} is not answering (${messageOf(error)}): is 'flaghoist fleet up' running?`,
      { recovery: "retry", cause: error },
    );
  }
}

async function bytesOf(body: Uint8Array | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  if (body instanceof Uint8Array) return body;
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts);
}
