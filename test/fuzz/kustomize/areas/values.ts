// Odd scalars on their way through patches and other steps that read and write whole objects.
import { Random } from "../../../../runtime/random.ts";
import type { Area, GeneratedKustomization } from "../area.ts";
import { doubleQuoted, LOADED_WORDS, nastyText, plain, quoted, singleQuoted } from "../support/yaml-texts.ts";

export const values: Area = { name: "values", generate };

const FIELDS = ["k0", "k1", "k2", "k3", "k4", "k5"];

function generate(random: Random): GeneratedKustomization {
  const lines = ["resources: [r.yaml]"];
  if (random.chance(0.3)) lines.push(`commonAnnotations: {added: ${quoted(nastyText(random))}}`);
  if (random.chance(0.3)) lines.push(`labels: [{pairs: {l: ${quoted(line(random))}}}]`);
  if (random.chance(0.8)) {
    lines.push("patches:");
    for (let left = 1 + random.below(3); left > 0; left--) lines.push(patch(random));
  }
  const resource = `apiVersion: v1\nkind: Thing\nmetadata: {name: a}\nspec:\n${FIELDS.map((field) => `  ${field}: ${value(random)}\n`).join("")}`;
  return { path: ".", files: { "kustomization.yaml": `${lines.join("\n")}\n`, "r.yaml": resource } };
}

function patch(random: Random): string {
  if (random.chance(0.5)) {
    let added = 0;
    const spec = random.list(4, () => `      x${added++}: ${value(random)}\n`).join("");
    const replaced = `      ${random.pick(FIELDS)}: ${value(random)}\n`;
    return `- patch: |-\n    apiVersion: v1\n    kind: Thing\n    metadata: {name: a}\n    spec:\n${replaced}${spec}`.trimEnd();
  }
  const operations = Array.from({ length: 1 + random.below(3) }, () => {
    const path = random.chance(0.7) ? `/spec/${random.pick(FIELDS)}` : `/spec/n${random.below(1000)}`;
    const written = random.chance(0.3) ? json(random) : value(random);
    return `    - {op: ${path.includes("/n") ? "add" : random.pick(["add", "replace"])}, path: ${path}, value: ${written}}`;
  });
  return `- target: {kind: Thing}\n  patch: |-\n${operations.join("\n")}`;
}

/** Text that is a value in JSON too. */
function json(random: Random): string {
  return random.pick([
    "1",
    "1.5",
    "1e3",
    "1e22",
    "-0",
    "12345678901234567890",
    "0.1",
    "true",
    "null",
    "[1, {}]",
    '"1"',
  ]);
}

function line(random: Random): string {
  return nastyText(random).replaceAll("\n", " ");
}

function value(random: Random): string {
  if (random.chance(0.15)) return `[${value(random)}, ${value(random)}]`;
  if (random.chance(0.1)) return `{f: ${value(random)}}`;
  const text = random.chance(0.6) ? random.pick(LOADED_WORDS) : line(random);
  const flow = random.pick([plain, plain, singleQuoted])(text, CALM, "") ?? quoted(text);
  return random.chance(0.05) ? doubleQuoted(text, CALM, "") : flow;
}

class CalmRandom extends Random {
  override chance(): boolean {
    return false;
  }
}

/** Nothing that spans lines: a patch is a block of its own. */
const CALM = new CalmRandom(0);
