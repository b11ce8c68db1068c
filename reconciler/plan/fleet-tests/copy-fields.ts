// Fields and images of a copy, by paths as people write them.
import { isObject, type KubeObject } from "../../../kube/object.ts";
import { fieldSteps } from "../../../kube/yaml-position.ts";

export interface FoundField {
  /** With the names of list items: `spec.template.spec.containers[web].image`. */
  readonly path: string;
  readonly value: unknown;
}

/** What stands at a path; `*` stands for each key or item, an item is named by its `name` or its place. None: nothing. */
export function fieldsAt(object: KubeObject, path: string): FoundField[] {
  let found: FoundField[] = [{ path: "", value: object }];
  for (const step of fieldSteps(path)) found = found.flatMap((one) => stepInto(one, step)).slice(0, MOST_FIELDS);
  return found;
}

const MOST_FIELDS = 10_000;

function stepInto({ path, value }: FoundField, step: string): FoundField[] {
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    return items.flatMap((item, at) => {
      const name = nameOf(item) ?? String(at);
      if (step !== "*" && step !== name && step !== String(at)) return [];
      return [{ path: `${path}[${name}]`, value: item }];
    });
  }
  if (!isObject(value)) return [];
  const keys = step === "*" ? Object.keys(value) : Object.hasOwn(value, step) ? [step] : [];
  return keys.flatMap((key) => (value[key] === undefined ? [] : [{ path: join(path, key), value: value[key] }]));
}

function join(path: string, key: string): string {
  if (/[.[\]/]/.test(key)) return `${path}["${key}"]`;
  return path === "" ? key : `${path}.${key}`;
}

function nameOf(item: unknown): string | undefined {
  return isObject(item) && typeof item["name"] === "string" ? item["name"] : undefined;
}

const CONTAINERS: ReadonlySet<string> = new Set(["containers", "initContainers", "ephemeralContainers"]);

/** The images of all containers, wherever the kind has its Pods. */
export function imagesOf(object: KubeObject): FoundField[] {
  const found: FoundField[] = [];
  const visit = (value: unknown, path: string, depth: number): void => {
    if (depth > 40 || found.length >= MOST_FIELDS) return;
    if (Array.isArray(value)) {
      for (const [at, item] of value.entries()) visit(item, `${path}[${nameOf(item) ?? at}]`, depth + 1);
      return;
    }
    if (!isObject(value)) return;
    for (const [key, child] of Object.entries(value)) {
      const at = join(path, key);
      if (CONTAINERS.has(key) && Array.isArray(child)) {
        for (const [place, item] of child.entries())
          if (isObject(item) && typeof item["image"] === "string")
            found.push({ path: `${at}[${nameOf(item) ?? place}].image`, value: item["image"] });
      } else visit(child, at, depth + 1);
    }
  };
  visit(object["spec"], "spec", 0);
  return found;
}

/** As container runtimes read it: `nginx:1.27` is `docker.io/library/nginx:1.27`. */
export function wholeImage(image: string): string {
  const [first = "", ...rest] = image.split("/");
  if (rest.length === 0) return `docker.io/library/${image}`;
  return /[.:]/.test(first) || first === "localhost" ? image : `docker.io/${image}`;
}

/** Whether a field may hold what is not to be told: anything of a Secret but its metadata, and values of variables. */
export function isHiddenField({ kind }: KubeObject, path: string): boolean {
  if (kind === "Secret") return !/^(?:metadata\.(?:labels|name|namespace)|type$|immutable$)/.test(path);
  return /\.env\[[^\]]*\](?:\.value|$)|\.env$/.test(path) || /last-applied-configuration/.test(path);
}
