// Random Lua programs as scripts of a customization: what the language and its library do, rather than what one asks of them.
import type { KubeObject } from "../../../../../kube/object.ts";
import { judge } from "../../../karmada-cases.ts";
import { answerByCustomizations, type CustomInput } from "../../../suites/interpreter-custom.ts";
import { PROGRAM_ARGUMENT } from "../lua/program-words.table.ts";
import { randomProgram } from "../lua/random-programs.ts";
import type { Operation, Recorded } from "../operation.ts";

type Input = CustomInput & { readonly level: "custom" };

const OBJECT: KubeObject = {
  apiVersion: "programs.example.com/v1",
  kind: "Program",
  metadata: { name: "program", namespace: "default" },
  spec: PROGRAM_ARGUMENT,
};

function inputOf(program: string): Input {
  return {
    level: "custom",
    operation: "InterpretStatus",
    object: OBJECT,
    customizations: [
      {
        apiVersion: "config.karmada.io/v1alpha1",
        kind: "ResourceInterpreterCustomization",
        metadata: { name: "program" },
        spec: {
          target: { apiVersion: OBJECT.apiVersion, kind: OBJECT.kind },
          customizations: {
            statusReflection: {
              luaScript: `local function program(a)\n${program}\nend\nfunction ReflectStatus(o) return {text = program(o.spec)} end`,
            },
          },
        },
      },
    ],
  };
}

// Where values live in memory, and what lies there, is nobody's business; where an error happened is told in other words.
function comparable(answer: unknown): unknown {
  const text = JSON.stringify(answer)
    .replace(/0x[0-9a-f]{6,}/g, "0x")
    .replace(/&\{.*?[^|]\}(?= \|)/g, "&{}");
  const parsed: unknown = JSON.parse(text);
  return typeof parsed === "object" && parsed !== null && "error" in parsed ? { error: true } : parsed;
}

export const interpretLuaOperation: Operation<Input> = {
  op: "interpret",
  name: "interpret-lua",
  file: "interpreter-custom.json",

  ask: (dice) => Array.from({ length: 40 }, () => ({ input: inputOf(randomProgram(dice)) })),

  judge: (recorded) =>
    judge({ ...recorded, expected: comparable(recorded.expected) } as Recorded<Input>, (input) =>
      comparable(answerByCustomizations(input)),
    ),

  tags: () => ["lua"],
};
