// What Works report, in the binding and in the template.
import { isObject } from "../../../../../kube/object.ts";
import { bindingId, bindingIdLabel } from "../../../../../reconciler/works/targets.ts";
import { randomBindingOf, randomStoredTemplate, randomWorks } from "../../../../random/bindings.ts";
import { judge } from "../../../karmada-cases.ts";
import { answerStatus, comparableStatus, type StatusInput } from "../../../suites/status.ts";
import type { Operation } from "../operation.ts";

export const statusOperation: Operation<StatusInput> = {
  op: "status",
  file: "status.json",

  ask: (dice) =>
    Array.from({ length: 20 }, () => {
      const template = randomStoredTemplate(dice);
      const binding = randomBindingOf(dice, template);
      return { input: { binding, template, works: randomWorks(dice, binding, template) } };
    }),

  judge: (recorded) => judge(recorded, answerStatus, comparableStatus),

  isSensible: ({ binding, template, works }) =>
    isObject(template?.metadata) &&
    typeof template.metadata["name"] === "string" &&
    typeof template.kind === "string" &&
    typeof template.apiVersion === "string" &&
    isObject(binding?.spec?.resource) &&
    typeof binding.metadata?.name === "string" &&
    bindingId(binding) !== undefined &&
    (binding.spec.clusters ?? []).every((target) => typeof target.name === "string") &&
    Array.isArray(works) &&
    works.every(
      ({ metadata, status }) =>
        typeof metadata?.namespace === "string" &&
        typeof metadata.name === "string" &&
        metadata.labels?.[bindingIdLabel(binding)] === bindingId(binding) &&
        (status?.manifestStatuses ?? []).every((one: { readonly identifier?: unknown }) => isObject(one.identifier)),
    ),

  tags: ({ input }, { expected }) => [
    input.template.kind,
    `works-${input.works.length}`,
    isObject(expected) && "error" in expected ? "error" : "collected",
  ],
};
