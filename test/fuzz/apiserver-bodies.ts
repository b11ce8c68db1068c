// Bodies of requests: protobuf, JSON and YAML.
import { decodeKind } from "../../fleets/apiserver/kinds/builtin-kind.ts";
import { decodeProtobuf } from "../../fleets/apiserver/kinds/protobuf.ts";
import { ProtobufError } from "../../fleets/apiserver/kinds/protobuf-wire.ts";
import { typeNameOf } from "../../fleets/apiserver/kinds/tables.ts";
import { StatusError } from "../../fleets/apiserver/registry/status-error.ts";
import { parseYamlText } from "../../fleets/apiserver/request/body.ts";
import { hasEscapedKey, JsonSyntaxError, parseJson } from "../../fleets/apiserver/request/json-parser.ts";
import { encodeJson } from "../../fleets/apiserver/storage/json-text.ts";
import { cloneJson, equalJson, type Json } from "../../kube/object.ts";
import { stringifyYaml } from "../../kube/yaml.ts";
import { AppError } from "../../runtime/errors.ts";
import type { Random } from "../../runtime/random.ts";
import type { FuzzInput, FuzzTarget } from "./fuzz-target.ts";
import { mutateBytes, mutateText, randomJson, randomObject } from "./random.ts";
import { encodeProtobuf, randomBody } from "./typed-bodies.ts";

const JSON_TOKENS = [
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  '"',
  "\\",
  "null",
  "true",
  "-",
  "1e400",
  "\u0000",
  "\\ud83d",
  " ",
  "0",
];
const YAML_TOKENS = [
  ...[
    "- ",
    ": ",
    "\n",
    "  ",
    "&a ",
    "*a",
    "<<: ",
    "? ",
    "| ",
    ">-\n",
    "'",
    '"',
    "{",
    "}",
    "[",
    "]",
    "#",
    "%YAML 1.2\n",
  ],
  ...[
    "---\n",
    "...\n",
    "!!int ",
    "!!binary ",
    "!x ",
    "\t",
    "\u0000",
    "y",
    "0o7",
    "0x",
    "1_0",
    ".inf",
    "~",
    "@",
    "`",
    ",",
  ],
];
const ENVELOPE = "6b3873000a060a0076310000";

function bytesOf(input: FuzzInput): Uint8Array {
  return input instanceof Uint8Array ? input : Buffer.from(String(input));
}

/** The nested messages that no stack holds: a schema in a schema, 60 000 times. */
function deepSchema(): Uint8Array {
  const head = Buffer.from("0a310a17617069657874656e73696f6e732e6b38732e696f2f76311216", "hex");
  let inner: Uint8Array = Buffer.alloc(0);
  for (let depth = 0; depth < 20_000; depth++) {
    const length: number[] = [];
    for (let rest = inner.length; ; rest = Math.floor(rest / 128)) {
      length.push(rest >= 128 ? (rest % 128) | 0x80 : rest);
      if (rest < 128) break;
    }
    inner = Buffer.concat([Buffer.from([0x92, 0x02, ...length]), inner]);
  }
  return Buffer.concat([Buffer.from("6b387300", "hex"), head, inner]);
}

const protobuf: FuzzTarget = {
  name: "protobuf",
  known: [
    Buffer.from(ENVELOPE, "hex"),
    // A field whose length is minus eleven: a reader that believes it goes back to its own tag, for ever.
    Buffer.from("6b38730012f5ffffffffffffffff01", "hex"),
    deepSchema(),
  ],
  generate: (random) => {
    const bytes = encodeProtobuf(randomBody(random));
    return random.chance(0.2) ? bytes : mutateBytes(random, bytes);
  },
  check: (input) => {
    let json: ReturnType<typeof decodeProtobuf>;
    try {
      json = decodeProtobuf(bytesOf(input));
    } catch (error) {
      if (error instanceof ProtobufError) return undefined;
      throw error;
    }
    return checkDecoded(json);
  },
};

function checkDecoded(json: ReturnType<typeof decodeProtobuf>): string | undefined {
  const { apiVersion, kind } = json;
  if (typeof apiVersion !== "string" || typeof kind !== "string") return undefined;
  try {
    const { object } = decodeKind(apiVersion, kind, json);
    const again = decodeKind(apiVersion, kind, cloneJson(object) as never).object;
    return equalJson(object, again) ? undefined : "not canonical: decoding the decoded object changes it";
  } catch (error) {
    if (error instanceof StatusError && error.code === 400) return undefined;
    throw error;
  }
}

/** A body as JSON and as protobuf must decode to the same object. */
const protobufRoundTrip: FuzzTarget = {
  name: "protobuf-round-trip",
  generate: (random) => {
    const body = randomBody(random);
    return { typeName: body.typeName, object: body.object };
  },
  check: (input) => {
    const { typeName, object } = input as { typeName: string; object: { apiVersion: string; kind: string } };
    if (object === undefined || typeof typeName !== "string") return undefined;
    const { apiVersion, kind } = object;
    if (typeNameOf(apiVersion, kind) !== typeName) return undefined;
    const bytes = encodeProtobuf({ apiVersion, kind, typeName, object });
    try {
      const { object: first } = decodeKind(apiVersion, kind, decodeProtobuf(bytes));
      // The canonical form again as protobuf is the same form.
      const second = encodeProtobuf({ apiVersion, kind, typeName, object: cloneJson(first) as never });
      const { object: again } = decodeKind(apiVersion, kind, decodeProtobuf(second));
      return equalJson(first, again) ? undefined : `round trip: ${encodeJson(first)} became ${encodeJson(again)}`;
    } catch (error) {
      if (error instanceof StatusError && error.code === 400) return undefined;
      throw error;
    }
  },
};

function withBigint(random: Random, text: string): string {
  return random.chance(0.2)
    ? text.replace(/-?[0-9]+/, random.pick(["9007199254740993", "-99999999999999999999"]))
    : text;
}

const json: FuzzTarget = {
  name: "json",
  known: [
    "[".repeat(200_000),
    `${'{"a":'.repeat(9000)}1${"}".repeat(9000)}`,
    `"${"\\".repeat(300_000)}`,
    '{"__proto__":{"a":1}}',
  ],
  generate: (random) => {
    const text = withBigint(random, JSON.stringify(randomJson(random, 5), null, random.pick([0, 2])));
    return random.chance(0.4) ? text : mutateText(random, text, JSON_TOKENS);
  },
  check: (input) => {
    const text = String(input);
    let expected: unknown;
    let valid = true;
    try {
      expected = JSON.parse(text);
    } catch {
      valid = false;
    }
    for (const merge of [true, false]) {
      let value: Json;
      try {
        ({ value } = parseJson(text, merge));
      } catch (error) {
        if (!(error instanceof JsonSyntaxError)) throw error;
        if (valid && !error.message.includes("max depth")) return `refused: valid JSON, ${error.message}`;
        continue;
      }
      if (!valid) return "accepted: what is no JSON";
      // Merged duplicates differ by intent. Keys with escapes JSON.parse itself mistakes.
      if (!merge && !hasEscapedKey(text) && !equalJson(withoutBigint(value), expected))
        return `wrong value: ${encodeJson(value)} for ${encodeJson(expected)}`;
    }
    return undefined;
  },
};

function withoutBigint(value: Json | undefined): unknown {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(withoutBigint);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutBigint(item)]));
}

const yaml: FuzzTarget = {
  name: "yaml",
  known: [
    "a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e]\n",
    "[".repeat(20_000),
    "- ".repeat(20_000),
    `${"? ".repeat(5000)}a`,
    `${"a: ".repeat(3000)}b`,
  ],
  generate: (random) => {
    const text = stringifyYaml(randomObject(random, 4));
    return random.chance(0.2) ? text : mutateText(random, text, YAML_TOKENS);
  },
  check: (input) => {
    const text = String(input);
    let value: Json;
    try {
      ({ value } = parseYamlText(text));
    } catch (error) {
      if (error instanceof AppError && error.code.startsWith("yaml-")) return undefined;
      throw error;
    }
    // What was read can be written, and is then read as the same.
    const again = parseYamlText(stringifyYaml(value)).value;
    return equalJson(value, again) ? undefined : `round trip: ${encodeJson(value)} became ${encodeJson(again)}`;
  },
};

export const bodyTargets: readonly FuzzTarget[] = [protobuf, protobufRoundTrip, json, yaml];
