// Semantic versions and ranges of them, as Flux reads them (Masterminds' dialect).

export interface Version {
  readonly numbers: readonly [number, number, number];
  readonly prerelease: readonly string[];
}

const VERSION = /^v?(\d{1,15})(?:\.(\d{1,15}))?(?:\.(\d{1,15}))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/;
const PART =
  /^(>=|=>|<=|=<|!=|>|<|=|~>|~|\^)?\s*v?(\d{1,15}|[xX*])(?:\.(\d{1,15}|[xX*]))?(?:\.(\d{1,15}|[xX*]))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/;

/** `undefined` when the text is no version. A leading `v` and missing parts are allowed. */
export function parseVersion(text: string): Version | undefined {
  const match = VERSION.exec(text);
  if (match === null) return undefined;
  return {
    numbers: [Number(match[1]), Number(match[2] ?? 0), Number(match[3] ?? 0)],
    prerelease: match[4]?.split(".") ?? [],
  };
}

/** Negative when `a` comes before `b`. Build metadata does not count. */
export function compareVersions(a: Version, b: Version): number {
  for (let i = 0; i < 3; i++) {
    const difference = (a.numbers[i] ?? 0) - (b.numbers[i] ?? 0);
    if (difference !== 0) return difference;
  }
  if (a.prerelease.length === 0 || b.prerelease.length === 0) return b.prerelease.length - a.prerelease.length;
  for (let i = 0; i < Math.max(a.prerelease.length, b.prerelease.length); i++) {
    const order = comparePart(a.prerelease[i], b.prerelease[i]);
    if (order !== 0) return order;
  }
  return 0;
}

function comparePart(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0;
  if (a === undefined) return -1;
  if (b === undefined) return 1;
  const numeric = [a, b].map((part) => /^\d+$/.test(part));
  if (numeric[0] === true && numeric[1] === true) return Number(a) - Number(b);
  if (numeric[0] !== numeric[1]) return numeric[0] === true ? -1 : 1;
  return a < b ? -1 : 1;
}

/** A range that is ready to be asked. */
export type VersionRange = (version: Version) => boolean;

interface Comparator {
  readonly accepts: (version: Version) => boolean;
  /** Versions with a prerelease part match only where the range names one. */
  readonly prerelease: boolean;
}

/** `undefined` when the text is no range. Alternatives are parted by `||`, conditions by spaces or commas. */
export function parseRange(text: string): VersionRange | undefined {
  if (text.trim() === "" || text.length > 256) return undefined;
  const alternatives: Comparator[][] = [];
  for (const part of text.split("||")) {
    const spread = part.replace(/(\S+)\s+-\s+(\S+)/g, ">=$1 <=$2").replace(/([<>=!~^]+)\s+/g, "$1");
    const words = spread.split(/[\s,]+/).filter((word) => word !== "");
    const comparators = words.map(parseComparator);
    if (comparators.length === 0 || comparators.includes(undefined)) return undefined;
    // None is undefined, as just checked.
    alternatives.push(comparators as Comparator[]);
  }
  return (version) =>
    alternatives.some((all) =>
      all.every(({ accepts, prerelease }) => accepts(version) && (version.prerelease.length === 0 || prerelease)),
    );
}

function parseComparator(word: string): Comparator | undefined {
  const match = PART.exec(word);
  if (match === null) return undefined;
  const given = [match[2], match[3], match[4]].map((part) =>
    part === undefined || /^[xX*]$/.test(part) ? undefined : Number(part),
  );
  const precision = given.indexOf(undefined) < 0 ? 3 : given.indexOf(undefined);
  const prerelease = match[5]?.split(".") ?? [];
  const low: Version = { numbers: [given[0] ?? 0, given[1] ?? 0, given[2] ?? 0], prerelease };
  return { accepts: accept(match[1] ?? "=", low, precision), prerelease: prerelease.length > 0 };
}

function accept(operator: string, low: Version, precision: number): VersionRange {
  // What follows the last version that shares the given parts: 1.2 ends before 1.3.0.
  const end = precision === 0 ? undefined : bump(low, precision - 1);
  const fromLow: VersionRange = (version) => compareVersions(version, low) >= 0;
  const beforeEnd =
    (limit: Version | undefined): VersionRange =>
    (version) =>
      limit === undefined || compareNumbers(version, limit) < 0;
  const within: VersionRange =
    precision === 3
      ? (version) => compareVersions(version, low) === 0
      : (version) => fromLow(version) && beforeEnd(end)(version);
  switch (operator) {
    case ">=":
    case "=>":
      return fromLow;
    case "<":
      return (version) => compareVersions(version, low) < 0;
    case ">":
      return precision === 3
        ? (version) => compareVersions(version, low) > 0
        : (version) => end !== undefined && compareVersions(version, end) >= 0;
    case "<=":
    case "=<":
      return precision === 3 ? (version) => compareVersions(version, low) <= 0 : beforeEnd(end);
    case "!=":
      return (version) => !within(version);
    case "~":
    case "~>":
      return (version) =>
        fromLow(version) && beforeEnd(precision === 0 ? undefined : bump(low, Math.min(precision - 1, 1)))(version);
    case "^": {
      const first = low.numbers.findIndex((number) => number > 0);
      const limit = precision === 0 ? undefined : bump(low, first < 0 ? precision - 1 : Math.min(first, precision - 1));
      return (version) => fromLow(version) && beforeEnd(limit)(version);
    }
    default:
      return within;
  }
}

function bump(version: Version, index: number): Version {
  const [major, minor, patch] = version.numbers;
  if (index === 0) return { numbers: [major + 1, 0, 0], prerelease: [] };
  return { numbers: index === 1 ? [major, minor + 1, 0] : [major, minor, patch + 1], prerelease: [] };
}

/** Order by numbers alone: 2.0.0-rc.1 is not below 2.0.0 here, or ^1 would take it. */
function compareNumbers(a: Version, b: Version): number {
  return compareVersions({ ...a, prerelease: [] }, { ...b, prerelease: [] });
}
