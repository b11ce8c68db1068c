// Bindings with the health that Argo CD gives them: YAML documents of the form `{case, expected: {status, message}, object}`.
// What is tried is the statement of Argo CD's rules by which the e2e tests judge our bindings.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { KubeObject } from "../../../kube/object.ts";
import { parseYamlDocuments } from "../../../kube/yaml.ts";
import { type BindingHealth, bindingHealth } from "../../health/argocd-karmada.ts";
import { judge } from "../karmada-cases.ts";
import { isChosen, type Suite } from "../suite.ts";

interface HealthCase {
  readonly case: string;
  readonly expected: BindingHealth;
  readonly object: KubeObject;
}

export const suite: Suite = {
  async *run({ vectors, only }) {
    const files = readdirSync(vectors, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".yaml"));
    for (const file of files.sort()) {
      for (const document of parseYamlDocuments(readFileSync(join(vectors, file), "utf8"), { file })) {
        // The files are in the form above; a broken one fails its case.
        const { case: name, expected, object } = document.value as HealthCase;
        const id = `${file.slice(0, -".yaml".length)}/${name}`;
        if (isChosen(id, only)) yield judge({ id, input: object, expected }, bindingHealth);
      }
    }
  },
};
