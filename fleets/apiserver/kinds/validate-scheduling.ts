// Validation of where a Pod may run and under which names it is known there.
import { checkDnsLabel, checkDnsSubdomain, checkLabelValue, checkQualifiedName } from "../../../kube/names.ts";
import type { JsonObject } from "../../../kube/object.ts";
import type { FieldError } from "../registry/kind.ts";
import { listOf, part, textOf } from "./cell-values.ts";
import { duplicateValue, forbiddenValue, invalidValue, oneOf, problems, required } from "./field-errors.ts";
import { checkAddress } from "./ip-checks.ts";

/** Errors of labels: keys are qualified names, values short. */
export function labelErrors(labels: JsonObject, path: string): FieldError[] {
  return Object.entries(labels).flatMap(([key, value]) => [
    ...problems(path, key, checkQualifiedName(key)),
    ...problems(path, String(value), checkLabelValue(String(value))),
  ]);
}

export function annotationErrors(annotations: JsonObject, path: string): FieldError[] {
  return Object.keys(annotations).flatMap((key) => problems(path, key, checkQualifiedName(key.toLowerCase())));
}

function tolerationErrors(toleration: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const key = textOf(toleration["key"]);
  const operator = textOf(toleration["operator"]);
  const value = textOf(toleration["value"]);
  const effect = textOf(toleration["effect"]);
  if (key !== "") errors.push(...problems(`${path}.key`, key, checkQualifiedName(key)));
  else if (operator !== "Exists") {
    const why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
    errors.push(invalidValue(`${path}.operator`, operator, why));
  }
  if (toleration["tolerationSeconds"] !== undefined && effect !== "NoExecute") {
    errors.push(invalidValue(`${path}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"));
  }
  if (operator === "Exists" && value !== "") {
    errors.push(invalidValue(`${path}.operator`, value, "value must be empty when `operator` is 'Exists'"));
  } else if (operator === "" || operator === "Equal") {
    errors.push(...problems(`${path}.operator`, value, checkLabelValue(value)));
  } else errors.push(...oneOf(`${path}.operator`, operator, ["Equal", "Exists"]));
  if (effect === "") return errors;
  return [...errors, ...oneOf(`${path}.effect`, effect, ["NoSchedule", "PreferNoSchedule", "NoExecute"])];
}

function spreadErrors(spec: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, constraint] of listOf(spec["topologySpreadConstraints"]).entries()) {
    const at = `${path}[${index}]`;
    const { maxSkew, minDomains } = constraint;
    const key = textOf(constraint["topologyKey"]);
    const unsatisfiable = textOf(constraint["whenUnsatisfiable"]);
    if (typeof maxSkew !== "number" || maxSkew <= 0) {
      errors.push(invalidValue(`${at}.maxSkew`, maxSkew ?? 0, "must be greater than zero"));
    }
    if (key === "") errors.push(required(`${at}.topologyKey`, "can not be empty"));
    else errors.push(...problems(`${at}.topologyKey`, key, checkQualifiedName(key)));
    errors.push(...oneOf(`${at}.whenUnsatisfiable`, unsatisfiable, ["DoNotSchedule", "ScheduleAnyway"]));
    if (typeof minDomains === "number" && minDomains <= 0) {
      errors.push(invalidValue(`${at}.minDomains`, minDomains, "must be greater than zero"));
    }
    const pair = `{${key}, ${unsatisfiable}}`;
    // As the reference, which compares with those that follow.
    const follows = listOf(spec["topologySpreadConstraints"])
      .slice(index + 1)
      .some((other) => textOf(other["topologyKey"]) === key && textOf(other["whenUnsatisfiable"]) === unsatisfiable);
    if (follows) errors.push(duplicateValue(`${at}.{topologyKey, whenUnsatisfiable}`, pair));
  }
  return errors;
}

const NODE_OPERATORS = ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"];

function nodeTermErrors(term: JsonObject, path: string): FieldError[] {
  return listOf(term["matchExpressions"]).flatMap((expression, index) => {
    const at = `${path}.matchExpressions[${index}]`;
    const operator = textOf(expression["operator"]);
    const count = Array.isArray(expression["values"]) ? expression["values"].length : 0;
    const key = textOf(expression["key"]);
    const errors: FieldError[] = [];
    if (!NODE_OPERATORS.includes(operator)) {
      errors.push(invalidValue(`${at}.operator`, operator, "not a valid selector operator"));
    } else if (operator === "In" || operator === "NotIn") {
      const why = "must be specified when `operator` is 'In' or 'NotIn'";
      if (count === 0) errors.push(required(`${at}.values`, why));
    } else if (operator === "Gt" || operator === "Lt") {
      const why = "must be specified single value when `operator` is 'Lt' or 'Gt'";
      if (count !== 1) errors.push(required(`${at}.values`, why));
    } else if (count > 0) {
      const why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
      errors.push(forbiddenValue(`${at}.values`, why));
    }
    return [...errors, ...problems(`${at}.key`, key, checkQualifiedName(key))];
  });
}

function podTermErrors(term: JsonObject, path: string): FieldError[] {
  const key = textOf(term["topologyKey"]);
  const errors = labelErrors(part(part(term, "labelSelector"), "matchLabels"), `${path}.labelSelector.matchLabels`);
  const namespaces = Array.isArray(term["namespaces"]) ? term["namespaces"].map(String) : [];
  for (const name of namespaces) errors.push(...problems(`${path}.namespace`, name, checkDnsLabel(name)));
  if (key === "") errors.push(required(`${path}.topologyKey`, "can not be empty"));
  return [...errors, ...problems(`${path}.topologyKey`, key, checkQualifiedName(key))];
}

function weightErrors(weight: unknown, path: string): FieldError[] {
  const value = typeof weight === "number" ? weight : 0;
  return value >= 1 && value <= 100 ? [] : [invalidValue(`${path}.weight`, value, "must be in the range 1-100")];
}

const REQUIRED_TERMS = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED_TERMS = "preferredDuringSchedulingIgnoredDuringExecution";

function affinityErrors(affinity: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const node = part(affinity, "nodeAffinity");
  if (node[REQUIRED_TERMS] !== undefined) {
    const at = `${path}.nodeAffinity.${REQUIRED_TERMS}.nodeSelectorTerms`;
    const terms = listOf(part(node, REQUIRED_TERMS)["nodeSelectorTerms"]);
    if (terms.length === 0) errors.push(required(at, "must have at least one node selector term"));
    for (const [index, term] of terms.entries()) errors.push(...nodeTermErrors(term, `${at}[${index}]`));
  }
  for (const [index, preferred] of listOf(node[PREFERRED_TERMS]).entries()) {
    const at = `${path}.nodeAffinity.${PREFERRED_TERMS}[${index}]`;
    errors.push(...weightErrors(preferred["weight"], at));
    errors.push(...nodeTermErrors(part(preferred, "preference"), `${at}.preference`));
  }
  for (const name of ["podAffinity", "podAntiAffinity"]) {
    const terms = part(affinity, name);
    for (const [index, term] of listOf(terms[REQUIRED_TERMS]).entries()) {
      errors.push(...podTermErrors(term, `${path}.${name}.${REQUIRED_TERMS}[${index}]`));
    }
    for (const [index, preferred] of listOf(terms[PREFERRED_TERMS]).entries()) {
      const at = `${path}.${name}.${PREFERRED_TERMS}[${index}]`;
      errors.push(...weightErrors(preferred["weight"], at));
      errors.push(...podTermErrors(part(preferred, "podAffinityTerm"), `${at}.podAffinityTerm`));
    }
  }
  return errors;
}

/** Optional names of other objects and of the Pod on the network. */
function nameErrors(spec: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const subdomains = ["serviceAccountName", "nodeName", "priorityClassName", "runtimeClassName"];
  for (const field of subdomains) {
    const name = textOf(spec[field]);
    if (name !== "") errors.push(...problems(`${path}.${field}`, name, checkDnsSubdomain(name)));
  }
  for (const field of ["hostname", "subdomain"]) {
    const name = textOf(spec[field]);
    if (name !== "") errors.push(...problems(`${path}.${field}`, name, checkDnsLabel(name)));
  }
  for (const [index, alias] of listOf(spec["hostAliases"]).entries()) {
    const at = `${path}.hostAliases[${index}]`;
    const address = textOf(alias["ip"]);
    errors.push(...problems(`${at}.ip`, address, checkAddress(address)));
    const names = Array.isArray(alias["hostnames"]) ? alias["hostnames"].map(String) : [];
    for (const [position, name] of names.entries()) {
      errors.push(...problems(`${at}.hostnames[${position}]`, name, checkDnsSubdomain(name)));
    }
  }
  return errors;
}

/** Errors of placement and identity in a Pod spec at `path`. */
export function schedulingErrors(spec: JsonObject, path: string): FieldError[] {
  const errors = [...labelErrors(part(spec, "nodeSelector"), `${path}.nodeSelector`), ...nameErrors(spec, path)];
  for (const [index, toleration] of listOf(spec["tolerations"]).entries()) {
    errors.push(...tolerationErrors(toleration, `${path}.tolerations[${index}]`));
  }
  errors.push(...spreadErrors(spec, `${path}.topologySpreadConstraints`));
  errors.push(...affinityErrors(part(spec, "affinity"), `${path}.affinity`));
  for (const [list, field] of [
    ["readinessGates", "conditionType"],
    ["schedulingGates", "name"],
  ] as const) {
    for (const [index, gate] of listOf(spec[list]).entries()) {
      const name = textOf(gate[field]);
      const at = `${path}.${list}[${index}]${list === "readinessGates" ? ".conditionType" : ""}`;
      errors.push(...problems(at, name, checkQualifiedName(name)));
    }
  }
  errors.push(...oneOf(`${path}.preemptionPolicy`, spec["preemptionPolicy"], ["PreemptLowerPriority", "Never"]));
  const os = part(spec, "os")["name"];
  errors.push(...oneOf(`${path}.os`, os, ["linux", "windows"]));
  if (spec["dnsPolicy"] === "None" && spec["dnsConfig"] === undefined) {
    errors.push(required(`${path}.dnsConfig`, "must provide `dnsConfig` when `dnsPolicy` is None"));
  }
  return errors;
}
