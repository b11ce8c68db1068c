// The part of a kubeconfig file that leads to one cluster.
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { isObject } from "../../kube/object.ts";
import { parseYaml } from "../../kube/yaml.ts";
import { AppError, messageOf } from "../../runtime/errors.ts";

export interface MemberKubeconfig {
  /** A whole kubeconfig for this cluster alone, as JSON; files it named are part of it. */
  readonly text: string;
  readonly context: string;
  readonly server: string;
  readonly caBundle: string | undefined;
  readonly insecureSkipTlsVerify: boolean;
  readonly proxyUrl: string | undefined;
  /** Programs run to get credentials, which cannot be handed to another machine; undefined when there are none. */
  readonly credentialProgram: string | undefined;
}

/** Reads `file` and picks the context, or its current one. Throws `kubeconfig-invalid`. */
export function readMemberKubeconfig(file: string, contextName: string | undefined): MemberKubeconfig {
  const config = parseFile(file);
  const wanted = contextName ?? text(config["current-context"]);
  if (wanted === undefined || wanted === "") throw invalid(file, "it has no current-context; name one");
  const context = pick(config, "contexts", "context", wanted);
  if (context === undefined) throw invalid(file, `it has no context "${wanted}"${choices(config)}`);
  const clusterName = text(context["cluster"]) ?? "";
  const cluster = pick(config, "clusters", "cluster", clusterName);
  const server = text(cluster?.["server"]);
  if (cluster === undefined || server === undefined || !URL.canParse(server))
    throw invalid(file, `context "${wanted}" names no cluster with a server URL`);
  const user = pick(config, "users", "user", text(context["user"]) ?? "") ?? {};
  const folder = dirname(file);
  const flatCluster = inline(cluster, folder, ["certificate-authority"]);
  const flatUser = inline(user, folder, ["client-certificate", "client-key"]);
  const tokenFile = text(user["tokenFile"]);
  if (tokenFile !== undefined && text(user["token"]) === undefined) {
    flatUser["token"] = readFile(resolve(folder, tokenFile)).toString("utf8").trim();
    delete flatUser["tokenFile"];
  }
  const exec = isObject(user["exec"]) ? text(user["exec"]["command"]) : undefined;
  return {
    text: JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      "current-context": wanted,
      contexts: [{ name: wanted, context: { cluster: "member", user: "member" } }],
      clusters: [{ name: "member", cluster: flatCluster }],
      users: [{ name: "member", user: flatUser }],
    }),
    context: wanted,
    server,
    caBundle: text(flatCluster["certificate-authority-data"]),
    insecureSkipTlsVerify: cluster["insecure-skip-tls-verify"] === true,
    proxyUrl: text(cluster["proxy-url"]),
    credentialProgram: exec ?? (isObject(user["auth-provider"]) ? text(user["auth-provider"]["name"]) : undefined),
  };
}

function parseFile(file: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = parseYaml(readFile(file).toString("utf8"));
  } catch (error) {
    if (error instanceof AppError && error.code === "kubeconfig-invalid") throw error;
    throw invalid(file, messageOf(error), error);
  }
  if (!isObject(parsed) || !Array.isArray(parsed["clusters"])) throw invalid(file, "it is no kubeconfig");
  return parsed;
}

function readFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new AppError("kubeconfig-invalid", `cannot read ${path}: ${messageOf(error)}`, {
      recovery: "stall",
      cause: error,
    });
  }
}

function pick(
  config: Record<string, unknown>,
  list: string,
  field: string,
  name: string,
): Record<string, unknown> | undefined {
  const entry = entriesOf(config[list]).find((candidate) => candidate["name"] === name);
  const value = entry?.[field];
  return isObject(value) ? value : undefined;
}

function entriesOf(list: unknown): Record<string, unknown>[] {
  return Array.isArray(list) ? list.filter(isObject) : [];
}

function choices(config: Record<string, unknown>): string {
  const names = entriesOf(config["contexts"]).map((entry) => String(entry["name"]));
  return names.length === 0 ? "" : `; it has ${names.slice(0, 8).join(", ")}`;
}

/** A copy in which the named files are replaced by their content (`x` by `x-data`). */
function inline(section: Record<string, unknown>, folder: string, fields: readonly string[]): Record<string, unknown> {
  const copy = { ...section };
  for (const field of fields) {
    const file = text(copy[field]);
    delete copy[field];
    if (file === undefined || text(copy[`${field}-data`]) !== undefined) continue;
    copy[`${field}-data`] = readFile(resolve(folder, file)).toString("base64");
  }
  return copy;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function invalid(file: string, why: string, cause?: unknown): AppError {
  return new AppError("kubeconfig-invalid", `${file}: ${why}`, { recovery: "stall", cause });
}
