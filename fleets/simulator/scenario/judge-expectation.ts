// Whether what a scenario expects of objects is so. Pure.

import { matchesPattern } from "../../../api/fleet-targets.ts";
import type { FleetExpectation } from "../../../api/fleet-timeline.ts";
import { compileJsonPath } from "../../../kube/jsonpath.ts";
import { equalJson, isObject, type KubeObject } from "../../../kube/object.ts";

/** The objects of one cluster that an expectation may be about: all of its kind, in its namespace. */
export interface Found {
  readonly cluster: string;
  readonly objects: readonly KubeObject[];
}

/** Undefined when it is so; else what is otherwise: `member2: status.readyReplicas is 1, not 3`. */
export function judgeExpectation(expectation: FleetExpectation, found: readonly Found[]): string | undefined {
  const concerned = found.map(({ cluster, objects }) => ({
    cluster,
    objects: objects.filter((object) => isMeant(expectation, object)),
  }));
  if (expectation.condition !== undefined) return judgeCondition(expectation.condition, concerned, expectation);
  const { path, equals, each } = expectation;
  if (path !== undefined && equals !== undefined && each !== false) return judgeValues(expectation, concerned);
  return judgeNumbers(expectation, concerned);
}

function isMeant({ name, namespace, labels }: FleetExpectation, { metadata }: KubeObject): boolean {
  return (
    (name === undefined || matchesPattern(name, metadata.name ?? "")) &&
    (namespace === undefined || metadata.namespace === namespace) &&
    Object.entries(labels ?? {}).every(([key, value]) => metadata.labels?.[key] === value)
  );
}

function judgeCondition(condition: string, found: readonly Found[], expectation: FleetExpectation): string | undefined {
  const [type = "", wanted = ""] = condition.split("=");
  for (const { cluster, objects } of found) {
    if (objects.length === 0) return `${cluster}: there is no ${wordsOf(expectation)}`;
    for (const object of objects) {
      const status = isObject(object["status"]) ? object["status"] : {};
      const conditions: readonly unknown[] = Array.isArray(status["conditions"]) ? status["conditions"] : [];
      const is = conditions.find((each) => isObject(each) && each["type"] === type);
      const actual = isObject(is) ? String(is["status"]) : "absent";
      if (actual !== wanted) return `${cluster}: ${nameOf(object)} has ${type} ${actual}, not ${wanted}`;
    }
  }
  return undefined;
}

function judgeValues(expectation: FleetExpectation, found: readonly Found[]): string | undefined {
  const path = compileJsonPath(expectation.path ?? "");
  for (const { cluster, objects } of found) {
    if (objects.length === 0) return `${cluster}: there is no ${wordsOf(expectation)}`;
    for (const object of objects) {
      const [value] = path.find(object);
      // What is 0 or false is often left out.
      const isSo = equalJson(value, expectation.equals) || (value === undefined && isNothing(expectation.equals));
      if (!isSo)
        return `${cluster}: ${expectation.path} of ${nameOf(object)} is ${shown(value)}, not ${shown(expectation.equals)}`;
    }
  }
  return undefined;
}

function judgeNumbers(expectation: FleetExpectation, found: readonly Found[]): string | undefined {
  const numbers = found.map(({ cluster, objects }) => ({ cluster, number: numberOf(expectation, objects) }));
  if (expectation.each === false) {
    const sum = numbers.reduce((total, { number }) => total + number, 0);
    return judgeNumber(expectation, sum, "in all clusters together");
  }
  for (const { cluster, number } of numbers) {
    const words = judgeNumber(expectation, number, cluster);
    if (words !== undefined) return words;
  }
  return undefined;
}

function numberOf({ path }: FleetExpectation, objects: readonly KubeObject[]): number {
  if (path === undefined) return objects.length;
  const compiled = compileJsonPath(path);
  return objects.reduce((sum, object) => sum + Number(compiled.find(object)[0] ?? 0), 0);
}

function judgeNumber(expectation: FleetExpectation, number: number, where: string): string | undefined {
  const { equals, atLeast, atMost } = expectation;
  const what = expectation.path === undefined ? `the number of ${wordsOf(expectation)}` : expectation.path;
  if (equals !== undefined && number !== equals) return `${where}: ${what} is ${number}, not ${shown(equals)}`;
  if (atLeast !== undefined && number < atLeast) return `${where}: ${what} is ${number}, less than ${atLeast}`;
  if (atMost !== undefined && number > atMost) return `${where}: ${what} is ${number}, more than ${atMost}`;
  return undefined;
}

/** What an expectation is about, in words: `Deployment shop/web`, `Pod with app=web`. */
export function wordsOf({ kind, namespace, name, labels }: FleetExpectation): string {
  const named = name === undefined ? "" : ` ${namespace === undefined ? "" : `${namespace}/`}${name}`;
  const place = name === undefined && namespace !== undefined ? ` in ${namespace}` : "";
  const labelled = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return `${kind ?? ""}${named}${place}${labelled.length === 0 ? "" : ` with ${labelled.join(", ")}`}`;
}

function nameOf({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata.namespace === undefined ? "" : `${metadata.namespace}/`}${metadata.name ?? ""}`;
}

function isNothing(value: unknown): boolean {
  return value === 0 || value === false || value === "" || value === null;
}

function shown(value: unknown): string {
  return value === undefined ? "absent" : JSON.stringify(value);
}
