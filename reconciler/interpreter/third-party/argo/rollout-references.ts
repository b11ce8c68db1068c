// What a Rollout names: Services it switches between, analyses it runs, and the workload whose pods it may take over.

import type { KubeObject } from "../../../../kube/object.ts";
import { type Fields, fieldsAt } from "../../field-access.ts";
import type { Dependency } from "../../interpreter.ts";
import { objectsAtPath, textAtPath } from "../rules/field-paths.ts";
import { dependenciesOfTemplate } from "../rules/pod-templates.ts";
import { References } from "../rules/references.ts";

const API_VERSION = "argoproj.io/v1alpha1";

const SERVICES: readonly (readonly [strategy: string, field: string])[] = [
  ["canary", "canaryService"],
  ["canary", "stableService"],
  ["blueGreen", "activeService"],
  ["blueGreen", "previewService"],
];

/** Without any of these the Rollout is invalid in the member, and with the pods' own the pods do not start. */
export function dependenciesOfRollout(object: KubeObject): readonly Dependency[] {
  const references = new References(object);
  for (const { kind, name = "" } of dependenciesOfTemplate(object, fieldsAt(object, "spec", "template"))) {
    references.add(kind, name);
  }
  const strategy = fieldsAt(object, "spec", "strategy");
  for (const [kind, field] of SERVICES) references.add("Service", textAtPath(strategy, kind, field));
  references.add("Service", textAtPath(strategy, "canary", "pingPong", "pingService"));
  references.add("Service", textAtPath(strategy, "canary", "pingPong", "pongService"));
  for (const analysis of analysesOf(strategy)) addTemplates(analysis, references);
  const workload = fieldsAt(object, "spec", "workloadRef");
  references.add(textAtPath(workload, "kind"), textAtPath(workload, "name"), textAtPath(workload, "apiVersion"));
  return references.list();
}

/** The analyses of a strategy: before and after the switch, in the background, and step by step. */
function analysesOf(strategy: Fields): readonly Fields[] {
  const canary = fieldsAt(strategy, "canary");
  const steps = objectsAtPath(canary, "steps");
  return [
    fieldsAt(strategy, "blueGreen", "prePromotionAnalysis"),
    fieldsAt(strategy, "blueGreen", "postPromotionAnalysis"),
    fieldsAt(canary, "analysis"),
    ...steps.map((step) => fieldsAt(step, "analysis")),
    ...steps.map((step) => ({ templates: objectsAtPath(step, "experiment", "analyses") })),
  ];
}

/** Adds the AnalysisTemplates under `templates`; those of the whole cluster are not of the namespace that is followed. */
export function addTemplates(analysis: Fields, references: References): void {
  for (const template of objectsAtPath(analysis, "templates")) {
    const name = textAtPath(template, "templateName");
    if (template["clusterScope"] !== true) references.add("AnalysisTemplate", name, API_VERSION);
  }
}
