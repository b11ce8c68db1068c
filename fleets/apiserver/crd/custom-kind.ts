// A custom resource at one version, as the verb handlers see it.

import { fieldTypeFromSchema } from "../../../kube/fields/structural.ts";
import { DEDUCED, type FieldType } from "../../../kube/fields/type.ts";
import { quoteGo } from "../../../kube/go-text.ts";
import { cloneJson, formatApiVersion, type Json, type JsonObject, type KubeObject } from "../../../kube/object.ts";
import { metadataType } from "../kinds/field-types.ts";
import { DecodeError } from "../kinds/go-values.ts";
import type {
  Column,
  DecodeResult,
  FieldError,
  KindStrategy,
  ScalePaths,
  SubresourceInfo,
  VersionConverter,
} from "../registry/kind.ts";
import { badRequest } from "../registry/status-error.ts";
import { applySchemaDefaults, dropNulls } from "./defaulting.ts";
import { compileColumns, compileFinder, type PrinterColumn, type PrinterTable } from "./printer-columns.ts";
import { coerceMetadata, pruneUnknown } from "./prune.ts";
import { checkRules, hasRules, type RuleChecker, type RuleCompiler } from "./rule-checker.ts";
import { validateScaleValues } from "./scale-values.ts";
import { compileSchema, isJsonObject, type JsonSchema, type SchemaNode } from "./schema.ts";
import { validateListTypes, validateValue } from "./validate.ts";

/** The parts of a stored CustomResourceDefinition that are read here. */
interface DefinitionSpec {
  readonly group: string;
  readonly scope: "Namespaced" | "Cluster";
  readonly names: {
    readonly plural: string;
    readonly singular?: string;
    readonly kind: string;
    readonly listKind?: string;
    readonly shortNames?: readonly string[];
    readonly categories?: readonly string[];
  };
  readonly versions: readonly DefinitionVersion[];
}

interface DefinitionVersion {
  readonly name: string;
  readonly storage?: boolean;
  readonly deprecated?: boolean;
  readonly deprecationWarning?: string;
  readonly schema?: { readonly openAPIV3Schema?: JsonSchema };
  readonly subresources?: {
    readonly status?: object;
    readonly scale?: {
      readonly specReplicasPath: string;
      readonly statusReplicasPath: string;
      readonly labelSelectorPath?: string;
    };
  };
  readonly additionalPrinterColumns?: readonly PrinterColumn[];
  readonly selectableFields?: readonly { readonly jsonPath: string }[];
}

export interface CustomKindOptions {
  /** Evaluates `x-kubernetes-validations`. Without it rules are accepted and not evaluated. */
  readonly compileRules?: RuleCompiler;
  /** Converts between the versions of the definition; absent: they differ in their name only. */
  readonly converter?: VersionConverter;
}

const VERBS = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
const SUBRESOURCE_VERBS = ["get", "patch", "update"];

function withoutDot(path: string): string {
  return path.startsWith(".") ? path.slice(1) : path;
}

export class CustomKind implements KindStrategy {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly listKind: string;
  readonly plural: string;
  readonly singular: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[] = VERBS;
  readonly subresources: readonly SubresourceInfo[];
  readonly custom = true;
  readonly hasGeneration = true;
  readonly hasStatus: boolean;
  readonly statusKeeps = undefined;
  readonly scale: ScalePaths | undefined;
  readonly createOnUpdate = false;
  readonly unconditionalUpdate: boolean = false;
  readonly storageKey: string;
  readonly storageApiVersion: string;
  readonly converter?: VersionConverter;
  readonly nameRule = "subdomain";
  readonly selectableFields: readonly string[];
  /** The schema as registered, for OpenAPI documents. */
  readonly schema: JsonSchema;

  readonly #apiVersion: string;
  readonly #deprecation: string | undefined;
  readonly #definition: DefinitionVersion;
  readonly #compileRules: RuleCompiler | undefined;
  #node: SchemaNode | undefined;
  #fieldType: FieldType | undefined;
  #table: PrinterTable | undefined;
  #ruleChecker: RuleChecker | undefined;
  #hasRules: boolean | undefined;
  /** What rules found in parts that an update left alone. */
  readonly #tolerated = new WeakMap<KubeObject, readonly string[]>();
  readonly #finders: ReadonlyMap<string, (object: unknown) => unknown>;

  constructor(spec: DefinitionSpec, definition: DefinitionVersion, options: CustomKindOptions) {
    const { names } = spec;
    this.group = spec.group;
    this.version = definition.name;
    this.kind = names.kind;
    this.listKind = names.listKind ?? `${names.kind}List`;
    this.plural = names.plural;
    this.singular = names.singular ?? names.kind.toLowerCase();
    this.namespaced = spec.scope === "Namespaced";
    this.shortNames = names.shortNames ?? [];
    this.categories = names.categories ?? [];
    this.storageKey = `${spec.group}/${names.plural}`;
    const stored = spec.versions.find(({ storage }) => storage === true) ?? definition;
    this.storageApiVersion = formatApiVersion(spec.group, stored.name);
    if (options.converter !== undefined) this.converter = options.converter;
    this.schema = definition.schema?.openAPIV3Schema ?? { "x-kubernetes-preserve-unknown-fields": true };
    this.#apiVersion = formatApiVersion(spec.group, definition.name);
    this.#definition = definition;
    this.#compileRules = options.compileRules;
    this.hasStatus = definition.subresources?.status !== undefined;
    const scale = definition.subresources?.scale;
    this.scale = scale === undefined ? undefined : scalePaths(scale);
    this.subresources = subresourcesOf(this.hasStatus, this.scale !== undefined);
    const fields = (definition.selectableFields ?? []).map(({ jsonPath }) => jsonPath);
    this.selectableFields = fields.map(withoutDot);
    this.#finders = new Map(fields.map((path) => [withoutDot(path), compileFinder(path)]));
    if (definition.deprecated === true) {
      this.#deprecation = definition.deprecationWarning ?? `${this.#apiVersion} ${this.kind} is deprecated`;
    }
  }

  decode(body: JsonObject, parseErrors: readonly string[]): DecodeResult {
    const value = cloneJson(body);
    const strictErrors = [...parseErrors];
    const quote = (path: string): string => `unknown field "${path}"`;
    try {
      const given = value["metadata"];
      const { metadata, unknown } = coerceMetadata(isJsonObject(given) ? given : {}, "metadata");
      value["metadata"] = metadata;
      strictErrors.push(
        ...unknown.map(quote),
        ...pruneUnknown(value, this.#compiled()).map((path) => `unknown field ${quoteGo(path)}`),
      );
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      throw badRequest(
        `${this.kind} in version "${this.version}" cannot be handled as a ${this.kind}: ${error.message}`,
      );
    }
    dropNulls(value, this.#compiled());
    // kind, apiVersion and metadata are there: the handlers checked the first two, coercion made the last.
    return { object: value as unknown as KubeObject, strictErrors };
  }

  convert(object: KubeObject): KubeObject {
    if (object.apiVersion === this.#apiVersion) return object;
    const copy = cloneJson(object);
    copy.apiVersion = this.#apiVersion;
    applySchemaDefaults(copy as unknown as Json, this.#compiled());
    return copy;
  }

  applyDefaults(object: KubeObject): void {
    // A decoded object is JSON; KubeObject only names its metadata.
    applySchemaDefaults(object as unknown as Json, this.#compiled());
    // What a body is decoded without, an apply may bring.
    dropNulls(object as unknown as Json, this.#compiled(), "untyped");
  }

  prepareForCreate(object: KubeObject): void {
    if (this.hasStatus) delete object["status"];
  }

  prepareForUpdate(object: KubeObject, old: KubeObject): void {
    if (!this.hasStatus) return;
    if (old["status"] === undefined) delete object["status"];
    else object["status"] = cloneJson(old["status"]);
  }

  warnings(): readonly string[] {
    return this.#deprecation === undefined ? [] : [this.#deprecation];
  }

  toleratedProblems(object: KubeObject): readonly string[] {
    return this.#tolerated.get(object) ?? [];
  }

  validateCreate(object: KubeObject): readonly FieldError[] {
    return this.#validate(object, undefined);
  }

  validateUpdate(object: KubeObject, old: KubeObject): readonly FieldError[] {
    return this.#validate(object, old);
  }

  fieldType(): FieldType {
    const metadata = metadataType();
    this.#fieldType ??= this.schema.type === undefined ? DEDUCED : fieldTypeFromSchema(this.schema, { metadata });
    return this.#fieldType;
  }

  get columns(): readonly Column[] {
    return this.#printer().columns;
  }

  cells(object: KubeObject, nowMs: number): readonly unknown[] {
    return this.#printer().cells(object, nowMs);
  }

  fieldValue(object: KubeObject, field: string): string {
    const value = this.#finders.get(field)?.(object);
    return value === undefined || value === null ? "" : String(value);
  }

  #validate(object: KubeObject, old: KubeObject | undefined): readonly FieldError[] {
    const node = this.#compiled();
    // Objects of the store are JSON; only the static type is narrower.
    const value = object as unknown as Json;
    const before = old as unknown as Json | undefined;
    const errors = validateValue(value, node, before);
    if (this.scale !== undefined) errors.push(...validateScaleValues(object, this.scale));
    if (node.hasListTypes) errors.push(...validateListTypes(value, node, before));
    this.#hasRules ??= hasRules(this.schema);
    if (this.#hasRules) {
      this.#ruleChecker ??= this.#compileRules?.(this.schema);
      const outcome = checkRules(this.#ruleChecker, object, old, errors);
      errors.push(...outcome.errors);
      if (outcome.warnings.length > 0) this.#tolerated.set(object, outcome.warnings);
    }
    return errors;
  }

  #compiled(): SchemaNode {
    this.#node ??= compileSchema(this.schema, true);
    return this.#node;
  }

  #printer(): PrinterTable {
    this.#table ??= compileColumns(this.#definition.additionalPrinterColumns);
    return this.#table;
  }
}

function scalePaths(scale: NonNullable<NonNullable<DefinitionVersion["subresources"]>["scale"]>): ScalePaths {
  const selector = scale.labelSelectorPath;
  return {
    specReplicas: withoutDot(scale.specReplicasPath),
    statusReplicas: withoutDot(scale.statusReplicasPath),
    ...(selector === undefined ? {} : { labelSelector: withoutDot(selector) }),
  };
}

function subresourcesOf(status: boolean, scale: boolean): readonly SubresourceInfo[] {
  const out: SubresourceInfo[] = [];
  if (status) out.push({ name: "status", verbs: SUBRESOURCE_VERBS });
  if (scale) {
    const responseKind = { group: "autoscaling", version: "v1", kind: "Scale" };
    out.push({ name: "scale", verbs: SUBRESOURCE_VERBS, responseKind });
  }
  return out;
}

/**
 * The strategy of a custom resource at one of its versions. `crd` must be a defaulted, valid CustomResourceDefinition;
 * its schema is compiled on first use and must not change afterwards. Throws when it has no such version.
 */
export function strategyForCrd(crd: KubeObject, version: string, options: CustomKindOptions = {}): CustomKind {
  // Validation at registration guarantees the shape.
  const spec = crd["spec"] as DefinitionSpec;
  const definition = spec.versions.find(({ name }) => name === version);
  if (definition === undefined) throw new Error(`${crd.metadata.name ?? "definition"} has no version ${version}`);
  return new CustomKind(spec, definition, options);
}
