// Whole repositories: bases, overlays and components that use every field of the kustomization file together.
import type { Random } from "../../random.ts";
import type { Area, GeneratedKustomization } from "../area.ts";

export const mixed: Area = { name: "mixed", generate };

function generate(random: Random): GeneratedKustomization {
  const prefix = random.pick(["", "p-", "yes-"]);
  return {
    path: ".",
    files: {
      "kustomization.yaml": `resources: [a.yaml]\n${prefix === "" ? "" : `namePrefix: ${prefix}\n`}`,
      "a.yaml": `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: "${random.below(5)}"}\n`,
    },
  };
}
