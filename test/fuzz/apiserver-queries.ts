// What stands in queries and headers: selectors, JSONPath, continue tokens, Accept, options.

import { formatContinue, parseContinue } from "../../fleets/apiserver/handlers/revisions.ts";
import { builtinKinds } from "../../fleets/apiserver/kinds/builtin.ts";
import { StatusError } from "../../fleets/apiserver/registry/status-error.ts";
import { negotiate } from "../../fleets/apiserver/request/negotiation.ts";
import { readDeleteOptions, readListOptions, readWriteOptions } from "../../fleets/apiserver/request/options.ts";
import { Query } from "../../fleets/apiserver/request/query.ts";
import { parseFieldSelector } from "../../kube/field-selectors.ts";
import { compileJsonPath, compileJsonPathTemplate } from "../../kube/jsonpath.ts";
import { equalJson, type JsonObject } from "../../kube/object.ts";
import {
  formatLabelSelector,
  type LabelRequirement,
  matchesRequirements,
  parseLabelSelector,
} from "../../kube/selectors.ts";
import { AppError } from "../../runtime/errors.ts";
import type { Random } from "../../runtime/random.ts";
import type { FuzzTarget } from "./fuzz-target.ts";
import { HOSTILE_KEYS, mutateText, randomText } from "./random.ts";

/** What `read` answers; undefined when it refuses in one of the ways that are meant. */
function refusable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const meant =
      (error instanceof AppError && /^(?:selector-invalid|jsonpath-)/.test(error.code)) ||
      (error instanceof StatusError && error.code >= 400 && error.code < 500);
    if (meant) return undefined;
    throw error;
  }
}

const LABEL_KEYS = ["app", "tier", "example.com/x", "a", ...HOSTILE_KEYS];
const LABEL_VALUES = ["", "web", "1", "-5", "a.b", "x_y", "constructor"];
const SELECTOR_TOKENS = [
  "=",
  "==",
  "!=",
  "!",
  ",",
  "(",
  ")",
  " in ",
  " notin ",
  ">",
  "<",
  " ",
  "in",
  "é",
  "/",
  "\u0000",
];

function labelTerm(random: Random): string {
  const key = random.pick(LABEL_KEYS);
  const value = random.pick(LABEL_VALUES);
  const values = random.list(4, () => random.pick(LABEL_VALUES)).join(",");
  return random.pick([
    key,
    `!${key}`,
    `${key}=${value}`,
    `${key} == ${value}`,
    `${key}!=${value}`,
    `${key} in (${values})`,
    `${key} notin (${values})`,
    `${key}>${value}`,
    `${key}<5`,
  ]);
}

/** The rule of each operator, said once more and plainly. */
function holds({ key, operator, values }: LabelRequirement, labels: ReadonlyMap<string, string>): boolean {
  const value = labels.get(key);
  if (operator === "exists") return value !== undefined;
  if (operator === "!") return value === undefined;
  if (operator === "!=" || operator === "notin") return value === undefined || !values.includes(value);
  if (value === undefined) return false;
  if (operator !== "gt" && operator !== "lt") return values.includes(value);
  if (!/^[+-]?[0-9]+$/.test(value)) return false;
  return operator === "gt" ? BigInt(value) > BigInt(values[0]!) : BigInt(value) < BigInt(values[0]!);
}

const selectors: FuzzTarget = {
  name: "selectors",
  // A listener lets through 16 KB of path and query.
  known: ["a in (,,,,)", `${"a,".repeat(8_000)}b`, `a in (${"x,".repeat(8_000)}y)`, "!".repeat(64_000), "__proto__"],
  generate: (random) => {
    const text = Array.from({ length: 1 + random.below(4) }, () => labelTerm(random)).join(",");
    return random.chance(0.4) ? text : mutateText(random, text, SELECTOR_TOKENS);
  },
  check: (input) => {
    const requirements = refusable(() => parseLabelSelector(String(input)));
    if (requirements === undefined) return undefined;
    // Terms that mean the same are written alike: compare what they select.
    const again = parseLabelSelector(formatLabelSelector(requirements));
    const all = [
      {},
      { app: "web" },
      { app: "web", tier: "1" },
      { a: "-5" },
      Object.fromEntries([["__proto__", "web"]]),
    ];
    for (const labels of all) {
      const expected = requirements.every((each) => holds(each, new Map(Object.entries(labels))));
      if (matchesRequirements(requirements, labels) !== expected) return `wrong match: of ${JSON.stringify(labels)}`;
      if (matchesRequirements(again, labels) !== expected) return `round trip: ${formatLabelSelector(requirements)}`;
    }
    return undefined;
  },
};

const FIELD_TOKENS = ["=", "==", "!=", ",", "\\", "\\,", "\\=", "metadata.name", "spec.nodeName", " ", "é", "\u0000"];

const fieldSelectors: FuzzTarget = {
  name: "field-selectors",
  known: [`${"a=b,".repeat(4000)}`, "\\".repeat(16_001), "=".repeat(16_000)],
  generate: (random) => mutateText(random, random.pick(["metadata.name=a", "a=b,c!=d\\,e", "x==y"]), FIELD_TOKENS),
  check: (input) => {
    refusable(() => parseFieldSelector(String(input)));
    return undefined;
  },
};

const PATH_TOKENS = [
  ...[
    ".",
    "..",
    "[",
    "]",
    "*",
    "[*]",
    "[0]",
    "[-1]",
    "[1:2]",
    "[::2]",
    "?(",
    ")",
    "@",
    "$",
    "'",
    '"',
    "\\",
    "a",
    "items",
  ],
  ...["{", "}", "range ", "end", "==", "!=", "<", ",", "|", " ", "é", "\u0000", "__proto__", "constructor", "1e9"],
];
const PATHS = [
  ".spec.replicas",
  "{.items[*].metadata.name}",
  '{range .items[*]}{.metadata.name}{"\\n"}{end}',
  ".items[?(@.a==1)].b",
  "..a",
  "{.items[0,1]['a','b']}",
  ".metadata.labels.app\\.kubernetes\\.io/name",
];
const PATH_DOCUMENT = {
  items: [
    { a: 1, b: "x", metadata: { name: "n", labels: { "app.kubernetes.io/name": "z" } } },
    { a: 2, b: [1, [2, { a: [3] }]], metadata: { name: "m" } },
  ],
  spec: { replicas: 3, list: Array.from({ length: 50 }, (_, index) => ({ a: { a: { a: index } } })) },
};

const jsonPath: FuzzTarget = {
  name: "jsonpath",
  known: [
    // Each step multiplies what the one before found.
    "..*..*..*..*..*..*..*..*",
    ".........items",
    `${"..a".repeat(2000)}`,
    `.items${"[?(@.a==1)]".repeat(3000)}`,
    `${"[?(@".repeat(3000)}`,
    `.a[${"'x',".repeat(20_000)}'y']`,
    `.items[?(${'"'.repeat(20_001)}==1)]`,
    ".items[0:99999999999999999999:1]",
  ],
  generate: (random) => mutateText(random, random.pick(PATHS), PATH_TOKENS),
  check: (input) => {
    const text = String(input);
    const path = refusable(() => compileJsonPath(text));
    if (path !== undefined) refusable(() => path.find(PATH_DOCUMENT));
    for (const allowMissingKeys of [true, false]) {
      const template = refusable(() => compileJsonPathTemplate(text, { allowMissingKeys }));
      if (template !== undefined) refusable(() => template.render(PATH_DOCUMENT));
    }
    return undefined;
  },
};

const continueTokens: FuzzTarget = {
  name: "continue-tokens",
  known: ["", "bnVsbA", "MQ", "W10", "e30", "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MWU5OTksInN0YXJ0IjoiYSJ9"],
  generate: (random) => {
    const token = formatContinue({ revision: random.pick([1, 5, -1, 2 ** 53]), after: randomText(random) });
    if (random.chance(0.5)) return mutateText(random, token, ["A", "=", "_", "-", "%", "é", "e30"]);
    const json = mutateText(random, Buffer.from(token, "base64url").toString(), [
      "null",
      "{",
      "}",
      '"',
      "1e999",
      "[",
      "-1",
    ]);
    return Buffer.from(json).toString("base64url");
  },
  check: (input) => {
    const token = refusable(() => parseContinue(String(input)));
    if (token === undefined) return undefined;
    return Number.isFinite(token.revision) ? undefined : `not a revision: ${token.revision}`;
  },
};

const KINDS = builtinKinds();
const ACCEPTS = [
  "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
  "application/vnd.kubernetes.protobuf, */*",
  "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
  "application/yaml;q=0.5, application/json;q=0.1",
];
const ACCEPT_TOKENS = [
  ",",
  ";",
  "=",
  "q=",
  "/",
  "*",
  "as=Table",
  "v=v1",
  "g=meta.k8s.io",
  "application/",
  "json",
  "\u00e9",
  " ",
];

const accept: FuzzTarget = {
  name: "accept",
  known: [`${"application/json;q=0.1,".repeat(2_800)}`, `application/json${";a=b".repeat(16_000)}`, ",".repeat(64_000)],
  generate: (random) => mutateText(random, random.pick(ACCEPTS), ACCEPT_TOKENS),
  check: (input) => {
    for (const collection of [true, false]) {
      const target = { collection, kind: KINDS[0]!, watch: false, streams: collection };
      refusable(() => negotiate(String(input), undefined, new Query(""), target));
    }
    return undefined;
  },
};

const OPTION_TOKENS = [
  ...[
    "limit=",
    "continue=",
    "resourceVersion=",
    "resourceVersionMatch=",
    "watch=",
    "dryRun=",
    "fieldManager=",
    "force=",
  ],
  ...[
    "timeoutSeconds=",
    "gracePeriodSeconds=",
    "propagationPolicy=",
    "fieldValidation=",
    "sendInitialEvents=",
    "&",
    "%",
  ],
  ...[
    "Exact",
    "NotOlderThan",
    "All",
    "true",
    "-1",
    "99999999999999999999",
    "%00",
    "%ff",
    "+",
    ";",
    "__proto__=",
    "pretty=",
  ],
];

const options: FuzzTarget = {
  name: "options",
  known: ["a=b&".repeat(4000), `limit=${"9".repeat(16_000)}`, "__proto__=1&constructor=2"],
  generate: (random) => mutateText(random, "limit=5&watch=0&dryRun=All", OPTION_TOKENS),
  check: (input) => {
    const query = new Query(String(input));
    refusable(() => readListOptions(query));
    for (const kind of ["CreateOptions", "UpdateOptions", "PatchOptions"] as const) {
      refusable(() => readWriteOptions(query, kind, kind === "PatchOptions"));
    }
    const fromQuery = refusable(() => readDeleteOptions(query, undefined));
    if (fromQuery !== undefined && !equalJson(fromQuery, readDeleteOptions(query, undefined))) return "not repeatable";
    refusable(() => readDeleteOptions(query, Object.fromEntries([[String(input), String(input)]]) as JsonObject));
    return undefined;
  },
};

export const queryTargets: readonly FuzzTarget[] = [
  selectors,
  fieldSelectors,
  jsonPath,
  continueTokens,
  accept,
  options,
];
