// Semantic versions: `semver("1.2.3").isLessThan(semver("2.0.0"))`.

import { compareTexts } from "../../compare-texts.ts";
import { type FunctionDeclaration, global, member } from "../declarations.ts";
import { BOOL, INT, STRING, struct } from "../types.ts";
import { CelValue, EvaluationFailure, fail } from "../values.ts";

const SEMVER = struct("kubernetes.Semver");

export class CelVersion extends CelValue {
  readonly typeName = "kubernetes.Semver";
  readonly numbers: readonly [bigint, bigint, bigint];
  /** Parts of what follows the dash; numbers are ordered as such. */
  readonly pre: readonly (string | bigint)[];

  constructor(numbers: readonly [bigint, bigint, bigint], pre: readonly (string | bigint)[]) {
    super();
    this.numbers = numbers;
    this.pre = pre;
  }

  override equals(other: CelValue): boolean {
    return other instanceof CelVersion && compareVersions(this, other) === 0;
  }
}

const quote = JSON.stringify;
const MAX_UINT = 2n ** 64n - 1n;

function uintOf(text: string): bigint {
  if (text === "") return fail('strconv.ParseUint: parsing "": invalid syntax');
  const value = BigInt(text);
  return value <= MAX_UINT ? value : fail(`strconv.ParseUint: parsing ${quote(text)}: value out of range`);
}

function hasLeadingZero(text: string): boolean {
  return text.length > 1 && text.startsWith("0");
}

function numberOf(text: string, name: string): bigint {
  if (!/^[0-9]*$/.test(text)) return fail(`Invalid character(s) found in ${name.toLowerCase()} number ${quote(text)}`);
  if (hasLeadingZero(text)) return fail(`${name} number must not contain leading zeroes ${quote(text)}`);
  return uintOf(text);
}

function preOf(text: string): string | bigint {
  if (text === "") return fail("Prerelease is empty");
  if (/^[0-9]+$/.test(text)) {
    if (hasLeadingZero(text)) return fail(`Numeric PreRelease version must not contain leading zeroes ${quote(text)}`);
    return uintOf(text);
  }
  return /^[0-9A-Za-z-]+$/.test(text) ? text : fail(`Invalid character(s) found in prerelease ${quote(text)}`);
}

function splitFirst(text: string, at: string): [string, string | undefined] {
  const index = text.indexOf(at);
  return index < 0 ? [text, undefined] : [text.slice(0, index), text.slice(index + 1)];
}

function parseVersion(text: string): CelVersion {
  if (text === "") return fail("Version string empty");
  const [major, afterMajor] = splitFirst(text, ".");
  const [minor, rest] = afterMajor === undefined ? [] : splitFirst(afterMajor, ".");
  if (minor === undefined || rest === undefined) return fail("No Major.Minor.Patch elements found");
  const majorNumber = numberOf(major, "Major");
  const minorNumber = numberOf(minor, "Minor");
  const [withoutBuild, build] = splitFirst(rest, "+");
  const [patch, pre] = splitFirst(withoutBuild, "-");
  const patchNumber = numberOf(patch, "Patch");
  const parts = pre === undefined ? [] : pre.split(".").map(preOf);
  for (const part of build?.split(".") ?? []) {
    if (part === "") return fail("Build meta data is empty");
    if (!/^[0-9A-Za-z-]+$/.test(part)) return fail(`Invalid character(s) found in build meta data ${quote(part)}`);
  }
  return new CelVersion([majorNumber, minorNumber, patchNumber], parts);
}

/** Allows a leading `v`, missing parts and leading zeroes. */
function parseLoosely(text: string): CelVersion {
  const body = text.startsWith("v") ? text.slice(1) : text;
  const [first, second, third] = splitParts(body);
  const parts = [first, second, third].filter((part) => part !== undefined).map(withoutZeroes);
  if (parts.length < 3 && /[+-]/.test(parts.at(-1)!)) {
    return fail("short version cannot contain PreRelease/Build meta data");
  }
  while (parts.length < 3) parts.push("0");
  return parseVersion(parts.join("."));
}

function splitParts(text: string): (string | undefined)[] {
  const [first, rest] = splitFirst(text, ".");
  const [second, third] = rest === undefined ? [undefined, undefined] : splitFirst(rest, ".");
  return [first, second, third];
}

function withoutZeroes(part: string): string {
  if (part.length <= 1) return part;
  const trimmed = part.replace(/^0+/, "");
  return /^[0-9]/.test(trimmed) ? trimmed : `0${trimmed}`;
}

function compareVersions(a: CelVersion, b: CelVersion): number {
  for (const [index, left] of a.numbers.entries()) {
    const right = b.numbers[index]!;
    if (left !== right) return left > right ? 1 : -1;
  }
  if (a.pre.length === 0 || b.pre.length === 0) return Math.sign(b.pre.length - a.pre.length);
  for (const [index, left] of a.pre.entries()) {
    const right = b.pre[index];
    if (right === undefined) return 1;
    const order = comparePre(left, right);
    if (order !== 0) return order;
  }
  return a.pre.length < b.pre.length ? -1 : 0;
}

/** Numbers come before texts. */
function comparePre(a: string | bigint, b: string | bigint): number {
  if (typeof a === "bigint" && typeof b === "bigint") return a === b ? 0 : a > b ? 1 : -1;
  if (typeof a === "string" && typeof b === "string") return compareTexts(a, b);
  return typeof a === "bigint" ? -1 : 1;
}

function toVersion(text: string, loosely = false): CelVersion {
  return loosely ? parseLoosely(text) : parseVersion(text);
}

function isVersion(text: string, loosely = false): boolean {
  try {
    toVersion(text, loosely);
    return true;
  } catch (error) {
    if (error instanceof EvaluationFailure) return false;
    throw error;
  }
}

export const VERSIONS: readonly FunctionDeclaration[] = [
  global("semver", "string_to_semver", [STRING], SEMVER, toVersion),
  global("semver", "string_bool_to_semver", [STRING, BOOL], SEMVER, toVersion),
  global("isSemver", "is_semver_string", [STRING], BOOL, isVersion),
  global("isSemver", "is_semver_string_bool", [STRING, BOOL], BOOL, isVersion),
  member(
    "isGreaterThan",
    "semver_is_greater_than",
    [SEMVER, SEMVER],
    BOOL,
    (a: CelVersion, b: CelVersion) => compareVersions(a, b) > 0,
  ),
  member(
    "isLessThan",
    "semver_is_less_than",
    [SEMVER, SEMVER],
    BOOL,
    (a: CelVersion, b: CelVersion) => compareVersions(a, b) < 0,
  ),
  member("compareTo", "semver_compare_to", [SEMVER, SEMVER], INT, (a: CelVersion, b: CelVersion) =>
    BigInt(compareVersions(a, b)),
  ),
  member("major", "semver_major", [SEMVER], INT, ({ numbers }: CelVersion) => numbers[0]),
  member("minor", "semver_minor", [SEMVER], INT, ({ numbers }: CelVersion) => numbers[1]),
  member("patch", "semver_patch", [SEMVER], INT, ({ numbers }: CelVersion) => numbers[2]),
];
