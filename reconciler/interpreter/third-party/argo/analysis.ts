// Argo Rollouts: AnalysisRun and Experiment, which are run once.

import type { KubeObject } from "../../../../kube/object.ts";
import { fieldsAt } from "../../field-access.ts";
import type { Dependency } from "../../interpreter.ts";
import type { KindRules } from "../../kind-rules.ts";
import { aggregating } from "../rules/aggregation.ts";
import { objectsAtPath, textAtPath } from "../rules/field-paths.ts";
import { retaining } from "../rules/fields.ts";
import { decidingPhase } from "../rules/phases.ts";
import { dependenciesOfTemplate } from "../rules/pod-templates.ts";
import { References } from "../rules/references.ts";
import { reflecting } from "../rules/reflection.ts";
import { addTemplates } from "./rollout-references.ts";

const PHASES = ["Error", "Failed", "Inconclusive", "Running", "Pending", "Successful"];
const GOOD_PHASES = ["Pending", "Running", "Successful"];

// Their definitions have no status subresource: an update without the status would start them anew.
const RUN: KindRules = {
  retain: retaining(["status"]),
  interpretHealth: (object) => GOOD_PHASES.includes(textAtPath(object, "status", "phase")),
  reflectStatus: reflecting(["phase", "message"]),
  aggregateStatus: aggregating((report) => ({
    ...decidingPhase(report, { order: PHASES, silent: "Pending" }),
  })),
};

export const ANALYSIS_RUN: KindRules = {
  ...RUN,
  getDependencies: (object) => {
    const references = new References(object);
    for (const argument of objectsAtPath(object, "spec", "args")) {
      references.add("Secret", textAtPath(argument, "valueFrom", "secretKeyRef", "name"));
    }
    return references.list();
  },
};

export const EXPERIMENT: KindRules = { ...RUN, getDependencies: dependenciesOfExperiment };

function dependenciesOfExperiment(object: KubeObject): readonly Dependency[] {
  const references = new References(object);
  for (const template of objectsAtPath(object, "spec", "templates")) {
    for (const { kind, name = "" } of dependenciesOfTemplate(object, fieldsAt(template, "template"))) {
      references.add(kind, name);
    }
  }
  addTemplates({ templates: objectsAtPath(object, "spec", "analyses") }, references);
  return references.list();
}
