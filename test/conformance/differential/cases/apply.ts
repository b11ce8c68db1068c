// Sequences of writes by several managers: apply, update, patches, status, scale, edits of managedFields.
import type { Json, JsonObject } from "../../../../kube/object.ts";
import type { Random } from "../../../../runtime/random.ts";
import { type DifferentialCase, type DifferentialStep, patch, send } from "../differential-case.ts";
import { APPLIED_KINDS, type AppliedKind } from "./applied-configs.ts";

const NAME = "w";

function configOf(kind: AppliedKind, part: JsonObject): JsonObject {
  const metadata = (part["metadata"] ?? {}) as JsonObject;
  return { apiVersion: kind.apiVersion, kind: kind.kind, ...part, metadata: { ...metadata, name: NAME } };
}

function query(random: Random, manager: string, extra: readonly string[] = []): string {
  return `?${[`fieldManager=${manager}`, ...extra, ...(random.chance(0.04) ? ["dryRun=All"] : [])].join("&")}`;
}

/** A few writes of one object, each compared with all it answers. */
export function applySequence(random: Random): DifferentialCase {
  const kind = random.pick(APPLIED_KINDS);
  const one = `${kind.path}/${NAME}`;
  const steps: DifferentialStep[] = [firstWrite(random, kind, one)];
  const count = 3 + random.below(5);
  for (let at = 0; at < count; at++) steps.push(write(random, kind, one));
  return { steps: [...steps, send("GET", one)] };
}

function firstWrite(random: Random, kind: AppliedKind, one: string): DifferentialStep {
  const body = configOf(kind, kind.part(random, true));
  if (random.chance(0.7)) return patch("apply", `${one}${query(random, "a")}`, body);
  return send("POST", `${kind.path}${query(random, random.pick(["a", "u"]))}`, body);
}

function write(random: Random, kind: AppliedKind, one: string): DifferentialStep {
  const manager = random.pick(["a", "a", "b", "b", "c"]);
  const action = random.next();
  if (action < 0.55) {
    const force = random.chance(0.35) ? ["force=true"] : [];
    const whole = random.chance(0.5);
    return patch("apply", `${one}${query(random, manager, force)}`, configOf(kind, kind.part(random, whole)));
  }
  if (action < 0.65) return update(random, kind, one, manager);
  if (action < 0.75)
    return patch("merge", `${one}${query(random, random.pick([manager, "u"]))}`, kind.part(random, random.chance(0.3)));
  if (action < 0.82 && !kind.apiVersion.startsWith("vec.")) {
    return patch("strategic", `${one}${query(random, manager)}`, kind.part(random, random.chance(0.3)));
  }
  if (action < 0.88 && kind.status !== undefined) {
    const status = { status: kind.status(random), ...(random.chance(0.2) ? kind.part(random, false) : {}) };
    if (random.chance(0.6)) {
      const force = random.chance(0.3) ? ["force=true"] : [];
      return patch("apply", `${one}/status${query(random, manager, force)}`, configOf(kind, status));
    }
    return patch("merge", `${one}/status${query(random, manager)}`, status);
  }
  if (action < 0.92 && kind.hasScale) {
    const replicas = random.below(5);
    if (random.chance(0.5)) {
      const scale = { apiVersion: "autoscaling/v1", kind: "Scale", metadata: { name: NAME }, spec: { replicas } };
      return patch("apply", `${one}/scale${query(random, manager, random.chance(0.4) ? ["force=true"] : [])}`, scale);
    }
    return patch("merge", `${one}/scale${query(random, manager)}`, { spec: { replicas } });
  }
  if (action < 0.95)
    return patch("merge", `${one}${query(random, "m")}`, {
      metadata: { managedFields: random.pick<Json>([[{}], [], null]) },
    });
  return patch("json", `${one}${query(random, manager)}`, [
    random.pick<JsonObject>([
      { op: "add", path: "/metadata/labels", value: { j: "1" } },
      { op: "remove", path: "/metadata/managedFields/0" },
      { op: "replace", path: "/metadata/managedFields/0/manager", value: "renamed" },
      { op: "remove", path: "/spec" },
    ]),
  ]);
}

function update(random: Random, kind: AppliedKind, one: string, manager: string): DifferentialStep {
  const part = kind.part(random, true);
  const top = Object.keys(part).filter((key) => key !== "metadata");
  const set = top.map((key) => ({ path: `/${key}`, value: part[key] }));
  const labels = { path: "/metadata/labels", value: { [random.pick(["l1", "l2"])]: "put" } };
  return {
    op: "send",
    request: {
      method: "PUT",
      path: `${one}${query(random, random.pick([manager, "u"]))}`,
      headers: { "Content-Type": "application/json" },
      readModifyWrite: {
        from: one,
        keepManagedFields: random.chance(0.5),
        set: random.chance(0.5) ? [...set, labels] : set,
        ...(random.chance(0.2) ? { remove: ["/metadata/labels"] } : {}),
      },
    },
  };
}

/** Applies that are refused, or nearly: wrong types, unknown fields, duplicate keys, preconditions. */
export function applyFault(random: Random): DifferentialCase {
  const kind = random.pick(APPLIED_KINDS);
  const one = `${kind.path}/${NAME}`;
  const good = configOf(kind, kind.part(random, true));
  const bad = spoiled(random, good);
  const validation = random.pick(["", "&fieldValidation=Strict", "&fieldValidation=Ignore"]);
  const steps: DifferentialStep[] = [patch("apply", `${one}?fieldManager=a${validation}`, bad)];
  if (random.chance(0.5)) steps.unshift(patch("apply", `${one}?fieldManager=a`, good));
  return { steps: [...steps, send("GET", one)] };
}

const ODD: readonly Json[] = [
  null,
  1,
  "x",
  true,
  [],
  {},
  [1, 1],
  ["a", "a"],
  { a: null },
  1.5,
  [{}],
  [{ name: "c" }, { name: "c" }],
];

function spoiled(random: Random, config: JsonObject): JsonObject {
  const copy = JSON.parse(JSON.stringify(config)) as JsonObject;
  const places: [JsonObject | Json[], string | number][] = [];
  function walk(value: Json | undefined): void {
    if (typeof value !== "object" || value === null) return;
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) {
        places.push([value, index]);
        walk(item);
      }
      return;
    }
    for (const [key, child] of Object.entries(value)) {
      if (value !== copy || (key !== "apiVersion" && key !== "kind")) places.push([value, key]);
      walk(child);
    }
  }
  walk(copy);
  const [parent, key] = random.pick(places);
  // The key belongs to the parent it was found in.
  const target = parent as Record<string | number, Json>;
  const action = random.next();
  if (action < 0.6) target[key] = random.pick(ODD);
  else if (action < 0.75 && Array.isArray(parent)) parent.push(parent[Number(key)]!);
  else if (action < 0.9 && !Array.isArray(parent)) parent["unknown"] = random.pick(ODD);
  else if (!Array.isArray(parent)) delete parent[String(key)];
  return copy;
}
