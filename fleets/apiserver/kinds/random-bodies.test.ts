import { describe, expect, it } from "vitest";
import { cloneJson, type Json, type JsonObject } from "../../../kube/object.ts";
import type { KindStrategy } from "../registry/kind.ts";
import { StatusError } from "../registry/status-error.ts";
import { builtinKinds } from "./builtin.ts";
import { fieldsOf, typeNameOf } from "./tables.ts";

const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));

function createRandom(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const random = createRandom(seed);

function pick<T>(options: readonly T[]): T {
  return options[Math.floor(random() * options.length)]!;
}

const WORDS = [
  "a",
  "",
  "Always",
  "RollingUpdate",
  "Recreate",
  "Never",
  "LoadBalancer",
  "ExternalName",
  "None",
  "In",
  "1",
];
const SCALARS: Readonly<Record<string, readonly Json[]>> = {
  s: WORDS,
  i: [0, 1, -1, 80, 70000],
  b: [true, false],
  d: [1.5],
  y: ["YQ=="],
  Time: ["2024-01-01T00:00:00Z"],
  MicroTime: ["2024-01-01T00:00:00Z"],
  Quantity: ["1", "1Gi", "-1", "500m", 2],
  IntOrString: [1, "25%", "0%", "web", 0],
};

/** A value that mostly fits a type code, and sometimes does not. */
function value(code: string, depth: number, misfits: number): Json {
  if (random() < misfits) return pick<Json>([null, 1, "x", true, [], {}]);
  const inner = code.slice(1);
  const count = Math.floor(random() * 3);
  if (code.startsWith("[")) return Array.from({ length: count }, () => value(inner, depth + 1, misfits));
  if (code.startsWith("{")) {
    return Object.fromEntries(
      Array.from({ length: count }, (_, index) => [`k${index}`, value(inner, depth + 1, misfits)]),
    );
  }
  if (code.startsWith(":")) return struct(inner, depth + 1, misfits);
  return pick(SCALARS[code] ?? [{ a: 1 }, null]);
}

function struct(typeName: string, depth: number, misfits: number): JsonObject {
  const out: JsonObject = {};
  for (const [, name, code] of fieldsOf(typeName)) {
    if (name === "") Object.assign(out, struct(code.slice(1), depth, misfits));
    else if (random() < (depth > 5 ? 0.1 : depth > 2 ? 0.3 : 0.7)) out[name] = value(code, depth, misfits);
  }
  if (random() < 0.05) out["bogus"] = 1;
  return out;
}

/** Takes a body through all that the server does with it. Answers false for a body that was refused. */
function exercise(kind: KindStrategy, body: JsonObject): boolean {
  let object: ReturnType<KindStrategy["decode"]>["object"];
  try {
    ({ object } = kind.decode(body, []));
  } catch (error) {
    expect(error).toBeInstanceOf(StatusError);
    return false;
  }
  expect(kind.decode(cloneJson(object) as unknown as JsonObject, [])).toEqual({ object, strictErrors: [] });
  kind.applyDefaults(object, undefined);
  const defaulted = cloneJson(object);
  kind.applyDefaults(object, undefined);
  expect(object).toEqual(defaulted);
  kind.prepareForCreate(object);
  kind.allocate?.(object, undefined, () => []);
  kind.validateCreate(object);
  kind.warnings?.(object, undefined);
  expect(kind.cells(object, 0)).toHaveLength(kind.columns.length);
  const { object: updated } = kind.decode(cloneJson(defaulted) as unknown as JsonObject, []);
  kind.applyDefaults(updated, object);
  kind.prepareForUpdate(updated, object);
  kind.allocate?.(updated, object, () => [object]);
  kind.validateUpdate(updated, object);
  for (const field of kind.selectableFields ?? []) kind.fieldValue(object, field);
  return true;
}

describe(`random bodies (SEED=${seed})`, () => {
  it.each(builtinKinds().map((kind) => [`${kind.group}/${kind.version} ${kind.kind}`, kind] as const))(
    "of %s are refused with a Status or have one canonical form, and one defaulted form",
    (_name, kind) => {
      const typeName = typeNameOf(kind.group === "" ? kind.version : `${kind.group}/${kind.version}`, kind.kind)!;
      let accepted = 0;

      for (let round = 0; round < 40; round++) {
        if (exercise(kind, struct(typeName, 0, round % 2 === 0 ? 0 : 0.02))) accepted++;
      }

      expect(accepted).toBeGreaterThan(10);
    },
  );
});
