import { describe, expect, it } from "vitest";
import { renderKustomization } from "../../../renderers/kustomize/render.ts";
import { RenderCache } from "../../../renderers/kustomize/render-cache.ts";
import { emitYaml } from "../../../renderers/kustomize/resources/emit.ts";
import { MemoryTree, type TreeFiles } from "../../../renderers/memory-tree.ts";
import { AppError } from "../../../runtime/errors.ts";
import { Random } from "../../../runtime/random.ts";
import { testSeed } from "../../seed.ts";
import { AREAS } from "./areas.ts";

/** The printed objects with their histories, or the failure. */
function outcome(files: TreeFiles, path: string, cache: RenderCache | undefined): string {
  try {
    const { objects, warnings, origins } = renderKustomization(new MemoryTree(files), path, { cache });
    return `${emitYaml(objects.map(({ object }) => object))}\n${JSON.stringify([warnings, origins])}`;
  } catch (error) {
    if (error instanceof AppError) return `${error.code} ${error.message}`;
    throw error;
  }
}

/** The files with one line of one of them taken out or written otherwise. */
function withOneChange(files: TreeFiles, random: Random): TreeFiles {
  const texts = Object.entries(files).filter((file): file is [string, string] => typeof file[1] === "string");
  const [name, text] = random.pick(texts);
  const lines = text.split("\n");
  const at = random.below(lines.length);
  if (random.chance(0.3)) lines.splice(at, 1);
  else lines[at] = lines[at]!.replace(random.chance(0.5) ? /(\w+)$/ : /([a-z]+-?\d+)/, "$1x");
  return { ...files, [name]: lines.join("\n") };
}

describe("RenderCache under random repositories", () => {
  it("never changes what a build gives, whatever was built before and however files change", () => {
    const random = new Random(testSeed());
    const cache = new RenderCache();
    const rounds = Number(process.env["RENDER_CACHE_ROUNDS"] ?? 6);
    for (let round = 0; round < rounds; round++) {
      for (const area of AREAS) {
        const { files, path } = area.generate(random);
        let changed = files;
        for (let commit = 0; commit < 3; commit++) {
          const fresh = outcome(changed, path, undefined);
          expect(outcome(changed, path, cache), `${area.name}, round ${round}, commit ${commit}`).toBe(fresh);
          changed = withOneChange(changed, random);
        }
      }
    }
  });
});
