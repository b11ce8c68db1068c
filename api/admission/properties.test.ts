// What must hold of every object, tried on recorded policies and on damaged copies of them.
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { cloneJson, isObject, type KubeObject } from "../../kube/object.ts";
import { KINDS } from "../kinds.ts";
import { applySchemaDefaults } from "../schema-defaults.ts";
import { checkManifest } from "../validate-manifest.ts";
import { defaultObject } from "./admit.ts";
import type { AdmissionContext } from "./context.ts";

interface RecordedCase {
  readonly input: { readonly namespace: string; readonly policy: KubeObject };
}

const vectors = path.resolve(import.meta.dirname, "../../test/conformance/vectors/karmada/policy-admission.json");
const policies = (JSON.parse(readFileSync(vectors, "utf8")) as readonly RecordedCase[]).map(
  ({ input }) => input.policy,
);
const others: readonly KubeObject[] = KINDS.map(({ group, version, kind }) => ({
  apiVersion: `${group}/${version}`,
  kind,
  metadata: { name: "web", namespace: "shop" },
  spec: {},
}));

const CONTEXT: AdmissionContext = { operation: "UPDATE", requestNamespace: "shop", nowMs: 0, newUuid: () => "id" };
const SEED = 20261121;
const ROUNDS = 4000;

/** Numbers from 0 to 1 that depend on the seed only (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const DAMAGE: readonly unknown[] = [null, undefined, 0, -1, 1.5, "", "text", true, [], {}, [null], { name: null }, 10n];

/** A copy in which some values are others. */
function damaged(object: unknown, random: () => number): unknown {
  const copy = cloneJson(object);
  const places: [Record<string, unknown>, string][] = [];
  collectPlaces(copy, places);
  for (let hits = 1 + Math.floor(random() * 3); hits > 0; hits--) {
    const place = places[Math.floor(random() * places.length)];
    if (place !== undefined) place[0][place[1]] = DAMAGE[Math.floor(random() * DAMAGE.length)];
  }
  return copy;
}

function collectPlaces(node: unknown, places: [Record<string, unknown>, string][]): void {
  if (!isObject(node) && !Array.isArray(node)) return;
  // A list is addressed by its indexes like an object.
  const container = node as Record<string, unknown>;
  for (const key of Object.keys(container)) {
    if (key !== "apiVersion" || container["metadata"] === undefined) places.push([container, key]);
    collectPlaces(container[key], places);
  }
}

describe("defaults", () => {
  it("change nothing the second time", () => {
    for (const policy of policies) {
      const once = defaultObject(applySchemaDefaults(policy), CONTEXT);

      expect(defaultObject(applySchemaDefaults(once), CONTEXT)).toEqual(once);
    }
  });
});

describe("checkManifest", () => {
  it(`answers for any damage to a manifest, in one line each (seed ${SEED})`, () => {
    const random = randomNumbers(SEED);
    const manifests = [...policies, ...others];
    for (let round = 0; round < ROUNDS; round++) {
      const manifest = damaged(manifests[round % manifests.length], random);
      // Files hold anything; callers only promise these two texts and an object.
      if (!isObject(manifest) || typeof manifest["kind"] !== "string") continue;

      for (const { field, message } of checkManifest(manifest as KubeObject)) {
        expect(message).toMatch(/^[^\n]+$/);
        expect(message.startsWith(field)).toBe(true);
      }
    }
  });
});
