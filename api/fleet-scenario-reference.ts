// Every field of a scenario as a page of Markdown, from the schemas: a part of examples/fleets/README.md.
import { isObject } from "../kube/object.ts";
import { FAULT_SCHEMAS } from "./fleet-faults.ts";
import { fleetScenarioJsonSchema } from "./fleet-scenario-schema.ts";

type Schema = Readonly<Record<string, unknown>>;

/** Between these lines of the page stands what is generated. */
const REFERENCE_BEGIN = "<!-- fields: written by npm run generate -->";
const REFERENCE_END = "<!-- end of fields -->";

interface Section {
  readonly title: string;
  /** Where its fields stand in a scenario. */
  readonly path: readonly string[];
  /** Fields of objects inside that have a section of their own. */
  readonly apart: readonly string[];
}

const SECTIONS: readonly Section[] = [
  {
    title: "The scenario",
    path: [],
    apart: ["defaults", "clusters", "behaviours", "manifests", "timeline"],
  },
  { title: "clusters, and defaults for all of them", path: ["clusters", "[]"], apart: ["nodePools", "network"] },
  { title: "nodePools", path: ["clusters", "[]", "nodePools", "[]"], apart: [] },
  { title: "network", path: ["clusters", "[]", "network"], apart: [] },
  { title: "target", path: ["manifests", "[]", "target"], apart: [] },
  { title: "behaviours", path: ["behaviours", "[]"], apart: ["target"] },
  { title: "manifests", path: ["manifests", "[]"], apart: ["target", "objects"] },
  {
    title: "timeline",
    path: ["timeline", "[]"],
    apart: ["fault", "apply", "delete", "scale", "patch", "expect"],
  },
  { title: "delete", path: ["timeline", "[]", "delete"], apart: ["target"] },
  { title: "scale", path: ["timeline", "[]", "scale"], apart: ["target"] },
  { title: "patch", path: ["timeline", "[]", "patch"], apart: ["target", "patch"] },
  { title: "expect", path: ["timeline", "[]", "expect"], apart: ["target"] },
];

/** The page with the generated part in its place. Throws when the page has no place for it. */
export function withReference(page: string): string {
  const [begin, end] = [page.indexOf(REFERENCE_BEGIN), page.indexOf(REFERENCE_END)];
  if (begin < 0 || end < begin) throw new Error(`the page needs the lines ${REFERENCE_BEGIN} and ${REFERENCE_END}`);
  return `${page.slice(0, begin)}${REFERENCE_BEGIN}\n\n${fleetScenarioReference()}\n${page.slice(end)}`;
}

/** Tables of all fields, by section, and of every fault. */
export function fleetScenarioReference(): string {
  const schema = fleetScenarioJsonSchema();
  const sections = SECTIONS.map(({ title, path, apart }) => {
    const at = schemaAt(schema, path);
    return `### ${title}\n\n${text(at["description"])}\n\n${table(fieldsOf(at, "", apart))}`;
  });
  return `${sections.join("\n")}\n### fault\n\n${FAULTS_INTRODUCTION}\n\n${faults(schema)}`;
}

const FAULTS_INTRODUCTION =
  "What goes wrong. `type` says what; every fault has a `target`, and may have a `name`. Faults that last have `for`: without it they last until a step ends them by their name.";

function faults(schema: Schema): string {
  const alternatives = schemaAt(schema, ["timeline", "[]", "fault"])["oneOf"];
  const known = Object.keys(FAULT_SCHEMAS);
  return (Array.isArray(alternatives) ? alternatives : [])
    .filter(isObject)
    .map((each, index) => {
      const { properties } = each;
      const own = fieldsOf({ ...each, properties: isObject(properties) ? properties : {} }, "", [
        "type",
        "name",
        "target",
      ]);
      const fields = own.filter(([name]) => !["type", "name", "target"].includes(name) && !(name === "for"));
      return `**${known[index]}**: ${text(each["description"])}\n${fields.map(([name, words]) => `- \`${name}\`: ${words}\n`).join("")}`;
    })
    .join("\n");
}

function schemaAt(schema: Schema, path: readonly string[]): Schema {
  return path.reduce<Schema>((node, step) => {
    const child = step === "[]" ? node["items"] : isObject(node["properties"]) ? node["properties"][step] : undefined;
    if (!isObject(child)) throw new Error(`the schema has no ${path.join(".")}`);
    return child;
  }, schema);
}

/** The fields of an object, those of objects inside included, with what they say. */
function fieldsOf(schema: Schema, prefix: string, apart: readonly string[]): (readonly [string, string])[] {
  const properties = isObject(schema["properties"]) ? schema["properties"] : {};
  const required: readonly unknown[] = Array.isArray(schema["required"]) ? schema["required"] : [];
  return Object.entries(properties).flatMap(([name, child]) => {
    if (!isObject(child)) return [];
    const must = required.includes(name) ? " Required." : "";
    const own = [`${prefix}${name}`, `${text(child["description"])}${choices(child)}${must}`] as const;
    if (prefix === "" && apart.includes(name)) return [own];
    const inner = isObject(child["items"])
      ? ([child["items"], `${prefix}${name}[].`] as const)
      : ([child, `${prefix}${name}.`] as const);
    return [own, ...fieldsOf(inner[0], inner[1], apart)];
  });
}

function choices({ enum: values }: Schema): string {
  return Array.isArray(values) && values.length > 1 ? ` One of ${values.join(", ")}.` : "";
}

function table(rows: readonly (readonly [string, string])[]): string {
  const lines = rows.map(([name, words]) => `| \`${name}\` | ${words.replaceAll("|", "\\|").trim()} |\n`);
  return `| field | what it says |\n| --- | --- |\n${lines.join("")}`;
}

function text(words: unknown): string {
  return typeof words === "string" ? words : "";
}
