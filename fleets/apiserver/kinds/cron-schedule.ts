// The syntax of CronJob schedules: five fields, or a descriptor such as `@daily`.

const MACROS: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};
const MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");
const DAYS = "sun mon tue wed thu fri sat".split(" ");

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly names: readonly string[];
  /** Number of the first name. */
  readonly first: number;
}

const FIELDS: readonly Bounds[] = [
  { min: 0, max: 59, names: [], first: 0 },
  { min: 0, max: 23, names: [], first: 0 },
  { min: 1, max: 31, names: [], first: 0 },
  { min: 1, max: 12, names: MONTHS, first: 1 },
  { min: 0, max: 6, names: DAYS, first: 0 },
];

/** Why a text is no schedule, in the words of the reference's parser; undefined when it is one. */
export function cronProblem(schedule: string): string | undefined {
  if (/^(CRON_)?TZ=/.test(schedule)) {
    return "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
  }
  if (schedule.startsWith("@")) {
    if (Object.hasOwn(MACROS, schedule)) return undefined;
    if (/^@every \S+$/.test(schedule)) return undefined;
    return `unrecognized descriptor: ${schedule}`;
  }
  const parts = schedule.split(/\s+/).filter((part) => part !== "");
  if (parts.length !== FIELDS.length) {
    return `expected exactly 5 fields, found ${parts.length}: [${parts.join(" ")}]`;
  }
  for (const [index, part] of parts.entries()) {
    for (const range of part.split(",")) {
      const problem = rangeProblem(range, FIELDS[index]!);
      if (problem !== undefined) return problem;
    }
  }
  return undefined;
}

function rangeProblem(text: string, bounds: Bounds): string | undefined {
  const range = readRange(text, bounds);
  return typeof range === "string" ? range : undefined;
}

interface Range {
  readonly start: number;
  readonly end: number;
  readonly step: number;
  /** `*` or `?`, and not every so many of it. */
  readonly isAll: boolean;
}

/** A range of a field, or why it is none. */
function readRange(text: string, bounds: Bounds): Range | string {
  const [range = "", step, ...tooMany] = text.split("/");
  if (tooMany.length > 0) return `too many slashes: ${text}`;
  const [low = "", high, ...more] = range.split("-");
  if (more.length > 0) return `too many hyphens: ${text}`;
  let start = bounds.min;
  let end = bounds.max;
  const isAll = low === "*" || low === "?";
  if (!isAll) {
    const first = numberOfName(low, bounds);
    const last = high === undefined ? first : numberOfName(high, bounds);
    if (first === undefined || last === undefined)
      return `failed to parse int from ${first === undefined ? low : high}`;
    start = first;
    end = high === undefined && step !== undefined ? bounds.max : last;
  }
  if (step !== undefined && !/^\d+$/.test(step)) return `failed to parse int from ${step}`;
  if (start < bounds.min) return `beginning of range (${start}) below minimum (${bounds.min}): ${text}`;
  if (end > bounds.max) return `end of range (${end}) above maximum (${bounds.max}): ${text}`;
  if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${text}`;
  if (Number(step ?? 1) === 0) return `step of range should be a positive number: ${text}`;
  return { start, end, step: Number(step ?? 1), isAll: isAll && Number(step ?? 1) === 1 };
}

/** The values that a field of a schedule may have. */
export interface CronField {
  readonly values: ReadonlySet<number>;
  /** Whether the field restricts nothing: of the two fields for days, the other alone then counts. */
  readonly isAll: boolean;
}

export interface CronFields {
  readonly minute: CronField;
  readonly hour: CronField;
  readonly dayOfMonth: CronField;
  readonly month: CronField;
  /** 0 is Sunday. */
  readonly dayOfWeek: CronField;
}

/** The fields of a schedule; undefined when it is none, or `@every` so often. */
export function cronFields(schedule: string): CronFields | undefined {
  const text = MACROS[schedule] ?? schedule;
  if (text.startsWith("@") || cronProblem(text) !== undefined) return undefined;
  const parts = text.split(/\s+/).filter((part) => part !== "");
  const [minute, hour, dayOfMonth, month, dayOfWeek] = FIELDS.map((bounds, index) =>
    fieldOf(parts[index] ?? "", bounds),
  );
  if (!minute || !hour || !dayOfMonth || !month || !dayOfWeek) return undefined;
  return { minute, hour, dayOfMonth, month, dayOfWeek };
}

function fieldOf(text: string, bounds: Bounds): CronField {
  const values = new Set<number>();
  let isAll = false;
  for (const part of text.split(",")) {
    const range = readRange(part, bounds);
    if (typeof range === "string") continue;
    isAll ||= range.isAll;
    for (let value = range.start; value <= range.end; value += range.step) values.add(value);
  }
  return { values, isAll };
}

function numberOfName(text: string, bounds: Bounds): number | undefined {
  const named = bounds.names.indexOf(text.toLowerCase());
  if (named >= 0) return named + bounds.first;
  return /^\d+$/.test(text) ? Number(text) : undefined;
}
