// Which form of an answer a client wants.
import type { KindStrategy } from "../registry/kind.ts";
import { notAcceptable, statusError } from "../registry/status-error.ts";
import type { Query } from "./query.ts";

/** `object`: the plain object or list. */
export type Form = "object" | "table" | "metadata" | "metadata-list";

export interface Accepted {
  readonly mediaType: "application/json" | "application/yaml";
  readonly pretty: boolean;
  readonly form: Form;
  /** Version of meta.k8s.io for the other forms. */
  readonly metaVersion: "v1" | "v1beta1";
}

export interface AcceptClause {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

const PROTOBUF = "application/vnd.kubernetes.protobuf";
const STREAM_TYPES = ["application/json;stream=watch", `${PROTOBUF};stream=watch`];
const BUILTIN_TYPES = ["application/json", "application/yaml", PROTOBUF];

/** JSON, as it is. */
export const PLAIN: Accepted = { mediaType: "application/json", pretty: false, form: "object", metaVersion: "v1" };

/** The clauses of an Accept header, best first. */
export function parseAccept(header: string): AcceptClause[] {
  const clauses: AcceptClause[] = [];
  for (const part of header.split(",")) {
    const [type = "", ...rest] = part.split(";").map((text) => text.trim());
    if (type === "") continue;
    const parameters = new Map<string, string>();
    for (const text of rest) {
      const at = text.indexOf("=");
      if (at > 0) parameters.set(text.slice(0, at).toLowerCase(), text.slice(at + 1));
    }
    const quality = Number(parameters.get("q") ?? 1);
    parameters.delete("q");
    clauses.push({ type: type.toLowerCase(), parameters, quality: Number.isNaN(quality) ? 1 : quality });
  }
  return clauses.sort((a, b) => b.quality - a.quality);
}

/**
 * Picks the answer's form. `collection` answers come as PartialObjectMetadataList, single ones as
 * PartialObjectMetadata; asking for the other of the two is a 406.
 */
export function negotiate(
  accept: string | undefined,
  userAgent: string | undefined,
  query: Query,
  target: {
    readonly collection: boolean;
    readonly kind: KindStrategy;
    readonly watch: boolean;
    /** The path can be watched. */
    readonly streams: boolean;
  },
): Accepted {
  const pretty = wantsPretty(userAgent, query);
  if (accept === undefined || accept === "" || accept === "*/*" || accept === "application/json") {
    return pretty ? { ...PLAIN, pretty } : PLAIN;
  }
  const clauses = parseAccept(accept);
  // Routes of built-in kinds know the types they can say; those of custom resources find out when they say it.
  if (!target.kind.custom && clauses.every(({ type }) => serializerFor(type) === undefined && type !== PROTOBUF))
    throw unknownTypes(target.streams);
  for (const clause of clauses) {
    const mediaType = serializerFor(clause.type);
    if (mediaType === undefined) continue;
    const form = formOf(clause, target);
    if (form === undefined) continue;
    const metaVersion = clause.parameters.get("v") === "v1beta1" ? "v1beta1" : "v1";
    return { mediaType, pretty, form, metaVersion };
  }
  throw notAcceptable(BUILTIN_TYPES);
}

function unknownTypes(streams: boolean): Error {
  const types = streams ? [...BUILTIN_TYPES, ...STREAM_TYPES] : BUILTIN_TYPES;
  const message = `406: Not Acceptable\n\nAvailable representations: ${types.join(", ")}`;
  return statusError(406, "NotAcceptable", message, {});
}

/** Whether a client can read nothing but protobuf: then refusals must be in it as well. */
export function readsOnlyProtobuf(accept: string | undefined): boolean {
  if (accept === undefined || !accept.includes(PROTOBUF)) return false;
  return parseAccept(accept).every(({ type }) => type === PROTOBUF);
}

function serializerFor(type: string): Accepted["mediaType"] | undefined {
  if (type === "application/json" || type === "*/*" || type === "application/*") return "application/json";
  return type === "application/yaml" ? "application/yaml" : undefined;
}

function formOf(
  clause: AcceptClause,
  { collection, kind, watch }: { readonly collection: boolean; readonly kind: KindStrategy; readonly watch: boolean },
): Form | undefined {
  const as = clause.parameters.get("as");
  if (as === undefined) return "object";
  const version = clause.parameters.get("v");
  if (clause.parameters.get("g") !== "meta.k8s.io" || (version !== "v1" && version !== "v1beta1")) return undefined;
  if (as === "Table") return "table";
  if (as !== "PartialObjectMetadata" && as !== "PartialObjectMetadataList") return undefined;
  const wantsList = as === "PartialObjectMetadataList";
  const isList = collection && !watch;
  if (wantsList === isList) return wantsList ? "metadata-list" : "metadata";
  const goName = `${kind.custom ? "unstructured.Unstructured" : `core.${kind.kind}`}${isList ? "List" : ""}`;
  const message = `you requested ${as}, but the requested object is ${isList ? "a" : "not a"} list (*${goName})`;
  throw statusError(406, "NotAcceptable", message);
}

/** People who look with a browser or curl get indented JSON. */
export function wantsPretty(userAgent: string | undefined, query: Query): boolean {
  const asked = query.get("pretty");
  if (asked !== undefined) return asked === "1" || asked === "true";
  return userAgent !== undefined && /^(?:curl|Wget|Mozilla\/5\.0)/.test(userAgent);
}
