// A built-in kind: the tables give its form, its rules the rest.
import type { UserInfo } from "../../../kube/client/transport.ts";
import type { FieldType } from "../../../kube/fields/type.ts";
import { cloneJson, formatApiVersion, type JsonObject, type KubeObject } from "../../../kube/object.ts";
import type { Column, DecodeResult, FieldError, KindStrategy, ScalePaths, SubresourceInfo } from "../registry/kind.ts";
import { badRequest } from "../registry/status-error.ts";
import { decodeTyped } from "./decode.ts";
import { applyTypeDefaults } from "./defaulting.ts";
import { fieldTypeOf } from "./field-types.ts";
import { DecodeError } from "./go-values.ts";
import type { KindRules } from "./kind-rules.ts";
import { toStoredForm } from "./stored-form.ts";
import { columnsOf, fieldsOf, type ResourceRow, typeNameOf } from "./tables.ts";

/**
 * Decodes a body of any kind of the tables, such as DeleteOptions, Scale or Eviction, to its canonical form.
 * Throws a 400 for a value of the wrong JSON type.
 */
export function decodeKind(
  apiVersion: string,
  kind: string,
  body: JsonObject,
  parseErrors: readonly string[] = [],
): DecodeResult {
  const typeName = typeNameOf(apiVersion, kind);
  if (typeName === undefined) throw new Error(`no kind ${kind} of ${apiVersion} in the tables`);
  try {
    const { value, strictErrors } = decodeTyped(typeName, body);
    value["kind"] = kind;
    value["apiVersion"] = apiVersion;
    // A decoded kind has metadata by its field table.
    return { object: value as unknown as KubeObject, strictErrors: [...parseErrors, ...strictErrors] };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const version = apiVersion.slice(apiVersion.indexOf("/") + 1);
    throw badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${error.message}`);
  }
}

export class BuiltinKind implements KindStrategy {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly listKind: string;
  readonly plural: string;
  readonly singular: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  readonly subresources: readonly SubresourceInfo[];
  readonly custom = false;
  readonly hasGeneration: boolean;
  readonly hasStatus: boolean;
  readonly statusKeeps: readonly string[];
  readonly scale: ScalePaths | undefined;
  readonly createOnUpdate: boolean;
  readonly unconditionalUpdate: boolean;
  readonly storageKey: string;
  readonly nameRule: KindStrategy["nameRule"];
  readonly selectableFields: readonly string[] | undefined;
  readonly allocate?: NonNullable<KindStrategy["allocate"]>;
  readonly warnings?: NonNullable<KindStrategy["warnings"]>;

  readonly #apiVersion: string;
  readonly #typeName: string;
  readonly #rules: KindRules;
  #columns: readonly Column[] | undefined;
  #newStatus: unknown;

  constructor(row: ResourceRow, rules: KindRules) {
    this.group = row.group;
    this.version = row.version;
    this.kind = row.kind;
    this.listKind = `${row.kind}List`;
    this.plural = row.resource;
    this.singular = row.singularResource;
    this.namespaced = row.scope === "Namespaced";
    this.shortNames = row.shortNames ?? [];
    this.categories = row.categories ?? [];
    this.verbs = row.verbs;
    this.subresources = (row.subresources ?? []).map((sub) => ({
      name: sub.subresource,
      verbs: sub.verbs,
      ...(sub.kind === row.kind && sub.group === undefined
        ? {}
        : { responseKind: { group: sub.group ?? row.group, version: sub.version ?? row.version, kind: sub.kind } }),
      ...(sub.acceptedTypes === undefined ? {} : { acceptedTypes: sub.acceptedTypes }),
    }));
    this.hasStatus = this.subresources.some((sub) => sub.name === "status");
    this.statusKeeps = rules.statusKeeps ?? [];
    this.hasGeneration = rules.generation ?? false;
    this.scale = rules.scale;
    this.createOnUpdate = rules.createOnUpdate ?? false;
    this.unconditionalUpdate = !(rules.conditionalUpdateOnly ?? false);
    this.storageKey = row.group === "" || row.resource === "events" ? row.resource : `${row.group}/${row.resource}`;
    this.nameRule = rules.nameRule ?? "subdomain";
    this.selectableFields = rules.selectable === undefined ? undefined : Object.keys(rules.selectable);
    if (rules.allocate !== undefined) this.allocate = rules.allocate;
    if (rules.warnings !== undefined) this.warnings = rules.warnings;
    this.#apiVersion = formatApiVersion(row.group, row.version);
    const typeName = typeNameOf(this.#apiVersion, row.kind);
    if (typeName === undefined) throw new Error(`no type for ${this.#apiVersion} ${row.kind}`);
    this.#typeName = typeName;
    this.#rules = rules;
  }

  decode(body: JsonObject, parseErrors: readonly string[]): DecodeResult {
    return decodeKind(this.#apiVersion, this.kind, body, parseErrors);
  }

  convert(object: KubeObject): KubeObject {
    if (object.apiVersion === this.#apiVersion) return object;
    if (this.#rules.convert !== undefined) return this.#rules.convert(object);
    return { ...object, apiVersion: this.#apiVersion };
  }

  applyDefaults(object: KubeObject, old: KubeObject | undefined): void {
    // A decoded object is JSON; KubeObject only names its metadata.
    applyTypeDefaults(this.#typeName, object as unknown as JsonObject);
    this.#rules.applyDefaults?.(object, old);
  }

  prepareForCreate(object: KubeObject, user?: UserInfo): void {
    if (this.hasStatus && this.#rules.keepsStatusOnCreate !== true) object["status"] = cloneJson(this.#emptyStatus());
    this.#rules.prepareForCreate?.(object, user);
    toStoredForm(this.#typeName, object as unknown as JsonObject);
  }

  prepareForUpdate(object: KubeObject, old: KubeObject): void {
    if (this.hasStatus) {
      if (old["status"] === undefined) delete object["status"];
      else object["status"] = cloneJson(old["status"]);
    }
    this.#rules.prepareForUpdate?.(object, old);
    toStoredForm(this.#typeName, object as unknown as JsonObject);
  }

  validateCreate(object: KubeObject): readonly FieldError[] {
    return this.#rules.validate?.(object, undefined) ?? [];
  }

  validateUpdate(object: KubeObject, old: KubeObject): readonly FieldError[] {
    return [...(this.#rules.validate?.(object, old) ?? []), ...(this.#rules.validateUpdate?.(object, old) ?? [])];
  }

  fieldType(): FieldType {
    return fieldTypeOf(this.#typeName);
  }

  get columns(): readonly Column[] {
    // Roles have the two columns of kinds without columns of their own.
    this.#columns ??= columnsOf(this.#apiVersion, this.kind) ?? columnsOf("rbac.authorization.k8s.io/v1", "Role") ?? [];
    return this.#columns;
  }

  cells(object: KubeObject, nowMs: number): readonly unknown[] {
    return (
      this.#rules.cells?.(object, nowMs) ?? [
        object.metadata.name ?? "",
        object.metadata.creationTimestamp ?? "<unknown>",
      ]
    );
  }

  fieldValue(object: KubeObject, field: string): string {
    return this.#rules.selectable?.[field]?.(object) ?? "";
  }

  #emptyStatus(): unknown {
    if (this.#newStatus === undefined) {
      const hasStatusField = fieldsOf(this.#typeName).some(([, name]) => name === "status");
      const { value } = decodeTyped(this.#typeName, {});
      applyTypeDefaults(this.#typeName, value);
      this.#newStatus = hasStatusField ? (value["status"] ?? {}) : {};
    }
    return this.#newStatus;
  }
}
