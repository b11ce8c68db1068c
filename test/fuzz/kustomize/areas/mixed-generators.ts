// configMapGenerator and secretGenerator: new objects, and changes to those of bases.
import type { Random } from "../../../../runtime/random.ts";
import type { YamlValue } from "../support/yaml-writer.ts";
import { RawYaml, writeYaml } from "../support/yaml-writer.ts";
import type { Directory, KnownObject, Repository } from "./mixed.ts";
import type { Fields } from "./mixed-patches.ts";

/** Adds generators and what they generate. */
export function addGenerators(directory: Directory, repository: Repository): void {
  const { random } = repository;
  const { fields } = directory;
  for (const kind of ["ConfigMap", "Secret"] as const) {
    if (!random.chance(kind === "ConfigMap" ? 0.35 : 0.2)) continue;
    const made: Fields[] = [];
    for (let i = 0; i < 1 + random.below(2); i++) {
      const entry = generator(kind, directory, repository);
      if (entry !== undefined) made.push(entry);
    }
    if (made.length > 0) fields[kind === "ConfigMap" ? "configMapGenerator" : "secretGenerator"] = made;
  }
  if (random.chance(0.12)) fields["generatorOptions"] = options(random);
  if (random.chance(0.06) && !directory.isComponent) {
    const name = `plugged${repository.counter++}`;
    const value = { apiVersion: "builtin", kind: "ConfigMapGenerator", metadata: { name }, name, literals: ["a=b"] };
    fields["generators"] = [writeYaml(value, random, { flow: 0, comments: 0 })];
  }
}

function generator(kind: "ConfigMap" | "Secret", directory: Directory, repository: Repository): Fields | undefined {
  const { random, pool } = repository;
  // The current name is what generators look for.
  const present = directory.objects.filter((object) => object.kind === kind && object.apiVersion === "v1");
  const changes = present.length > 0 && random.chance(0.3);
  const target = changes ? random.pick(present) : undefined;
  const name = target?.name ?? random.pick(pool.names);
  const namespace = target?.namespace ?? (random.chance(0.15) ? random.pick(pool.namespaces) : undefined);
  if (!changes && present.some((object) => object.name === name || object.current === name)) return undefined;
  if (!changes) {
    const made = {
      apiVersion: "v1",
      kind,
      name,
      current: name,
      namespace,
      currentNamespace: namespace,
      clusterScoped: false,
    };
    // The list is this directory's own.
    (directory.objects as KnownObject[]).push(made);
  }
  return {
    name,
    namespace,
    behavior: changes ? random.pick(["merge", "merge", "replace"]) : random.chance(0.1) ? "create" : undefined,
    type: kind === "Secret" && random.chance(0.3) ? "kubernetes.io/tls" : undefined,
    ...sources(directory, repository),
    options: random.chance(0.2) ? options(random) : undefined,
  };
}

function sources(directory: Directory, repository: Repository): Fields {
  const { random } = repository;
  const literals = ["a=1", "b=two words", "c='quoted'", 'd="double"', "e=x=y", "k=007", "host=$(V1)", "u=é"];
  const count = repository.counter++;
  const result: Record<string, YamlValue> = {};
  if (random.chance(0.7)) result["literals"] = literals.filter(() => random.chance(0.3));
  if (random.chance(0.3)) {
    const text = random.pick([
      "plain",
      "a\nb\n",
      "trailing \n",
      "\ttab\n",
      '{"a": 1}\n',
      `${"long ".repeat(30)}\n`,
      "",
    ]);
    const bytes = random.chance(0.15) ? Uint8Array.from([0, 255, 254, 10, 128]) : text;
    repository.files[`${directory.path}/data${count}.txt`] = bytes;
    result["files"] = [random.pick([`data${count}.txt`, `renamed.txt=data${count}.txt`, `./data${count}.txt`])];
  }
  if (random.chance(0.2)) {
    const text = random.pick([
      "X=1\nY=2\n",
      "# comment\n\n  X= spaced \nZ\n",
      'X="quoted"\r\nW=1\r\n',
      "\ufeffX=bom\n",
    ]);
    repository.files[`${directory.path}/vars${count}.env`] = text;
    if (random.chance(0.2)) result["env"] = `vars${count}.env`;
    else result["envs"] = [`vars${count}.env`];
  }
  return result;
}

function options(random: Random): Fields {
  return {
    labels: random.chance(0.4) ? { generated: "yes", app: "gen" } : undefined,
    annotations: random.chance(0.3)
      ? { "gen.example/note": random.pick<YamlValue>(["a", new RawYaml('"1"')]) }
      : undefined,
    disableNameSuffixHash: random.chance(0.4) ? random.chance(0.8) : undefined,
    immutable: random.chance(0.2) ? true : undefined,
  };
}
