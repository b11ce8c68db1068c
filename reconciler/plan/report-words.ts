// Objects, places and writers as a plan report has them.
import type { LineWriter, Place, ReportedObject } from "../../api/plan-report.ts";
import type { ObjectRef } from "../../kube/object.ts";
import type { Writer } from "../../renderers/rendered.ts";
import type { Origin } from "./origin.ts";
import type { OverriddenField } from "./overridden-fields.ts";

export function reportedObject({ apiVersion, kind, namespace, name }: ObjectRef): ReportedObject {
  return { apiVersion, kind, ...(namespace === undefined || namespace === "" ? {} : { namespace }), name };
}

/** `apps/web.yaml:3` as a place. */
export function placeOf(origin: string): Place {
  const found = /^(.*):([0-9]+)$/.exec(origin);
  return found === null ? { file: origin } : { file: found[1] ?? origin, line: Number(found[2]) };
}

/** Undefined when no file is known. */
export function placeOfOrigin(origin: Origin | undefined): Place | undefined {
  if (origin?.file === undefined) return undefined;
  const commit =
    origin.revision === undefined ? undefined : origin.revision.slice(origin.revision.lastIndexOf(":") + 1);
  return { ...placeOf(origin.file), ...(commit === undefined ? {} : { commit }) };
}

/** An entry of a kustomization. */
export function rendererWriter({ by, file, line, field, patch }: Writer): LineWriter {
  const what =
    by === "File" ? "file" : /Generator$/.test(by) ? "generator" : /^Patch/.test(by) ? "patch" : "transformer";
  const inside = patch === undefined ? "" : ` (${patch})`;
  return { what, name: `${field ?? by}${inside}`, place: { file, ...(line === undefined ? {} : { line }) } };
}

/** A rule of an override policy. */
export function overrideWriter({ policy, rule, origin }: OverriddenField): LineWriter {
  const kind = policy.kind === "ClusterOverridePolicy" ? "cluster override" : "override";
  const name = policy.namespace === undefined ? policy.name : `${policy.namespace}/${policy.name}`;
  const place = placeOfOrigin(origin);
  const by = place === undefined && origin?.sync !== undefined ? ` (Sync ${origin.sync})` : "";
  return { what: "override", name: `${kind} ${name}, rule ${rule}${by}`, ...(place === undefined ? {} : { place }) };
}
