// How scalars are decoded, and what all decoders share.
import { quoteGo } from "../../../kube/go-text.ts";
import type { Json } from "../../../kube/object.ts";
import { formatQuantity, quantityFromJson } from "../../../kube/quantity.ts";
import { messageOf } from "../../../runtime/errors.ts";
import { canonicalBase64, canonicalMicroTime, canonicalTime, DecodeError } from "./go-values.ts";

/** Where a decoder stands, and what it found so far. One per body. */
export class Cursor {
  /** Field names and `[index]` or map keys down to the present value. */
  readonly path: string[] = [];
  /** Only field names, as Go prints them for wrong types. */
  readonly fields: string[] = [];
  readonly strictErrors: string[] = [];
  /** Go name of the innermost struct. */
  struct = "";

  wrongType(value: Json | undefined, goType: string): DecodeError {
    const target = this.fields.length === 0 ? "value" : `struct field ${this.struct}.${this.fields.join(".")}`;
    return new DecodeError(`json: cannot unmarshal ${describeJson(value)} into Go ${target} of type ${goType}`);
  }

  unknown(name: string): void {
    const path = this.path.length === 0 ? name : `${joinPath(this.path)}.${name}`;
    this.strictErrors.push(`unknown field ${quoteGo(path)}`);
  }
}

function joinPath(path: readonly string[]): string {
  let text = "";
  for (const part of path) text += text === "" || part.startsWith("[") ? part : `.${part}`;
  return text;
}

/** A JSON value as Go names it in type errors; numbers that do not fit carry their text. */
function describeJson(value: Json | undefined): string {
  if (Array.isArray(value)) return "array";
  switch (typeof value) {
    case "boolean":
      return "bool";
    case "bigint":
    case "number":
      return "number";
    case "string":
      return "string";
    default:
      return "object";
  }
}

/** Decodes a value that is not null. */
export type Decode = (value: Json, cursor: Cursor) => Json;

export interface Decoder {
  readonly decode: Decode;
  /** What null or a missing value becomes where the field is not optional: `""`, `0`, a struct's zero, null for lists. */
  zero(): Json;
  /** Whether omitempty drops the value. */
  isEmpty(value: Json): boolean;
  readonly goType: string;
}

function integer(goType: string, lowest: bigint, highest: bigint): Decoder {
  const low = Number(lowest);
  const high = Number(highest);
  return {
    goType,
    zero: () => 0,
    isEmpty: (value) => value === 0,
    decode(value, cursor) {
      if (typeof value === "number" && Number.isInteger(value) && value >= low && value <= high) return value;
      if (typeof value === "bigint" && value >= lowest && value <= highest) return value;
      if (typeof value !== "number" && typeof value !== "bigint") throw cursor.wrongType(value, goType);
      throw new DecodeError(cursor.wrongType(value, goType).message.replace("number", `number ${value}`));
    },
  };
}

export const INT32 = integer("int32", -(2n ** 31n), 2n ** 31n - 1n);
export const INT64 = integer("int64", -(2n ** 63n), 2n ** 63n - 1n);

const STRING: Decoder = {
  goType: "string",
  zero: () => "",
  isEmpty: (value) => value === "",
  decode(value, cursor) {
    if (typeof value !== "string") throw cursor.wrongType(value, "string");
    return value;
  },
};

function time(goType: string, canonical: (text: string) => string): Decoder {
  return {
    goType,
    zero: () => null,
    // A time is a struct to Go: omitempty does not drop it.
    isEmpty: () => false,
    decode(value, cursor) {
      if (typeof value !== "string") throw cursor.wrongType(value, "string");
      return canonical(value);
    },
  };
}

/** Raw JSON that is kept as it came. */
const RAW: Decoder = {
  goType: "runtime.RawExtension",
  zero: () => null,
  isEmpty: () => false,
  decode: (value) => value,
};

/** Decoders by type code. */
export const SCALARS: Readonly<Record<string, Decoder>> = {
  s: STRING,
  i: INT32,
  b: {
    goType: "bool",
    zero: () => false,
    isEmpty: (value) => value === false,
    decode(value, cursor) {
      if (typeof value !== "boolean") throw cursor.wrongType(value, "bool");
      return value;
    },
  },
  d: {
    goType: "float64",
    zero: () => 0,
    isEmpty: (value) => value === 0,
    decode(value, cursor) {
      if (typeof value !== "number" && typeof value !== "bigint") throw cursor.wrongType(value, "float64");
      return value;
    },
  },
  y: {
    goType: "[]uint8",
    zero: () => null,
    isEmpty: (value) => value === null || value === "",
    decode(value, cursor) {
      if (typeof value !== "string") throw cursor.wrongType(value, "[]uint8");
      return canonicalBase64(value);
    },
  },
  Time: time("v1.Time", canonicalTime),
  MicroTime: time("v1.MicroTime", canonicalMicroTime),
  Quantity: {
    goType: "resource.Quantity",
    zero: () => "0",
    isEmpty: () => false,
    decode(value) {
      const isText = typeof value === "string" || typeof value === "number" || typeof value === "bigint";
      try {
        return formatQuantity(quantityFromJson(isText ? value : "?"));
      } catch (error) {
        throw new DecodeError(messageOf(error));
      }
    },
  },
  IntOrString: {
    goType: "intstr.IntOrString",
    zero: () => 0,
    isEmpty: () => false,
    decode(value) {
      if (typeof value === "string") return value;
      if (typeof value === "number" && Number.isInteger(value) && Math.abs(value) < 2 ** 31) return value;
      const what = typeof value === "number" || typeof value === "bigint" ? `number ${value}` : describeJson(value);
      throw new DecodeError(`json: cannot unmarshal ${what} into Go value of type int32`);
    },
  },
  RawExtension: RAW,
  JSON: RAW,
  FieldsV1: RAW,
};
