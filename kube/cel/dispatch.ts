// Calls of functions: which signature the arguments have, and what the call costs.
import type { Implementation, Overload } from "./declarations.ts";
import { charge, type Frame, type Step } from "./frame.ts";
import { callCost } from "./function-costs.ts";
import { type CelType, isDyn, parametersOf, runtimeName } from "./types.ts";
import { fail, typeNameOf, type Value } from "./values.ts";

/** Values in, a value out, without the types that signatures promise. What takes long looks at the frame's time. */
type Untyped = (this: Frame, ...args: Value[]) => Value;

function implementationOf(overload: Overload): Untyped {
  const call: Implementation = overload.call ?? (() => fail(`no such overload: ${overload.id}`));
  // Arguments are of the types of the signature: the checker saw to it, or `fits` did.
  return call as Untyped;
}

/** The step of a call of `name` whose arguments have the static `types`. */
export function callSteps(
  name: string,
  overloads: readonly Overload[],
  types: readonly CelType[],
  args: readonly Step[],
): Step {
  const only = overloads.length === 1 ? overloads[0] : undefined;
  if (only !== undefined && !types.some(isVague)) return directCall(name, only, args);
  return (frame) => {
    const values = args.map((arg) => arg(frame));
    const overload = overloads.find((each) => each.args.every((type, index) => fits(values[index]!, type)));
    if (overload === undefined) {
      return fail(`no such overload: ${name}(${values.map(typeNameOf).join(", ")})`);
    }
    charge(frame, callCost(name, overload.id, values));
    return implementationOf(overload).call(frame, ...values);
  };
}

function directCall(name: string, overload: Overload, args: readonly Step[]): Step {
  const call = implementationOf(overload);
  const { id } = overload;
  const [first, second] = args;
  if (args.length === 1) {
    return (frame) => {
      const value = first!(frame);
      charge(frame, callCost(name, id, [value]));
      return call.call(frame, value);
    };
  }
  if (args.length === 2) {
    return (frame) => {
      const a = first!(frame);
      const b = second!(frame);
      charge(frame, callCost(name, id, [a, b]));
      return call.call(frame, a, b);
    };
  }
  return (frame) => {
    const values = args.map((arg) => arg(frame));
    charge(frame, callCost(name, id, values));
    return call.call(frame, ...values);
  };
}

/** Whether values of the type may turn out to be of another. */
function isVague(type: CelType): boolean {
  return isDyn(type) || type.kind === "param" || type.kind === "null" || parametersOf(type).some(isVague);
}

function fits(value: Value, type: CelType): boolean {
  return type.kind === "dyn" || type.kind === "param" || typeNameOf(value) === runtimeName(type);
}
