// Reads an audit policy from its file, and says on which line what is wrong.
import { readFileSync } from "node:fs";
import { parseYamlNodes } from "../../../kube/yaml.ts";
import type { YamlEntry, YamlMap, YamlNode } from "../../../kube/yaml-node.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import {
  AUDIT_LEVELS,
  AUDIT_STAGES,
  type AuditPolicy,
  type AuditRule,
  type AuditStage,
  type GroupResources,
} from "./policy.ts";

const API_VERSION = "audit.k8s.io/v1";

function refusal(file: string, message: string, cause?: unknown): AppError {
  return new AppError("audit-policy-invalid", `audit policy ${file}${message}`, { recovery: "stall", cause });
}

/** Throws `audit-policy-invalid` with file, line and field for a file that cannot be read or makes no sense. */
export function readAuditPolicyFile(file: string): AuditPolicy {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw refusal(file, ` cannot be read: ${messageOf(error)}`, error);
  }
  return parseAuditPolicy(text, file);
}

/** As `readAuditPolicyFile`, from the text of the file. */
export function parseAuditPolicy(text: string, file: string): AuditPolicy {
  let documents: ReturnType<typeof parseYamlNodes>;
  try {
    documents = parseYamlNodes(text, { file });
  } catch (error) {
    // It begins with file, line and column.
    throw new AppError("audit-policy-invalid", `audit policy ${messageOf(error)}`, { recovery: "stall", cause: error });
  }
  const [first, second] = documents;
  if (first === undefined) throw refusal(file, " is empty: it must hold one Policy");
  if (second !== undefined)
    throw refusal(file, `, line ${second.line}: one document was expected, here starts another`);
  return new PolicyReader(text, file).policy(first.node);
}

class PolicyReader {
  readonly #text: string;
  readonly #file: string;

  constructor(text: string, file: string) {
    this.#text = text;
    this.#file = file;
  }

  policy(node: YamlNode): AuditPolicy {
    const fields = this.#fields(node, "", [
      "apiVersion",
      "kind",
      "metadata",
      "rules",
      "omitStages",
      "omitManagedFields",
    ]);
    const version = this.#word(fields.get("apiVersion"), "apiVersion");
    if (version !== API_VERSION) this.#fail(fields.get("apiVersion") ?? node, "apiVersion", `must be ${API_VERSION}`);
    if (this.#word(fields.get("kind"), "kind") !== "Policy")
      this.#fail(fields.get("kind") ?? node, "kind", "must be Policy");
    const rules = this.#list(fields.get("rules"), "rules").map((rule, index) => this.#rule(rule, `rules[${index}]`));
    if (rules.length === 0) this.#fail(fields.get("rules") ?? node, "rules", "must hold at least one rule");
    return {
      rules,
      omitStages: this.#stages(fields.get("omitStages"), "omitStages"),
      omitManagedFields: this.#boolean(fields.get("omitManagedFields"), "omitManagedFields") ?? false,
    };
  }

  #rule(node: YamlNode, at: string): AuditRule {
    const fields = this.#fields(node, at, [
      "level",
      "users",
      "userGroups",
      "verbs",
      "resources",
      "namespaces",
      "nonResourceURLs",
      "omitStages",
      "omitManagedFields",
    ]);
    const given = this.#word(fields.get("level"), `${at}.level`);
    const level = AUDIT_LEVELS.find((each) => each === given);
    if (level === undefined)
      this.#fail(fields.get("level") ?? node, `${at}.level`, `must be one of ${AUDIT_LEVELS.join(", ")}`);
    const words = (name: string): string[] => this.#words(fields.get(name), `${at}.${name}`);
    const resources = this.#list(fields.get("resources"), `${at}.resources`).map((each, index) =>
      this.#resources(each, `${at}.resources[${index}]`),
    );
    const namespaces = words("namespaces");
    const urls = this.#list(fields.get("nonResourceURLs"), `${at}.nonResourceURLs`);
    if (urls.length > 0 && (resources.length > 0 || namespaces.length > 0))
      this.#fail(urls[0] ?? node, `${at}.nonResourceURLs`, "cannot stand beside resources or namespaces");
    return {
      level: level ?? "None",
      users: words("users"),
      userGroups: words("userGroups"),
      verbs: words("verbs"),
      resources,
      namespaces,
      nonResourceURLs: urls.map((url, index) => this.#url(url, `${at}.nonResourceURLs[${index}]`)),
      omitStages: this.#stages(fields.get("omitStages"), `${at}.omitStages`),
      omitManagedFields: this.#boolean(fields.get("omitManagedFields"), `${at}.omitManagedFields`),
    };
  }

  #resources(node: YamlNode, at: string): GroupResources {
    const fields = this.#fields(node, at, ["group", "resources", "resourceNames"]);
    const groupNode = fields.get("group");
    const group = this.#word(groupNode, `${at}.group`) ?? "";
    if (group.includes("/")) this.#fail(groupNode ?? node, `${at}.group`, "is a group without a version, such as apps");
    const resources = this.#words(fields.get("resources"), `${at}.resources`);
    const resourceNames = this.#words(fields.get("resourceNames"), `${at}.resourceNames`);
    if (resourceNames.length > 0 && resources.length === 0)
      this.#fail(fields.get("resourceNames") ?? node, `${at}.resourceNames`, "needs resources beside it");
    return { group, resources, resourceNames };
  }

  #url(node: YamlNode, at: string): string {
    const url = this.#word(node, at) ?? "";
    const star = url.indexOf("*");
    if (url !== "*" && !url.startsWith("/")) this.#fail(node, at, 'must begin with "/", or be "*"');
    if (star >= 0 && star < url.length - 1) this.#fail(node, at, 'may have "*" at its end only');
    return url;
  }

  #stages(node: YamlNode | undefined, at: string): AuditStage[] {
    return this.#list(node, at).map((item, index) => {
      const given = this.#word(item, `${at}[${index}]`);
      const stage = AUDIT_STAGES.find((each) => each === given);
      return stage ?? this.#fail(item, `${at}[${index}]`, `must be one of ${AUDIT_STAGES.join(", ")}`);
    });
  }

  #fields(node: YamlNode, at: string, known: readonly string[]): ReadonlyMap<string, YamlNode> {
    if (node.kind !== "map") this.#fail(node, at, "must be an object");
    const entries = (node as YamlMap).entries;
    const unknown = entries.find(({ key }) => !known.includes(key.text));
    if (unknown !== undefined) this.#unknown(unknown, at, known);
    return new Map(entries.map(({ key, value }) => [key.text, value]));
  }

  #unknown({ key }: YamlEntry, at: string, known: readonly string[]): never {
    return this.#fail(
      key,
      at === "" ? key.text : `${at}.${key.text}`,
      `is no field here; there are ${known.join(", ")}`,
    );
  }

  #list(node: YamlNode | undefined, at: string): readonly YamlNode[] {
    if (node === undefined || isNull(node)) return [];
    return node.kind === "sequence" ? node.items : this.#fail(node, at, "must be a list");
  }

  #words(node: YamlNode | undefined, at: string): string[] {
    return this.#list(node, at).map((item, index) => this.#word(item, `${at}[${index}]`) ?? "");
  }

  #word(node: YamlNode | undefined, at: string): string | undefined {
    if (node === undefined || isNull(node)) return undefined;
    return node.kind === "scalar" ? node.text : this.#fail(node, at, "must be a text");
  }

  #boolean(node: YamlNode | undefined, at: string): boolean | undefined {
    const text = this.#word(node, at);
    if (node === undefined || text === undefined) return undefined;
    return text === "true" ? true : text === "false" ? false : this.#fail(node, at, "must be true or false");
  }

  #fail(node: YamlNode, at: string, message: string): never {
    const line = this.#text.slice(0, node.offset).split("\n").length;
    throw refusal(this.#file, `, line ${line}: ${at === "" ? "the document" : at} ${message}`);
  }
}

function isNull(node: YamlNode): boolean {
  return node.kind === "scalar" && node.plain && (node.text === "" || node.text === "null" || node.text === "~");
}
