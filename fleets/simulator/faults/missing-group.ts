// Answers of a server that does not know one of its API groups.
import type { ApiRequest, ApiResponse } from "../../../kube/client/transport.ts";
import { isObject } from "../../../kube/object.ts";
import type { ImpairmentOf } from "./impairment.ts";

type Missing = Pick<ImpairmentOf<"group-missing">, "group" | "version">;

/** Whether a path is in a missing group. */
export function isInMissingGroup(path: string, { group, version }: Missing): boolean {
  const [root, of, at] = path
    .split("?")[0]!
    .split("/")
    .filter((part) => part !== "");
  return root === "apis" && of === group && (version === undefined || at === version);
}

/** As the real server answers paths that it does not know. */
export function pathNotFound(): ApiResponse {
  return {
    status: 404,
    headers: { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" },
    body: Buffer.from("404 page not found\n"),
  };
}

/** Whether the answer to a path may list the group. */
export function mayListGroups(path: string, { group }: Missing): boolean {
  const bare = path.split("?")[0]!.replace(/\/$/, "");
  return (
    bare === "" || bare === "/apis" || bare === `/apis/${group}` || bare === "/openapi/v3" || bare === "/openapi/v2"
  );
}

/** The request, asking for an answer that was not known before. */
export function withoutCache(request: ApiRequest): ApiRequest {
  const { "if-none-match": _etag, ...headers } = request.headers ?? {};
  return { ...request, headers };
}

/** The answer without the group. What is no JSON stays as it is. */
export function withoutGroup(answer: ApiResponse, missing: Missing): ApiResponse {
  const type = String(answer.headers["content-type"] ?? "");
  if (answer.status !== 200 || !type.includes("json") || !(answer.body instanceof Uint8Array)) return answer;
  const document: unknown = JSON.parse(Buffer.from(answer.body).toString("utf8"));
  const body = Buffer.from(`${JSON.stringify(pruned(document, missing))}\n`);
  const { etag: _etag, ...headers } = answer.headers;
  // What was parsed or packed for the whole answer does not fit any more.
  return { status: answer.status, headers, body };
}

function pruned(document: unknown, missing: Missing): unknown {
  if (!isObject(document)) return document;
  const { group, version } = missing;
  const result: Record<string, unknown> = { ...document };
  if (document["kind"] === "APIGroupList")
    result["groups"] = groups(document["groups"], (item) => item["name"], missing);
  if (document["kind"] === "APIGroupDiscoveryList")
    result["items"] = groups(
      document["items"],
      (item) => (item["metadata"] as { name?: string } | undefined)?.name,
      missing,
    );
  if (document["kind"] === "APIGroup" && document["name"] === group)
    return groups([document], (item) => item["name"], missing)[0] ?? {};
  const prefix = version === undefined ? `apis/${group}` : `apis/${group}/${version}`;
  const isOf = (path: string): boolean => {
    const bare = path.replace(/^\//, "");
    return bare === prefix || bare.startsWith(`${prefix}/`);
  };
  if (Array.isArray(document["paths"])) result["paths"] = document["paths"].filter((path) => !isOf(String(path)));
  else if (isObject(document["paths"]))
    result["paths"] = Object.fromEntries(Object.entries(document["paths"]).filter(([path]) => !isOf(path)));
  return result;
}

function groups(
  value: unknown,
  nameOf: (item: Record<string, unknown>) => unknown,
  { group, version }: Missing,
): unknown[] {
  const items = Array.isArray(value) ? value.filter(isObject) : [];
  return items.flatMap((item) => {
    if (nameOf(item) !== group) return [item];
    if (version === undefined) return [];
    const versions = (Array.isArray(item["versions"]) ? item["versions"].filter(isObject) : []).filter(
      (each) => each["version"] !== version,
    );
    if (versions.length === 0) return [];
    const preferred = isObject(item["preferredVersion"]) ? item["preferredVersion"] : undefined;
    const moved = preferred?.["version"] === version ? { preferredVersion: versions[0] } : {};
    return [{ ...item, versions, ...moved }];
  });
}
