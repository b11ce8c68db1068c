// The rules for `metadata` that every kind shares.

import { checkLabelValue, checkQualifiedName } from "../../../kube/names.ts";
import type { KubeObject, ObjectMeta, OwnerReference } from "../../../kube/object.ts";
import type { FieldError, KindStrategy } from "./kind.ts";
import { checkName } from "./names.ts";

const MAX_ANNOTATION_BYTES = 262_144;

function bad(field: string, value: unknown, why: string): FieldError {
  return { reason: "FieldValueInvalid", field, message: `Invalid value: ${JSON.stringify(value)}: ${why}` };
}

/** What is wrong with the metadata of a new object. */
export function validateMetadata(object: KubeObject, kind: KindStrategy): FieldError[] {
  const meta = object.metadata;
  const errors: FieldError[] = [];
  const { generateName, name } = meta;
  if (generateName !== undefined && generateName !== "") {
    // A trailing dash becomes a letter once the suffix is there.
    const prefix = generateName.replace(/-$/, "a");
    for (const why of checkName(kind.nameRule, prefix)) errors.push(bad("metadata.generateName", generateName, why));
  }
  if (name === undefined || name === "") {
    errors.push({
      reason: "FieldValueRequired",
      field: "metadata.name",
      message: "Required value: name or generateName is required",
    });
  } else {
    for (const why of checkName(kind.nameRule, name)) errors.push(bad("metadata.name", name, why));
  }
  const { generation } = meta;
  if (generation !== undefined && generation < 0) {
    errors.push(bad("metadata.generation", generation, "must be greater than or equal to 0"));
  }
  errors.push(...validateMaps(meta), ...validateOwners(meta.ownerReferences ?? []), ...validateFinalizers(meta));
  if (!kind.custom && !UNQUALIFIED_FINALIZERS.has(kind.group)) errors.push(...unqualifiedFinalizers(meta));
  return errors;
}

/** Groups of their own servers in the reference, which take any finalizer that is well formed. */
const UNQUALIFIED_FINALIZERS: ReadonlySet<string> = new Set(["apiextensions.k8s.io", "apiregistration.k8s.io"]);
const STANDARD_FINALIZERS: ReadonlySet<string> = new Set(["kubernetes", "orphan", "foregroundDeletion"]);

function unqualifiedFinalizers(meta: ObjectMeta): FieldError[] {
  const why = "name is neither a standard finalizer name nor is it fully qualified";
  return (meta.finalizers ?? []).flatMap((finalizer, index) =>
    finalizer.includes("/") || STANDARD_FINALIZERS.has(finalizer)
      ? []
      : [bad(`metadata.finalizers[${index}]`, finalizer, why)],
  );
}

function validateMaps(meta: ObjectMeta): FieldError[] {
  const errors: FieldError[] = [];
  for (const [key, value] of Object.entries(meta.labels ?? {})) {
    for (const why of checkQualifiedName(key)) errors.push(bad("metadata.labels", key, why));
    for (const why of checkLabelValue(value)) errors.push(bad("metadata.labels", value, why));
  }
  let bytes = 0;
  for (const [key, value] of Object.entries(meta.annotations ?? {})) {
    for (const why of checkQualifiedName(key.toLowerCase())) errors.push(bad("metadata.annotations", key, why));
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (bytes > MAX_ANNOTATION_BYTES) {
    errors.push({
      reason: "FieldValueTooLong",
      field: "metadata.annotations",
      message: `Too long: may not be more than ${MAX_ANNOTATION_BYTES} bytes`,
    });
  }
  return errors;
}

function validateOwners(owners: readonly OwnerReference[]): FieldError[] {
  const errors: FieldError[] = [];
  const field = "metadata.ownerReferences";
  let controller: OwnerReference | undefined;
  for (const owner of owners) {
    const { apiVersion = "", kind = "", name = "", uid = "" } = owner;
    const version = apiVersion.slice(apiVersion.indexOf("/") + 1);
    if (version === "") errors.push(bad(`${field}.apiVersion`, apiVersion, "version must not be empty"));
    if (kind === "") errors.push(bad(`${field}.kind`, kind, "must not be empty"));
    if (name === "") errors.push(bad(`${field}.name`, name, "must not be empty"));
    if (uid === "") errors.push(bad(`${field}.uid`, uid, "must not be empty"));
    if (apiVersion === "v1" && kind === "Event") {
      errors.push(bad(field, orderedOwner(owner), "/v1, Kind=Event is disallowed from being an owner"));
    }
    if (owner.controller !== true) continue;
    if (controller === undefined) controller = owner;
    else {
      const why = `Only one reference can have Controller set to true. Found "true" in references for ${controller.kind}/${controller.name} and ${kind}/${name}`;
      errors.push(bad(field, owners.map(orderedOwner), why));
    }
  }
  return errors;
}

/** In the order in which the reference prints an owner. */
function orderedOwner(owner: OwnerReference): OwnerReference {
  const { apiVersion, kind, name, uid, ...rest } = owner;
  return { apiVersion, kind, name, uid, ...rest };
}

function validateFinalizers(meta: ObjectMeta): FieldError[] {
  const errors: FieldError[] = [];
  const finalizers = meta.finalizers ?? [];
  for (const finalizer of finalizers) {
    for (const why of checkQualifiedName(finalizer)) errors.push(bad("metadata.finalizers", finalizer, why));
  }
  if (finalizers.includes("orphan") && finalizers.includes("foregroundDeletion")) {
    errors.push(bad("metadata.finalizers", finalizers, "finalizer orphan and foregroundDeletion cannot be both set"));
  }
  return errors;
}

/** What is wrong with the metadata of an update, beyond the rules for new objects. */
export function validateMetadataUpdate(object: KubeObject, old: KubeObject, kind: KindStrategy): FieldError[] {
  const meta = object.metadata;
  const before = old.metadata;
  const errors: FieldError[] = [];
  // Requests name the object they mean; only admission can make another of it.
  if (meta.name !== before.name) errors.push(bad("metadata.name", meta.name ?? "", "field is immutable"));
  if (before.deletionTimestamp !== undefined) {
    const present = new Set(before.finalizers ?? []);
    const added = (meta.finalizers ?? []).filter((finalizer) => !present.has(finalizer));
    if (added.length > 0) {
      errors.push({
        reason: "FieldValueForbidden",
        field: "metadata.finalizers",
        message: `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((text) => JSON.stringify(text)).join(", ")}}`,
      });
    }
  }
  if (meta.uid !== before.uid) errors.push(bad("metadata.uid", meta.uid ?? "", "field is immutable"));
  if ((meta.deletionTimestamp ?? undefined) !== before.deletionTimestamp) {
    errors.push(bad("metadata.deletionTimestamp", meta.deletionTimestamp ?? null, "field is immutable"));
  }
  if (meta.deletionGracePeriodSeconds !== before.deletionGracePeriodSeconds) {
    const value = meta.deletionGracePeriodSeconds ?? null;
    errors.push(bad("metadata.deletionGracePeriodSeconds", value, "field is immutable"));
  }
  // As the reference, which checks these twice: each is reported as two causes.
  const repeated = errors.flatMap((error) => [error, error]);
  // Names of stored objects are valid, so this repeats only the checks of what an update can change.
  return [...repeated, ...validateMetadata(object, kind).filter((error) => !error.field.endsWith("ame"))];
}
