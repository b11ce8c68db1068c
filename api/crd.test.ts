import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { isObject, type KubeObject } from "../kube/object.ts";
import { parseYaml } from "../kube/yaml.ts";
import { karmadaCrds } from "./crd.ts";
import { generatedFiles, staleFiles } from "./generate.ts";

// Set to a folder with Karmada's own definitions to compare with them.
const upstream = process.env["KARMADA_CRDS"];
if (upstream === undefined) console.log("not compared with Karmada's definitions: KARMADA_CRDS names no folder");

function versionOf(crd: KubeObject): Record<string, unknown> {
  const versions = isObject(crd["spec"]) ? crd["spec"]["versions"] : undefined;
  if (!Array.isArray(versions)) throw new Error("no versions");
  return versions.find((version) => version.storage);
}

function schemaOf(crd: KubeObject): Record<string, unknown> {
  const { schema } = versionOf(crd);
  if (!isObject(schema) || !isObject(schema["openAPIV3Schema"])) throw new Error("no schema");
  return schema["openAPIV3Schema"];
}

/** Every node of a schema with its path. */
function* nodes(node: Record<string, unknown>, at = ""): Generator<readonly [string, Record<string, unknown>]> {
  yield [at, node];
  const { properties, items, additionalProperties } = node;
  if (isObject(properties)) {
    for (const [name, child] of Object.entries(properties)) if (isObject(child)) yield* nodes(child, `${at}.${name}`);
  }
  if (isObject(items)) yield* nodes(items, `${at}[]`);
  if (isObject(additionalProperties)) yield* nodes(additionalProperties, `${at}{}`);
}

/** The one field that we add to Karmada's kinds. */
const OUR_FIELD = "flaghoist";

/** What of two definitions differs, descriptions and our own field left aside. */
function differences(ours: unknown, theirs: unknown, at = ""): string[] {
  if (Array.isArray(ours) && Array.isArray(theirs) && ours.length === theirs.length) {
    return ours.flatMap((item, index) => differences(item, theirs[index], `${at}[${index}]`));
  }
  if (isObject(ours) && isObject(theirs)) {
    const keys = new Set([...Object.keys(ours), ...Object.keys(theirs)]);
    const inProperties = at.endsWith(".properties");
    return [...keys]
      .filter((key) => (inProperties ? key !== OUR_FIELD : key !== "description"))
      .flatMap((key) => differences(ours[key], theirs[key], `${at}.${key}`));
  }
  return ours === theirs ? [] : [`${at}: ours ${JSON.stringify(ours)}, theirs ${JSON.stringify(theirs)}`];
}

/** An order that does not matter does not count; an empty subresource list says the same as none. */
function comparable(crd: KubeObject): unknown {
  const version = versionOf(crd);
  const { additionalPrinterColumns, subresources } = version;
  const spec = isObject(crd["spec"]) ? crd["spec"] : {};
  const names = isObject(spec["names"]) ? spec["names"] : {};
  for (const [, node] of nodes(schemaOf(crd))) if (Array.isArray(node["required"])) node["required"].sort();
  return {
    group: spec["group"],
    // Where the list is not named, the API server names it.
    names: { listKind: `${String(names["kind"])}List`, ...names },
    scope: spec["scope"],
    version: version["name"],
    columns: additionalPrinterColumns ?? [],
    subresources: subresources ?? {},
    schema: schemaOf(crd),
  };
}

describe("the generated definitions", () => {
  it("are what deploy holds", async () => {
    expect(await staleFiles()).toEqual([]);
  });

  it.each(karmadaCrds().map((crd) => [crd.metadata.name, crd] as const))("describe every field of %s", (_, crd) => {
    const silent = [...nodes(schemaOf(crd))]
      .filter(([at, node]) => !at.endsWith("[]") && !at.endsWith("{}") && at !== ".metadata" && !node["description"])
      .map(([at]) => at);

    expect(silent).toEqual([]);
  });

  it.each(karmadaCrds().map((crd) => [crd.metadata.name, crd] as const))("keep %s structural", (_, crd) => {
    const untyped = [...nodes(schemaOf(crd))]
      .filter(
        ([, node]) =>
          typeof node["type"] !== "string" &&
          node["x-kubernetes-preserve-unknown-fields"] !== true &&
          node["x-kubernetes-int-or-string"] !== true,
      )
      .map(([at]) => at);
    const unions = [...nodes(schemaOf(crd))].filter(
      ([, node]) => ("anyOf" in node && node["x-kubernetes-int-or-string"] !== true) || "oneOf" in node,
    );

    expect(untyped).toEqual([]);
    expect(unions).toEqual([]);
  });
});

describe.skipIf(upstream === undefined)("Karmada's definitions", () => {
  const folder = upstream ?? "";
  const names =
    upstream === undefined
      ? []
      : [...generatedFiles().keys()]
          .map((name) => path.basename(name))
          .filter((name) => readdirSync(folder).includes(name));

  it.each(names)("agree with ours in %s", (name) => {
    // The file is a definition by its name.
    const theirs = parseYaml(readFileSync(path.join(folder, name), "utf8")) as KubeObject;
    const ours = parseYaml(generatedFiles().get(`crds/${name}`) ?? "") as KubeObject;

    expect(differences(comparable(ours), comparable(theirs))).toEqual([]);
  });
});
