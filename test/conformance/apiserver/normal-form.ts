// What of an answer has no defined order gets one, on both sides of a comparison.
import { isObject } from "../../../kube/object.ts";

/** Text to sort by: objects with the same keys and values have the same, whatever order their keys are in. */
function textOf(value: unknown): string {
  const byKey = (_key: string, child: unknown): unknown =>
    isObject(child) ? Object.fromEntries(Object.entries(child).toSorted(([a], [b]) => (a < b ? -1 : 1))) : child;
  return JSON.stringify(value, byKey) ?? "";
}

function managerKey(entry: unknown): string {
  if (!isObject(entry)) return "";
  return [entry["operation"], entry["manager"], entry["apiVersion"], entry["subresource"]]
    .map((part) => String(part ?? ""))
    .join("\u0000");
}

function sorted(list: readonly unknown[], key: (item: unknown) => string): unknown[] {
  return list.toSorted((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

function causeKey(cause: unknown): string {
  return isObject(cause) ? `${String(cause["field"] ?? "")} ${String(cause["message"])}` : "";
}

/** Sorts managedFields, causes, access rules and legacy resource lists; rebuilds the message of several causes. */
export function toNormalForm(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toNormalForm);
  if (!isObject(value)) return value;
  const result: Record<string, unknown> = {};
  for (const [key, child] of Object.entries(value)) {
    const normal = toNormalForm(child);
    if (!Array.isArray(normal)) result[key] = normal;
    else if (key === "managedFields") result[key] = sorted(normal, managerKey);
    else if (key === "causes") result[key] = sorted(normal, causeKey);
    else if (key === "resourceRules" || key === "nonResourceRules") result[key] = sorted(normal, textOf);
    else if (key === "resources" && value["kind"] === "APIResourceList") {
      result[key] = sorted(normal, (item) => (isObject(item) ? String(item["name"]) : ""));
    } else result[key] = normal;
  }
  if ("gitVersion" in result) return versionOnly(result);
  return result["kind"] === "Status" ? withRebuiltMessage(result) : result;
}

/** What identifies a build is its own. */
function versionOnly(info: Record<string, unknown>): Record<string, unknown> {
  const { gitVersion, gitCommit: _c, gitTreeState: _t, goVersion: _g, compiler: _o, buildDate: _b, ...rest } = info;
  return { ...rest, gitVersion: String(gitVersion).replace(/\+.*/, "") };
}

function withRebuiltMessage(status: Record<string, unknown>): Record<string, unknown> {
  const details = isObject(status["details"]) ? status["details"] : {};
  const { causes } = details;
  const message = String(status["message"] ?? "");
  const at = message.indexOf(" is invalid: ");
  if (status["reason"] !== "Invalid" || !Array.isArray(causes) || causes.length < 2 || at < 0) return status;
  const texts = new Set(
    causes.map((cause) => (isObject(cause) ? `${String(cause["field"])}: ${String(cause["message"])}` : "")),
  );
  return { ...status, message: `${message.slice(0, at)} is invalid: [${[...texts].join(", ")}]` };
}
