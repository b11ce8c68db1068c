// Objects of every built-in kind: created, read in every form, changed, and with faults.
import { cloneJson, type JsonObject } from "../../../../kube/object.ts";
import type { Random } from "../../../../runtime/random.ts";
import { type DifferentialCase, type DifferentialStep, patch, send } from "../differential-case.ts";
import { type CorpusObject, corpusByPath } from "./corpus.ts";
import { mutated } from "./mutate.ts";

const TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
const PARTIAL = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json";

let corpus: CorpusObject[][] | undefined;

export function anyObject(random: Random): CorpusObject {
  corpus ??= corpusByPath();
  return named(random.pick(random.pick(corpus)), "o");
}

/** The object under a name of the case: several cases run in one cluster. */
function named(object: CorpusObject, name: string): CorpusObject {
  const body = cloneJson(object.body);
  const metadata = (body["metadata"] ?? {}) as JsonObject;
  delete metadata["generateName"];
  delete metadata["namespace"];
  body["metadata"] = { ...metadata, name: object.path.includes("{ns}") ? name : `${name}-{id}` };
  return { ...object, body };
}

function nameOf(object: CorpusObject): string {
  return String((object.body["metadata"] as JsonObject)["name"]);
}

function remove(object: CorpusObject): DifferentialStep[] {
  if (object.path.includes("{ns}")) return [];
  return [{ ...send("DELETE", `${object.path}/${nameOf(object)}`), silent: true }];
}

/** One faulty or unusual create. */
export function createMutated(random: Random): DifferentialCase {
  const object = anyObject(random);
  const body = mutated(random, object.body, object.typeName, 1 + random.below(3));
  const query = random.pick(["", "", "", "?fieldValidation=Strict", "?dryRun=All", "?fieldManager=m"]);
  return { steps: [send("POST", `${object.path}${query}`, body), ...remove(object)] };
}

/** A create and its answers in the forms that kubectl asks for. */
export function readForms(random: Random): DifferentialCase {
  const object = anyObject(random);
  const one = `${object.path}/${nameOf(object)}`;
  const body = mutated(random, object.body, object.typeName, random.below(2));
  const include = random.pick(["", "?includeObject=Object", "?includeObject=None"]);
  return {
    steps: [
      send("POST", object.path, body),
      send("GET", one, undefined, { Accept: TABLE }),
      ...(object.path.includes("{ns}") ? [send("GET", `${object.path}${include}`, undefined, { Accept: TABLE })] : []),
      send("GET", one, undefined, { Accept: PARTIAL }),
      ...remove(object),
    ],
  };
}

/** Changes of a stored object by PUT and by patches. */
export function updateMutated(random: Random): DifferentialCase {
  const object = anyObject(random);
  const one = `${object.path}/${nameOf(object)}`;
  const steps: DifferentialStep[] = [send("POST", object.path, object.body)];
  let body = object.body;
  for (let at = 0; at < 2; at++) {
    body = mutated(random, random.chance(0.5) ? object.body : body, object.typeName, 1 + random.below(2));
    const sub = random.chance(0.12) ? "/status" : "";
    const query = random.pick(["", "", "?fieldManager=m2", "?dryRun=All"]);
    if (random.chance(0.6)) {
      steps.push(send("PUT", `${one}${sub}${query}`, body));
      continue;
    }
    const { apiVersion: _a, kind: _k, metadata, ...rest } = body;
    const meta = { ...(metadata as JsonObject) };
    delete meta["name"];
    const type = random.pick(["merge", "strategic"] as const);
    steps.push(patch(type, `${one}${sub}${query}`, { metadata: meta, ...rest }));
  }
  return { steps: [...steps, send("GET", one), ...remove(object)] };
}
