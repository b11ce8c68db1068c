// What a server refuses to change in an object that exists, and the words for it.
import { REPLACE_ANNOTATION } from "../api/gitops.ts";
import { ApiStatusError } from "../kube/client/status-error.ts";
import { isObject, type KubeObject } from "../kube/object.ts";
import { AppError } from "../runtime/errors.ts";

/** How servers word it: kinds have their own sentences, and rules of custom resources those of their authors. */
const REFUSALS = [
  /immutable/i,
  /may not (be )?change/i,
  /can ?not (be )?(change|update|modif)/i,
  /updates to .* (are|is) forbidden/i,
  /updates to .* for fields other than/i,
  /updates may not change fields other than/i,
  /self == oldSelf/,
];

/** The paths that the server refused to change, as it names them; undefined when it refused for another reason. */
export function immutableFields(error: unknown): readonly string[] | undefined {
  if (!(error instanceof ApiStatusError) || error.status.code !== 422) return undefined;
  const { details, message } = error.status;
  const causes = Array.isArray(details?.["causes"]) ? details["causes"].map(asObject) : [];
  const told = causes.map((cause) => ({ field: textOf(cause["field"]), message: textOf(cause["message"]) }));
  const fields = told.filter((cause) => isRefusal(cause.message)).map(({ field }) => field || "(whole object)");
  if (fields.length > 0) return [...new Set(fields)];
  // Proxies and older servers leave the causes out.
  return causes.length === 0 && isRefusal(message) ? ["(whole object)"] : undefined;
}

function asObject(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {};
}

function isRefusal(message: string): boolean {
  return REFUSALS.some((words) => words.test(message));
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Whether its author wants a copy replaced rather than left as it is. */
export function asksForReplacement(manifest: KubeObject): boolean {
  return manifest.metadata.annotations?.[REPLACE_ANNOTATION] === "true";
}

/** What goes with these is never worth a changed field. */
const NEVER_REPLACED: ReadonlySet<string> = new Set(["Namespace", "CustomResourceDefinition"]);

export function mayBeReplaced(manifest: KubeObject): boolean {
  return !NEVER_REPLACED.has(manifest.kind);
}

/** Told instead of the server's refusal, whose sentence may hold values. */
export function immutableRefused(
  cluster: string,
  manifest: KubeObject,
  fields: readonly string[],
  cause: unknown,
): AppError {
  const { kind, metadata } = manifest;
  const name = `${metadata.namespace === undefined ? "" : `${metadata.namespace}/`}${metadata.name ?? ""}`;
  const what = `${fields.join(", ")} of ${kind} ${name} cannot be changed in cluster ${cluster}, where the copy stays as it was`;
  const advice = mayBeReplaced(manifest)
    ? `to have it deleted and made anew, annotate the template with ${REPLACE_ANNOTATION}=true`
    : `objects of this kind are never replaced, because all that is in them would go with them`;
  return new AppError("member-object-immutable", `${what}; ${advice}`, {
    recovery: "stall",
    details: { cluster, fields },
    cause,
  });
}
