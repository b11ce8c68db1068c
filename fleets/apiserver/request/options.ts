// The option objects of the verbs (CreateOptions, ListOptions, ...), read from the query and checked.
import { quoteGo } from "../../../kube/go-text.ts";
import type { Json, JsonObject } from "../../../kube/object.ts";
import { isObject } from "../../../kube/object.ts";
import type { FieldError } from "../registry/kind.ts";
import { badRequest, conflict, invalid } from "../registry/status-error.ts";
import type { Query } from "./query.ts";

export type FieldValidation = "Ignore" | "Warn" | "Strict";

/** Options that all writes share. */
export interface WriteOptions {
  readonly dryRun: boolean;
  /** As given; empty when not. */
  readonly fieldManager: string;
  readonly fieldValidation: FieldValidation;
  /** Server-side apply takes fields from other managers. */
  readonly force: boolean;
  /** As given, for admission; without `force`, which creates and updates do not have. */
  readonly raw: JsonObject;
}

export interface ListOptions {
  readonly labelSelector: string;
  readonly fieldSelector: string;
  readonly limit: number;
  readonly continueToken: string;
  /** As given; undefined when absent or empty. */
  readonly resourceVersion: string | undefined;
  readonly resourceVersionMatch: "" | "Exact" | "NotOlderThan";
  readonly watch: boolean;
  readonly allowWatchBookmarks: boolean;
  readonly sendInitialEvents: boolean | undefined;
  readonly timeoutSeconds: number | undefined;
}

export interface DeleteOptions {
  readonly dryRun: boolean;
  readonly gracePeriodSeconds: number | undefined;
  readonly propagation: "Background" | "Foreground" | "Orphan" | undefined;
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
  /** As given, for admission. */
  readonly raw?: JsonObject;
}

function unsupported(field: string, value: unknown, allowed: readonly string[]): FieldError {
  const values = allowed.map((each) => JSON.stringify(each)).join(", ");
  return {
    reason: "FieldValueNotSupported",
    field,
    message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${values}`,
  };
}

function forbidden(field: string, why: string): FieldError {
  return { reason: "FieldValueForbidden", field, message: `Forbidden: ${why}` };
}

function readInteger(query: Query, name: string): number | undefined {
  const text = query.get(name);
  if (text === undefined || text === "") return undefined;
  if (!/^[+-]?[0-9]+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${quoteGo(text)}: invalid syntax`);
  const value = BigInt(text);
  if (BigInt.asIntN(64, value) !== value) {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: value out of range`);
  }
  return Number(value);
}

/** As the reference reads flags: anything but `false` and `0` is true. */
function readFlag(query: Query, name: string): boolean | undefined {
  const text = query.get(name);
  if (text === undefined) return undefined;
  return text.toLowerCase() !== "false" && text !== "0";
}

function checkDryRun(values: readonly string[]): FieldError[] {
  return values.every((value) => value === "All") ? [] : [unsupported("dryRun", values, ["All"])];
}

const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;

function checkFieldManager(manager: string, required: boolean): FieldError[] {
  if (required && manager === "") {
    return [
      { reason: "FieldValueRequired", field: "fieldManager", message: "Required value: is required for apply patch" },
    ];
  }
  const errors: FieldError[] = [];
  if (Buffer.byteLength(manager) > 128) {
    errors.push({
      reason: "FieldValueTooLong",
      field: "fieldManager",
      message: "Too long: may not be more than 128 bytes",
    });
  }
  const bad = [...manager].findIndex((char) => UNPRINTABLE.test(char));
  if (bad >= 0) {
    const code = [...manager][bad]!.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
    errors.push({
      reason: "FieldValueInvalid",
      field: "fieldManager",
      message: `Invalid value: ${quoteGo(manager)}: invalid character U+${code} (at position ${bad})`,
    });
  }
  return errors;
}

/** Reads and checks the options of create, update and patch. `kind` names the option object in a refusal. */
export function readWriteOptions(
  query: Query,
  kind: "CreateOptions" | "UpdateOptions" | "PatchOptions",
  apply = false,
): WriteOptions {
  const dryRun = query.getAll("dryRun");
  const fieldManager = query.get("fieldManager") ?? "";
  const validation = query.get("fieldValidation") ?? "";
  const force = readFlag(query, "force");
  const errors: FieldError[] = [];
  if (kind === "PatchOptions" && !apply && force !== undefined) {
    errors.push(forbidden("force", "may not be specified for non-apply patch"));
  }
  errors.push(...checkFieldManager(fieldManager, apply), ...checkDryRun(dryRun));
  if (validation !== "" && validation !== "Ignore" && validation !== "Warn" && validation !== "Strict") {
    errors.push(unsupported("fieldValidation", validation, ["", "Ignore", "Strict", "Warn"]));
  }
  if (errors.length > 0) throw invalid({ group: "meta.k8s.io", kind }, "", errors);
  return {
    dryRun: dryRun.length > 0,
    fieldManager,
    // The check above leaves only the three names.
    fieldValidation: validation === "" ? "Warn" : (validation as FieldValidation),
    force: force ?? false,
    raw: {
      ...(dryRun.length === 0 ? {} : { dryRun: [...dryRun] }),
      ...(fieldManager === "" ? {} : { fieldManager }),
      ...(validation === "" ? {} : { fieldValidation: validation }),
    },
  };
}

/** Reads and checks the options of list and watch. */
export function readListOptions(query: Query, watchPrefix = false): ListOptions {
  const watch = watchPrefix || (query.has("watch") && readFlag(query, "watch") === true);
  const resourceVersion = query.get("resourceVersion") || undefined;
  const match = query.get("resourceVersionMatch") ?? "";
  const sendInitialEvents = readFlag(query, "sendInitialEvents");
  const options = {
    labelSelector: query.get("labelSelector") ?? "",
    fieldSelector: query.get("fieldSelector") ?? "",
    limit: readInteger(query, "limit") ?? 0,
    continueToken: query.get("continue") ?? "",
    resourceVersion,
    watch,
    allowWatchBookmarks: readFlag(query, "allowWatchBookmarks") ?? false,
    sendInitialEvents,
    timeoutSeconds: readInteger(query, "timeoutSeconds"),
  };
  const errors = watch
    ? checkWatchMatch(match, sendInitialEvents)
    : checkListMatch(match, resourceVersion, options.continueToken, sendInitialEvents);
  if (errors.length > 0) throw invalid({ group: "meta.k8s.io", kind: "ListOptions" }, "", errors);
  // The checks leave only the two names and the empty one.
  return { ...options, resourceVersionMatch: match as ListOptions["resourceVersionMatch"] };
}

function checkListMatch(
  match: string,
  resourceVersion: string | undefined,
  continueToken: string,
  sendInitialEvents: boolean | undefined,
): FieldError[] {
  const errors: FieldError[] = [];
  const field = "resourceVersionMatch";
  if (match !== "") {
    if (resourceVersion === undefined) {
      errors.push(forbidden(field, "resourceVersionMatch is forbidden unless resourceVersion is provided"));
    }
    if (continueToken !== "") {
      errors.push(forbidden(field, "resourceVersionMatch is forbidden when continue is provided"));
    }
    if (match !== "Exact" && match !== "NotOlderThan") {
      errors.push(unsupported(field, match, ["Exact", "NotOlderThan", ""]));
    }
    if (match === "Exact" && resourceVersion === "0") {
      errors.push(forbidden(field, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
    }
  }
  if (sendInitialEvents !== undefined) {
    errors.push(forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
  }
  return errors;
}

function checkWatchMatch(match: string, sendInitialEvents: boolean | undefined): FieldError[] {
  const errors: FieldError[] = [];
  const field = "resourceVersionMatch";
  if (sendInitialEvents !== undefined) {
    if (match !== "NotOlderThan") {
      errors.push(forbidden(field, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"));
    }
    if (match !== "" && match !== "NotOlderThan") errors.push(unsupported(field, match, ["NotOlderThan"]));
  } else if (match !== "") {
    errors.push(forbidden(field, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"));
  }
  return errors;
}

/** Reads the options of a deletion from its body when there is one, else from the query. */
export function readDeleteOptions(query: Query, body: JsonObject | undefined): DeleteOptions {
  const raw = body ?? deleteOptionsOfQuery(query);
  const dryRun = Array.isArray(raw["dryRun"]) ? raw["dryRun"].map(String) : [];
  const policy = raw["propagationPolicy"];
  const orphan = raw["orphanDependents"];
  const errors: FieldError[] = [];
  if (typeof orphan === "boolean" && typeof policy === "string") {
    errors.push({
      reason: "FieldValueInvalid",
      field: "propagationPolicy",
      message: `Invalid value: ${JSON.stringify(policy)}: orphanDependents and deletionPropagation cannot be both set`,
    });
  }
  if (typeof policy === "string" && !["Foreground", "Background", "Orphan"].includes(policy)) {
    errors.push(unsupported("propagationPolicy", policy, ["Foreground", "Background", "Orphan", "nil"]));
  }
  errors.push(...checkDryRun(dryRun));
  if (errors.length > 0) throw invalid({ group: "meta.k8s.io", kind: "DeleteOptions" }, "", errors);

  const preconditions = isObject(raw["preconditions"]) ? raw["preconditions"] : {};
  const grace = raw["gracePeriodSeconds"];
  const { kind: _kind, apiVersion: _apiVersion, ...given } = raw;
  const legacy = typeof orphan === "boolean" ? (orphan ? "Orphan" : "Background") : undefined;
  return {
    dryRun: dryRun.length > 0,
    gracePeriodSeconds: typeof grace === "number" ? grace : undefined,
    // Checked above.
    propagation: (typeof policy === "string" ? policy : legacy) as DeleteOptions["propagation"],
    uid: text(preconditions["uid"]),
    resourceVersion: text(preconditions["resourceVersion"]),
    raw: given,
  };
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function deleteOptionsOfQuery(query: Query): JsonObject {
  const raw: { [key: string]: Json } = {};
  const grace = readInteger(query, "gracePeriodSeconds");
  if (grace !== undefined) raw["gracePeriodSeconds"] = grace;
  const policy = query.get("propagationPolicy");
  if (policy !== undefined) raw["propagationPolicy"] = policy;
  const orphan = readFlag(query, "orphanDependents");
  if (orphan !== undefined) raw["orphanDependents"] = orphan;
  if (query.has("dryRun")) raw["dryRun"] = [...query.getAll("dryRun")];
  return raw;
}

/** 409 when the object is not the one that the client meant. `kind` stands where other conflicts name the resource. */
export function checkPreconditions(
  options: { readonly uid?: string | undefined; readonly resourceVersion?: string | undefined },
  live: { readonly uid: string; readonly resourceVersion: string },
  target: { readonly group: string; readonly resource: string; readonly name: string },
): void {
  const resource = { group: target.group, resource: target.resource };
  if (options.uid !== undefined && options.uid !== live.uid) {
    const why = `the UID in the precondition (${options.uid}) does not match the UID in record (${live.uid}). The object might have been deleted and then recreated`;
    throw conflict(resource, target.name, why);
  }
  if (options.resourceVersion !== undefined && options.resourceVersion !== live.resourceVersion) {
    const why = `the ResourceVersion in the precondition (${options.resourceVersion}) does not match the ResourceVersion in record (${live.resourceVersion}). The object might have been modified`;
    throw conflict(resource, target.name, why);
  }
}
