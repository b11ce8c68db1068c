// ConversionReviews: the question that a conversion webhook is sent, and what its answer says.
import { checkLabelValue, checkQualifiedName } from "../../../kube/names.ts";
import { isObject, type JsonObject, type KubeObject } from "../../../kube/object.ts";

const VERSIONS = ["v1", "v1beta1"] as const;
export type ConversionReviewVersion = (typeof VERSIONS)[number];

/** The first version of a definition's list that is spoken here; undefined when there is none. */
export function conversionReviewVersionOf(accepted: readonly string[]): ConversionReviewVersion | undefined {
  for (const name of accepted) {
    const known = VERSIONS.find((version) => version === name);
    if (known !== undefined) return known;
  }
  return undefined;
}

/** What the webhook is to convert; the objects are in any of the definition's versions. */
export interface Conversion {
  readonly uid: string;
  readonly desiredApiVersion: string;
  readonly objects: readonly KubeObject[];
}

export function conversionReview(conversion: Conversion, version: ConversionReviewVersion): JsonObject {
  const { uid, desiredApiVersion, objects } = conversion;
  return {
    kind: "ConversionReview",
    apiVersion: `apiextensions.k8s.io/${version}`,
    // Objects are JSON data.
    request: { uid, desiredAPIVersion: desiredApiVersion, objects: objects as unknown as JsonObject[] },
  };
}

/** As messages name what is converted: `example.com/v1, Kind=Widget`. */
export function nameOfKind(object: KubeObject): string {
  return `${object.apiVersion}, Kind=${object.kind}`;
}

/**
 * The converted objects of an answer, in the order of those that were sent. Their metadata is that of the originals but for
 * labels and annotations. Throws an `Error` in the words of the reference for an answer that is none.
 */
export function readConversion(json: unknown, conversion: Conversion, version: ConversionReviewVersion): KubeObject[] {
  const subject = `conversion webhook for ${nameOfKind(conversion.objects[0]!)}`;
  const converted = convertedObjects(json, conversion, version, subject);
  const { objects } = conversion;
  if (converted.length !== objects.length) {
    throw new Error(`${subject} returned ${converted.length} objects, expected ${objects.length}`);
  }
  return converted.map((object, index) => {
    const at = objects.length === 1 ? "" : ` at index ${index}`;
    const problem = problemOf(object, objects[index]!, conversion.desiredApiVersion);
    if (problem !== undefined) throw new Error(`${subject} returned invalid converted object${at}: ${problem}`);
    // The checks found kind, apiVersion and metadata.
    return withOriginalMetadata(object as KubeObject, objects[index]!, `${subject} returned invalid metadata${at}`);
  });
}

function convertedObjects(
  json: unknown,
  { uid }: Conversion,
  version: ConversionReviewVersion,
  subject: string,
): readonly unknown[] {
  const fail = (why: string): Error => new Error(`${subject} failed: ${why}`);
  if (!isObject(json)) throw fail("the response is no object");
  const { apiVersion = "", kind = "" } = json;
  const wanted = `apiextensions.k8s.io/${version}`;
  if (apiVersion !== wanted || kind !== "ConversionReview") {
    const found = String(apiVersion).includes("/") ? String(apiVersion) : `/${String(apiVersion)}`;
    throw fail(`expected webhook response of ${wanted}, Kind=ConversionReview, got ${found}, Kind=${String(kind)}`);
  }
  const response = json["response"];
  if (!isObject(response)) throw fail("no response provided");
  if (response["uid"] !== uid) {
    const given = JSON.stringify(response["uid"] ?? "");
    throw fail(`expected response.uid=${JSON.stringify(uid)}, got ${given}`);
  }
  const result = isObject(response["result"]) ? response["result"] : {};
  if (result["status"] !== "Success") {
    const message = result["message"];
    const status = String(result["status"] ?? "");
    throw fail(
      typeof message === "string" && message !== "" ? message : `response.result.status was '${status}', not 'Success'`,
    );
  }
  return Array.isArray(response["convertedObjects"]) ? response["convertedObjects"] : [];
}

/** What makes a converted object another one than the original. */
function problemOf(object: unknown, original: KubeObject, wanted: string): string | undefined {
  if (!isObject(object)) return "it is no object";
  if (object["apiVersion"] !== wanted) {
    return `invalid groupVersion (expected ${wanted}, received ${String(object["apiVersion"] ?? "")})`;
  }
  if (object["kind"] !== original.kind) {
    return `must have the same kind: ${original.kind} != ${String(object["kind"] ?? "")}`;
  }
  const metadata = object["metadata"];
  if (!isObject(metadata)) return "missing metadata in converted object";
  for (const [field, shown] of [
    ["name", "name"],
    ["namespace", "namespace"],
    ["uid", "UID"],
  ] as const) {
    const before = original.metadata[field] ?? "";
    const after = metadata[field] ?? "";
    if (before !== after) return `must have the same ${shown}: ${before} != ${String(after)}`;
  }
  return undefined;
}

function withOriginalMetadata(object: KubeObject, original: KubeObject, subject: string): KubeObject {
  const { labels: _labels, annotations: _annotations, ...kept } = original.metadata;
  const labels = textMap(object.metadata.labels, `${subject}: metadata.labels`);
  const annotations = textMap(object.metadata.annotations, `${subject}: metadata.annotations`);
  for (const [key, value] of Object.entries(labels ?? {})) {
    const why = checkQualifiedName(key)[0] ?? checkLabelValue(value)[0];
    if (why !== undefined)
      throw new Error(`${subject}: metadata.labels: Invalid value: ${JSON.stringify(key)}: ${why}`);
  }
  return {
    ...object,
    metadata: {
      ...kept,
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    },
  };
}

function textMap(value: unknown, subject: string): Record<string, string> | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) throw new Error(`${subject}: must be a map of texts`);
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== "string") throw new Error(`${subject}[${JSON.stringify(key)}]: must be a text`);
  }
  // Checked entry by entry.
  return value as Record<string, string>;
}
