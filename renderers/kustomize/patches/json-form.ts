// Objects as they come back from JSON: what a JSON patch leaves of the way in which things were written.

import { emitYamlDocument } from "../../../kube/yaml-emit.ts";
import { looksLikeAnotherType, readCoreScalar } from "../../../kube/yaml-scalars.ts";
import { type Node, type NodeMap, NULL, Scalar } from "../resources/node.ts";

/**
 * The node of a JSON value. As kustomize: every number is a double and written as Go writes those (`1e+06`), which is
 * the text that replacements copy; text is in quotes only where YAML needs them.
 */
export function fromJson(value: unknown): Node {
  switch (typeof value) {
    case "string":
      return new Scalar("!!str", value, !isPlain(value));
    case "number":
    case "bigint": {
      const text = formatDouble(Number(value));
      return new Scalar(readCoreScalar(text).tag, text);
    }
    case "boolean":
      return new Scalar("!!bool", String(value));
    default:
      break;
  }
  if (Array.isArray(value)) return value.map(fromJson);
  if (typeof value !== "object" || value === null) return NULL;
  const map: NodeMap = new Map();
  for (const [key, item] of Object.entries(value)) map.set(key, fromJson(item));
  return map;
}

/** The shortest text of a double, with an exponent below -4 and from 6 on. */
export function formatDouble(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const [digits = "0", power = "0"] = value.toExponential().split("e");
  const exponent = Number(power);
  if (exponent >= -4 && exponent < 6) return Object.is(value, -0) ? "-0" : String(value);
  const size = String(Math.abs(exponent)).padStart(2, "0");
  return `${digits}e${exponent < 0 ? "-" : "+"}${size}`;
}

const SURELY_PLAIN = /^[A-Za-z_/][A-Za-z0-9_/.-]*$/;

function isPlain(text: string): boolean {
  if (text.includes("\n") || looksLikeAnotherType(text)) return false;
  return SURELY_PLAIN.test(text) || !/^["']/.test(emitYamlDocument(text, { sortKeys: false }));
}
