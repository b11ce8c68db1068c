// Validation of CustomResourceDefinitions themselves.
import { equalJson, type Json, type JsonObject, type KubeObject } from "../../../kube/object.ts";
import { forbiddenValue, invalidValue, notSupported, required } from "../kinds/field-errors.ts";
import { reviewVersionErrors } from "../kinds/validate-webhooks.ts";
import { webhookClientErrors } from "../kinds/webhook-client-errors.ts";
import type { FieldError } from "../registry/kind.ts";
import { columnErrors, formatWarnings, selectableFieldErrors, simplePathErrors } from "./column-rules.ts";
import type { JsonSchema } from "./schema.ts";
import { checkSchema } from "./schema-rules.ts";

const LABEL = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const LABEL_RULE =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const SUBDOMAIN_RULE =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

interface Spec {
  readonly group: string;
  readonly scope: string;
  readonly names: Names;
  readonly versions: readonly Version[] | null;
  readonly conversion?: JsonObject;
  readonly preserveUnknownFields?: boolean;
}

interface Names {
  readonly plural: string;
  readonly singular?: string;
  readonly kind: string;
  readonly listKind?: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

interface Version {
  readonly name: string;
  readonly served: boolean;
  readonly storage: boolean;
  readonly deprecated?: boolean;
  readonly deprecationWarning?: string;
  readonly schema?: { readonly openAPIV3Schema?: JsonSchema };
  readonly subresources?: JsonObject;
  readonly additionalPrinterColumns?: readonly JsonObject[];
  readonly selectableFields?: readonly JsonObject[];
}

function specOf(crd: KubeObject): Spec {
  // Decoded by the field table.
  return crd["spec"] as Spec;
}

function labelErrors(field: string, value: string): FieldError[] {
  if (value.length > 63) return [invalidValue(field, value, "must be no more than 63 characters")];
  return LABEL.test(value) ? [] : [invalidValue(field, value, LABEL_RULE)];
}

/** Checks of a new or changed definition. */
export function validateDefinition(crd: KubeObject): FieldError[] {
  const spec = specOf(crd);
  const errors: FieldError[] = [];
  if (crd.metadata.name !== `${spec.names.plural}.${spec.group}`) {
    errors.push(invalidValue("metadata.name", crd.metadata.name ?? "", 'must be spec.names.plural+"."+spec.group'));
  }
  errors.push(...groupErrors(crd, spec.group), ...scopeErrors(spec.scope), ...nameErrors(spec.names));
  if (spec.preserveUnknownFields === true) {
    const why =
      "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
    errors.push(invalidValue("spec.preserveUnknownFields", true, why));
  }
  errors.push(...versionErrors(spec), ...conversionErrors(spec.conversion ?? {}), ...storedVersionErrors(crd, spec));
  return errors;
}

const PROTECTED = /(^|\.)(k8s\.io|kubernetes\.io)$/;
const APPROVAL = "api-approved.kubernetes.io";

function groupErrors(crd: KubeObject, group: string): FieldError[] {
  if (group === "") return [required("spec.group")];
  if (!SUBDOMAIN.test(group)) return [invalidValue("spec.group", group, SUBDOMAIN_RULE)];
  if (!group.includes(".")) return [invalidValue("spec.group", group, "should be a domain with at least one dot")];
  if (!PROTECTED.test(group)) return [];
  const field = `metadata.annotations[${APPROVAL}]`;
  const approval = crd.metadata.annotations?.[APPROVAL];
  const link = "see https://github.com/kubernetes/enhancements/pull/1111";
  if (approval === undefined || approval === "") {
    return [required(field, `protected groups must have approval annotation "${APPROVAL}", ${link}`)];
  }
  if (approval.startsWith("unapproved") || URL.canParse(approval)) return [];
  const why = `protected groups must have approval annotation "${APPROVAL}" with either a URL or a reason starting with "unapproved", ${link}`;
  return [invalidValue(field, approval, why)];
}

function scopeErrors(scope: string): FieldError[] {
  if (scope === "") return [required("spec.scope")];
  return scope === "Cluster" || scope === "Namespaced"
    ? []
    : [notSupported("spec.scope", scope, ["Cluster", "Namespaced"])];
}

function nameErrors(names: Names): FieldError[] {
  const errors: FieldError[] = [];
  const singular = names.singular ?? "";
  const listKind = names.listKind ?? "";
  errors.push(
    ...(names.plural === "" ? [required("spec.names.plural")] : labelErrors("spec.names.plural", names.plural)),
  );
  if (singular !== "") errors.push(...labelErrors("spec.names.singular", singular));
  else errors.push(required("spec.names.singular"));
  errors.push(...kindErrors("spec.names.kind", names.kind), ...kindErrors("spec.names.listKind", listKind));
  for (const [index, short] of (names.shortNames ?? []).entries()) {
    errors.push(...labelErrors(`spec.names.shortNames[${index}]`, short));
  }
  for (const [index, category] of (names.categories ?? []).entries()) {
    errors.push(...labelErrors(`spec.names.categories[${index}]`, category));
  }
  if (names.kind !== "" && names.kind === listKind) {
    errors.push(invalidValue("spec.names.listKind", listKind, "kind and listKind may not be the same"));
  }
  return errors;
}

function kindErrors(field: string, kind: string): FieldError[] {
  if (kind === "") return [required(field)];
  if (LABEL.test(kind.toLowerCase())) return [];
  return [invalidValue(field, kind, `may have mixed case, but should otherwise match: ${LABEL_RULE}`)];
}

/** A version as the reference prints it in messages; what all versions share stands elsewhere by then. */
function printedVersion(version: Version): JsonObject {
  return {
    Name: version.name,
    Served: version.served,
    Storage: version.storage,
    Deprecated: version.deprecated ?? false,
    DeprecationWarning: version.deprecationWarning ?? null,
    Schema: null,
    Subresources: null,
    AdditionalPrinterColumns: null,
    SelectableFields: null,
  };
}

/** Whether all versions have the same value: messages then speak of the definition, not of a version. */
function isShared(versions: readonly Version[], pick: (version: Version) => unknown): boolean {
  return versions.every((version) => equalJson(pick(version), pick(versions[0]!)));
}

function versionErrors(spec: Spec): FieldError[] {
  const versions = spec.versions ?? [];
  const errors: FieldError[] = [];
  const printed = versions.map(printedVersion);
  if (versions.filter(({ storage }) => storage).length !== 1) {
    errors.push(invalidValue("spec.versions", printed, "must have exactly one version marked as storage version"));
  }
  if (new Set(versions.map(({ name }) => name)).size !== versions.length) {
    errors.push(invalidValue("spec.versions", printed, "must contain unique version names"));
  }
  if (versions[0] !== undefined) errors.push(...labelErrors("spec.version", versions[0].name));
  const schemasShared = isShared(versions, ({ schema }) => schema);
  const subresourcesShared = isShared(versions, ({ subresources }) => subresources);
  const columnsShared = isShared(versions, columnsOf);
  const selectableShared = isShared(versions, ({ selectableFields }) => selectableFields ?? []);
  for (const [index, version] of versions.entries()) {
    const path = `spec.versions[${index}]`;
    errors.push(...labelErrors(`${path}.name`, version.name));
    if (version.deprecationWarning !== undefined) {
      const at = `${path}.deprecationWarning`;
      const text = version.deprecationWarning;
      if (version.deprecated !== true) errors.push(invalidValue(at, text, "can only be set for deprecated versions"));
      if (text === "") errors.push(invalidValue(at, text, "must not be an empty string"));
    }
    const schema = version.schema?.openAPIV3Schema;
    if (schema === undefined) errors.push(required(`${path}.schema.openAPIV3Schema`));
    else if (!schemasShared) errors.push(...checkSchema(schema, `${path}.schema.openAPIV3Schema`));
    else if (index === 0) errors.push(...checkSchema(schema, "spec.validation.openAPIV3Schema"));
    if (!subresourcesShared) errors.push(...subresourceErrors(version.subresources, `${path}.subresources`));
    else if (index === 0) errors.push(...subresourceErrors(version.subresources, "spec.subresources"));
    if (!columnsShared) errors.push(...columnErrors(columnsOf(version), `${path}.additionalPrinterColumns`));
    else if (index === 0) errors.push(...columnErrors(columnsOf(version), "spec.additionalPrinterColumns"));
    const selectable = version.selectableFields ?? [];
    if (!selectableShared) errors.push(...selectableFieldErrors(selectable, schema, `${path}.selectableFields`));
    else if (index === 0) errors.push(...selectableFieldErrors(selectable, schema, "spec.selectableFields"));
  }
  return errors;
}

function columnsOf(version: Version): readonly JsonObject[] {
  return version.additionalPrinterColumns ?? [];
}

/** Warnings about a definition that is accepted. */
export function definitionWarnings(crd: KubeObject): readonly string[] {
  const warnings = (specOf(crd).versions ?? []).flatMap(({ schema }) =>
    schema?.openAPIV3Schema === undefined ? [] : formatWarnings(schema.openAPIV3Schema),
  );
  return [...new Set(warnings)];
}

function subresourceErrors(subresources: JsonObject | undefined, path: string): FieldError[] {
  const scale = subresources?.["scale"] as JsonObject | undefined;
  if (scale === undefined || scale === null) return [];
  return [
    ...pathErrors(`${path}.scale.specReplicasPath`, scale["specReplicasPath"], ".spec"),
    ...pathErrors(`${path}.scale.statusReplicasPath`, scale["statusReplicasPath"], ".status"),
    ...(scale["labelSelectorPath"] === undefined || scale["labelSelectorPath"] === ""
      ? []
      : pathErrors(`${path}.scale.labelSelectorPath`, scale["labelSelectorPath"], ".spec or .status")),
  ];
}

function pathErrors(field: string, value: Json | undefined, roots: string): FieldError[] {
  const errors = simplePathErrors(field, value);
  if (errors.length > 0 || typeof value !== "string") return errors;
  const allowed = roots.split(" or ");
  return allowed.some((root) => value.startsWith(`${root}.`))
    ? []
    : [invalidValue(field, value, `should be a json path under ${allowed.join(" or ")}`)];
}

function conversionErrors(conversion: JsonObject): FieldError[] {
  const strategy = conversion["strategy"] ?? "";
  if (strategy === "") return [required("spec.conversion.strategy")];
  if (strategy === "None") {
    const why = "should not be set when strategy is not set to Webhook";
    const webhook = conversion["webhook"] as JsonObject | undefined;
    return ["clientConfig", "conversionReviewVersions"]
      .filter((field) => webhook?.[field] !== undefined && webhook[field] !== null)
      .map((field) =>
        forbiddenValue(`spec.conversion.${field === "clientConfig" ? "webhookClientConfig" : field}`, why),
      );
  }
  if (strategy !== "Webhook") return [notSupported("spec.conversion.strategy", strategy, ["None", "Webhook"])];
  const webhook = conversion["webhook"] as JsonObject | undefined;
  const errors: FieldError[] = [];
  const reviews = webhook?.["conversionReviewVersions"];
  if (!Array.isArray(reviews) || reviews.length === 0)
    errors.push(required("spec.conversion.conversionReviewVersions"));
  else errors.push(...reviewVersionErrors(reviews.map(String), "spec.conversion.conversionReviewVersions"));
  const client = webhook?.["clientConfig"] as JsonObject | undefined;
  if (client === undefined) {
    errors.push(required("spec.conversion.webhookClientConfig", "required when strategy is set to Webhook"));
  } else errors.push(...webhookClientErrors("spec.conversion.webhookClientConfig", client));
  return errors;
}

function storedVersionErrors(crd: KubeObject, spec: Spec): FieldError[] {
  const versions = spec.versions ?? [];
  const stored = ((crd["status"] as JsonObject | undefined)?.["storedVersions"] ?? []) as string[];
  if (stored.length === 0) {
    return [invalidValue("status.storedVersions", null, "must have at least one stored version")];
  }
  const errors: FieldError[] = [];
  const storage = versions.findLast((version) => version.storage)?.name;
  if (storage !== undefined && !stored.includes(storage)) {
    errors.push(invalidValue("status.storedVersions", stored, `must have the storage version ${storage}`));
  }
  for (const [index, name] of stored.entries()) {
    if (versions.some((version) => version.name === name)) continue;
    const why = `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`;
    errors.push(invalidValue(`status.storedVersions[${index}]`, name, why));
  }
  return errors;
}

function isEstablished(crd: KubeObject): boolean {
  const conditions = ((crd["status"] as JsonObject | undefined)?.["conditions"] ?? []) as JsonObject[];
  return conditions.some((condition) => condition["type"] === "Established" && condition["status"] === "True");
}

/** What may not change once instances may exist. */
export function validateDefinitionUpdate(crd: KubeObject, old: KubeObject): FieldError[] {
  const spec = specOf(crd);
  const before = specOf(old);
  const errors: FieldError[] = [];
  const immutable = (field: string, value: string, was: string): void => {
    if (value !== was) errors.push(invalidValue(field, value, "field is immutable"));
  };
  if (isEstablished(old)) {
    immutable("spec.scope", spec.scope, before.scope);
    immutable("spec.names.kind", spec.names.kind, before.names.kind);
  }
  immutable("spec.group", spec.group, before.group);
  immutable("spec.names.plural", spec.names.plural, before.names.plural);
  return errors;
}
