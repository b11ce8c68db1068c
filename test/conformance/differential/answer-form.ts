// The form in which the answers of two servers are compared: what each server makes for itself gets a name.
import { isObject } from "../../../kube/object.ts";
import { toNormalForm } from "../apiserver/normal-form.ts";

const UID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;
const AGE = /^(\d+m)?\d+s$|^<invalid>$/;
const DAY_MS = 86_400_000;

/** Names uids and revisions of one server by their first appearance in a case. */
export class AnswerForm {
  readonly #uids = new Map<string, string>();
  readonly #revisions = new Map<string, string>();

  of(value: unknown): unknown {
    return toNormalForm(this.#walk(value, "", false));
  }

  #walk(value: unknown, key: string, isList: boolean): unknown {
    if (typeof value === "string") return this.#text(value, key, isList);
    if (typeof value === "number" && /^(nodePort|healthCheckNodePort)$/.test(key) && value >= 30_000)
      return "<nodePort>";
    if (Array.isArray(value)) return value.map((item) => this.#walk(item, key, false));
    if (!isObject(value)) return value;
    const list = Array.isArray(value["items"]) || Array.isArray(value["rows"]);
    const out: Record<string, unknown> = {};
    for (const [name, child] of Object.entries(value)) {
      out[this.#text(name, "", false)] = this.#walk(child, name, name === "metadata" ? list : isList);
    }
    return out;
  }

  #text(text: string, key: string, isList: boolean): string {
    if (key === "resourceVersion" && /^\d+$/.test(text))
      return isList ? "<revision>" : this.#name(this.#revisions, "rv", text);
    if (key === "continue" && text !== "") return "<continue>";
    if (key === "cells" && AGE.test(text)) return "<age>";
    if (/^(clusterIPs?|cells)$/.test(key) && /^10\.\d+\.\d+\.\d+$/.test(text)) return "<clusterIP>";
    return text
      .replace(UID, (uid) => this.#name(this.#uids, "uid", uid))
      .replace(TIME, (time) => (Math.abs(Date.parse(time) - Date.now()) < DAY_MS ? "<time>" : time))
      .replace(/\b(gen-)[bcdfghjklmnpqrstvwxz2456789]{5}\b/g, "$1<suffix>")
      .replace(/patch: Invalid value: .*: /s, "patch: Invalid value: <value>: ")
      .replace(/^Invalid value: "(\{|map\[)\\?.*": (?!must|field|name|a valid)/s, "Invalid value: <value>: ")
      .replace(/((?:in record|precondition) \()\d+/g, "$1<rv>")
      .replace(/(?<=: errors:\n).*/s, (lines) => lines.split("\n").toSorted().join("\n"))
      .replace(/(resource version: )\d+( \(\d+\))?/gi, "$1<rv>")
      .replace(/(current: )\d+/g, "$1<rv>")
      .replace(/"\d{5}"(?=: the object has been modified)/g, "<rv>");
  }

  #name(names: Map<string, string>, kind: string, value: string): string {
    let name = names.get(value);
    if (name === undefined) {
      name = `<${kind}:${names.size + 1}>`;
      names.set(value, name);
    }
    return name;
  }
}
