// What Works report, in the binding and in the template.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isObject } from "../../../../../kube/object.ts";
import type { Dice } from "../../../../../reconciler/scheduler/testing/random-cases.ts";
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

const VECTORS = join(import.meta.dirname, "..", "..", "..", "vectors", "karmada");

let recordedInputs: readonly StatusInput[] | undefined;

/** Bindings and templates of recorded questions, with Works that report what others did of the same kind. */
export function askRecombinedStatus(dice: Dice): { input: StatusInput }[] {
  recordedInputs ??= (JSON.parse(readFileSync(join(VECTORS, "status.json"), "utf8")) as { input: StatusInput }[]).map(
    ({ input }) => input,
  );
  const inputs = recordedInputs;
  return Array.from({ length: 20 }, () => {
    const { binding, template, works } = dice.pick(inputs);
    const alike = inputs.filter((input) => input.template.kind === template.kind);
    const mixed = works.map((work) => {
      const other = dice.pick(dice.pick(alike).works);
      if (other === undefined || dice.chance(0.3)) return work;
      const identifier = work.status?.manifestStatuses?.[0]?.identifier;
      const manifestStatuses = other.status?.manifestStatuses?.map((one) => ({
        ...one,
        identifier: identifier ?? one.identifier,
      }));
      return { ...work, status: { ...other.status, ...(manifestStatuses === undefined ? {} : { manifestStatuses }) } };
    });
    const { status } = dice.pick(alike).template;
    const { status: _own, ...bare } = template;
    const withStatus = dice.chance(0.5) ? template : { ...bare, ...(status === undefined ? {} : { status }) };
    // Put together from parts of the same kinds.
    return { input: structuredClone({ binding, template: withStatus, works: mixed }) as unknown as StatusInput };
  });
}
