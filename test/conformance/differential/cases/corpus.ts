// Valid objects to start from: what the recordings create.
import { join } from "node:path";
import { typeNameOf } from "../../../../fleets/apiserver/kinds/tables.ts";
import { isObject, type JsonObject } from "../../../../kube/object.ts";
import { readRecorded } from "../../apiserver/recorded.ts";

export interface CorpusObject {
  /** Collection to create it in, with `{ns}`. */
  readonly path: string;
  readonly typeName: string;
  readonly body: JsonObject;
}

const LEFT_OUT = /customresourcedefinitions|apiservices|\/namespaces$|reviews|webhookconfigurations/;

/** Bodies of accepted creates of built-in kinds, by collection path. */
export function readCorpus(): CorpusObject[] {
  const { cases } = readRecorded(join(import.meta.dirname, "..", "..", "vectors", "apiserver"));
  const found = new Map<string, CorpusObject>();
  for (const { steps } of cases) {
    for (const { request, response } of steps) {
      if (request?.method !== "POST" || response?.code !== 201 || !isObject(request.body)) continue;
      const path = request.path.split("?")[0]!;
      const { apiVersion, kind } = request.body;
      const typeName = typeNameOf(String(apiVersion), String(kind));
      if (typeName === undefined || LEFT_OUT.test(path) || !/^\/apis?\/[^{]*(\{ns\}\/)?[a-z]+$/.test(path)) continue;
      // The vectors' bodies are JSON.
      const body = request.body as JsonObject;
      const text = JSON.stringify(body);
      if (text.length < 6000 && !text.includes("{save:")) found.set(`${path} ${text}`, { path, typeName, body });
    }
  }
  return [...found.values()];
}

/** The corpus grouped by collection, so that every kind has the same share. */
export function corpusByPath(): CorpusObject[][] {
  const groups = new Map<string, CorpusObject[]>();
  for (const object of readCorpus()) groups.set(object.path, [...(groups.get(object.path) ?? []), object]);
  return [...groups.values()];
}
