// Differences of the kustomize fuzz for a person to read, and as folders in the format of the vectors.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeFiles } from "./real-kustomize.ts";
import type { FoundDifference } from "./run.ts";

/** The files of a small reproduction, what differs, and the command that makes the whole input again. */
export function printFound({ area, seed, difference, input }: FoundDifference): string {
  const lines = [`DIFFERENT ${difference.kind}`, ...indented(difference.text)];
  for (const [path, content] of Object.entries(input.files)) {
    lines.push(`  --- ${path}`);
    if (typeof content === "string") lines.push(...indented(content.trimEnd()));
    else if ("link" in content) lines.push(`  -> ${content.link}`);
    else lines.push(`  (hexadecimal) ${Buffer.from(content).toString("hex")}`);
  }
  lines.push(`  kustomize ${["build", input.path, ...(input.args ?? [])].join(" ")}`);
  lines.push(`  again: npm run fuzz -- kustomize --area ${area} --seed ${seed} --cases 1`);
  return `${lines.join("\n")}\n`;
}

function indented(text: string): string[] {
  return text.split("\n").map((line) => `  ${line}`);
}

/** Writes a difference as a case that `npm run conformance -- kustomize --vectors FOLDER` plays. */
export function writeCase(folder: string, { area, seed, input, real }: FoundDifference): void {
  const target = join(folder, `${area}-${seed}`);
  mkdirSync(join(target, "input"), { recursive: true });
  writeFiles(join(target, "input"), input.files);
  const about = { feature: area, path: input.path, ...(input.args && { args: input.args }) };
  writeFileSync(join(target, "case.json"), `${JSON.stringify(about, null, 2)}\n`);
  if (real.failure === undefined) writeFileSync(join(target, "expected.yaml"), real.output ?? "");
  else writeFileSync(join(target, "expected-error.txt"), `${real.failure.category ?? "unknown"}\n`);
}
