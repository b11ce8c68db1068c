// Names and hashes made of names.
import type { Dice } from "../../../../../reconciler/scheduler/testing/random-cases.ts";
import { judge } from "../../../karmada-cases.ts";
import { answerNaming, NAMING_FUNCTIONS, type NamingInput } from "../../../suites/naming.ts";
import type { Operation } from "../operation.ts";

function randomName(dice: Dice): string {
  const alphabet = dice.pick(["abcxyz", "abc-.", "AbC:", "äöü日本😀", "0123456789", "system:", "a/_ ="]);
  const length = dice.pick([0, 1, 3, 12, 40, 63, 64, 253, 300]);
  const letters = [...alphabet];
  return Array.from({ length }, () => dice.pick(letters)).join("");
}

const NAMESPACES = ["", "default", "kube-system", "karmada-system", "karmada-cluster", "karmada-es-", "karmada-es-m1"];

export const namingOperation: Operation<NamingInput> = {
  op: "naming",
  file: "naming.json",

  ask: (dice) =>
    Array.from({ length: 50 }, () => ({
      input: {
        function: dice.pick(NAMING_FUNCTIONS),
        args: Array.from({ length: 3 }, () => (dice.chance(0.2) ? dice.pick(NAMESPACES) : randomName(dice))),
      },
    })),

  judge: (recorded) => judge(recorded, answerNaming),

  tags: ({ input }) => [input.function],
};
