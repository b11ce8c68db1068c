// Which type may stand where another is asked for, and what type parameters come to mean thereby.
import { type CelType, DYN, formatType, isDyn, listOf, mapOf, opaque, parametersOf, sameType } from "./types.ts";

/** What is known of type parameters, by their printed form. */
export class Bindings {
  #map: Map<string, CelType>;

  constructor(map: Map<string, CelType> = new Map()) {
    this.#map = map;
  }

  find(type: CelType): CelType | undefined {
    return this.#map.size === 0 ? undefined : this.#map.get(formatType(type));
  }

  bind(type: CelType, meaning: CelType): void {
    this.#map.set(formatType(type), meaning);
  }

  copy(): Bindings {
    return new Bindings(new Map(this.#map));
  }

  replaceBy(other: Bindings): void {
    this.#map = other.#map;
  }

  /** Whether each type may stand for the one beside it; what that needs is remembered only if all may. */
  assign(left: readonly CelType[], right: readonly CelType[]): boolean {
    if (left.length !== right.length) return false;
    const trial = this.copy();
    if (!left.every((type, index) => trial.#assign(type, right[index]!))) return false;
    this.replaceBy(trial);
    return true;
  }

  #assign(a: CelType, b: CelType): boolean {
    if (b.kind === "param") {
      const outcome = this.#substitutes(a, b);
      if (outcome.valid) return true;
      if (outcome.known) return false;
    }
    if (a.kind === "param") return this.#substitutes(b, a).valid;
    if (isDyn(a) || isDyn(b) || a.kind === "error" || b.kind === "error") return true;
    if (a.kind === "null") return b.kind === "null" || isNullable(b);
    if (b.kind === "null") return isNullable(a);
    if (a.kind !== b.kind) return false;
    if (a.kind === "type") return true;
    if ("name" in a && "name" in b && a.name !== b.name) return false;
    const left = parametersOf(a);
    const right = parametersOf(b);
    return left.length === right.length && left.every((each, index) => this.#assign(each, right[index]!));
  }

  #substitutes(type: CelType, parameter: CelType): { valid: boolean; known: boolean } {
    if (sameType(type, parameter)) return { valid: true, known: true };
    const meaning = this.find(parameter);
    if (meaning !== undefined) {
      if (sameType(type, meaning)) return { valid: true, known: true };
      if (!this.#assign(type, meaning)) return { valid: false, known: true };
      const wider = mostGeneral(type, meaning);
      if (this.#isFree(parameter, wider)) this.bind(parameter, wider);
      return { valid: true, known: true };
    }
    if (!this.#isFree(parameter, type)) return { valid: false, known: false };
    this.bind(parameter, type);
    return { valid: true, known: false };
  }

  /** Whether a type does not contain the parameter, so that binding makes no circle. */
  #isFree(parameter: CelType, within: CelType): boolean {
    if (sameType(parameter, within)) return false;
    if (within.kind === "param") {
      const meaning = this.find(within);
      return meaning === undefined || this.#isFree(parameter, meaning);
    }
    return parametersOf(within).every((each) => this.#isFree(parameter, each));
  }

  /** The type with what is known put in. `final` makes dyn of the rest. */
  substitute(type: CelType, final = false): CelType {
    const meaning = this.find(type);
    if (meaning !== undefined) return this.substitute(meaning, final);
    switch (type.kind) {
      case "param":
        return final ? DYN : type;
      case "list":
        return listOf(this.substitute(type.item, final));
      case "map":
        return mapOf(this.substitute(type.key, final), this.substitute(type.value, final));
      case "opaque":
        return type.params.length === 0
          ? type
          : opaque(type.name, ...type.params.map((each) => this.substitute(each, final)));
      case "type":
        return type.of === undefined ? type : { kind: "type", of: this.substitute(type.of, final) };
      default:
        return type;
    }
  }
}

function isNullable(type: CelType): boolean {
  return ["opaque", "struct", "duration", "timestamp"].includes(type.kind);
}

/** The wider one of two types of which one may stand for the other. */
export function mostGeneral(a: CelType, b: CelType): CelType {
  return isAsGeneral(a, b) ? a : b;
}

function isAsGeneral(a: CelType, b: CelType): boolean {
  if (isDyn(a) || a.kind === "param") return true;
  if (isDyn(b) || b.kind === "param" || a.kind !== b.kind) return false;
  if (a.kind === "type") return true;
  if (a.kind !== "list" && a.kind !== "map" && a.kind !== "opaque") return sameType(a, b);
  if (a.kind === "opaque" && b.kind === "opaque" && a.name !== b.name) return false;
  const left = parametersOf(a);
  const right = parametersOf(b);
  return left.length === right.length && left.every((each, index) => isAsGeneral(each, right[index]!));
}
