// Formats of texts by name: `format.dns1123Label().validate(self.name)`.
import { formatCheck } from "../../formats.ts";
import { parseRequestUri, UrlError } from "../../go-url.ts";
import {
  checkDns1035Label,
  checkDnsLabel,
  checkDnsSubdomain,
  checkLabelValue,
  checkQualifiedName,
} from "../../names.ts";
import { type FunctionDeclaration, global, member } from "../declarations.ts";
import { listOf, optionalOf, STRING, struct } from "../types.ts";
import { ArrayList, CelOptional, CelValue, NONE } from "../values.ts";

const FORMAT = struct("kubernetes.NamedFormat");

type Check = (text: string) => readonly string[];

export class CelFormat extends CelValue {
  readonly typeName = "kubernetes.NamedFormat";
  readonly name: string;
  readonly check: Check;
  /** What a look at one character is taken to cost, in characters of a pattern. */
  readonly patternSize: number;

  constructor(name: string, check: Check, patternSize: number) {
    super();
    this.name = name;
    this.check = check;
    this.patternSize = patternSize;
  }

  override equals(other: CelValue): boolean {
    return other instanceof CelFormat && other.name === this.name;
  }
}

/** For a prefix of generated names: a dash at the end is masked, as the reference does it. */
function ofPrefix(check: Check): Check {
  return (text) => check(text.endsWith("-") && text.length > 1 ? `${text.slice(0, -2)}a` : text);
}

function schemaFormat(name: string, problem: string): Check {
  const check = formatCheck(name);
  return (text) => (check === undefined || check(text) ? [] : [problem]);
}

function checkUri(text: string): readonly string[] {
  const url = parseRequestUri(text);
  return url instanceof UrlError ? [url.message] : [];
}

const DATE_TIME_PATTERN_SIZE = 71;

/** Lengths of patterns are the reference's, because costs follow from them. */
const FORMATS: ReadonlyMap<string, CelFormat> = new Map([
  ["dns1123Label", new CelFormat("DNS1123Label", checkDnsLabel, 30)],
  ["dns1123Subdomain", new CelFormat("DNS1123Subdomain", checkDnsSubdomain, 60)],
  ["dns1035Label", new CelFormat("DNS1035Label", checkDns1035Label, 30)],
  ["qualifiedName", new CelFormat("QualifiedName", checkQualifiedName, 60)],
  ["dns1123LabelPrefix", new CelFormat("DNS1123LabelPrefix", ofPrefix(checkDnsLabel), 30)],
  ["dns1123SubdomainPrefix", new CelFormat("DNS1123SubdomainPrefix", ofPrefix(checkDnsSubdomain), 60)],
  ["dns1035LabelPrefix", new CelFormat("DNS1035LabelPrefix", ofPrefix(checkDns1035Label), 30)],
  ["labelValue", new CelFormat("LabelValue", checkLabelValue, 40)],
  ["uri", new CelFormat("URI", checkUri, 1103)],
  ["uuid", new CelFormat("uuid", schemaFormat("uuid", "does not match the UUID format"), 70)],
  ["byte", new CelFormat("byte", schemaFormat("byte", "invalid base64"), 84)],
  ["date", new CelFormat("date", schemaFormat("date", "invalid date"), DATE_TIME_PATTERN_SIZE)],
  ["datetime", new CelFormat("datetime", schemaFormat("date-time", "invalid datetime"), DATE_TIME_PATTERN_SIZE)],
]);

function validate(format: CelFormat, text: string): CelOptional {
  const problems = format.check(text);
  return problems.length === 0 ? NONE : new CelOptional(new ArrayList(problems));
}

function named(name: string): CelOptional {
  const format = FORMATS.get(name);
  return format === undefined ? NONE : new CelOptional(format);
}

export const NAMED_FORMATS: readonly FunctionDeclaration[] = [
  ...Array.from(FORMATS, ([name, format]) => global(`format.${name}`, `format.${name}`, [], FORMAT, () => format)),
  member("validate", "format-validate", [FORMAT, STRING], optionalOf(listOf(STRING)), validate),
  global("format.named", "format-named", [STRING], optionalOf(FORMAT), named),
];
