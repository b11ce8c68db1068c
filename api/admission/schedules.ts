// Forms of texts that name times.

/** Whether the name is in the database of time zones. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

const MACROS = new Set(
  "yearly annually monthly weekly daily hourly always 5minutes 10minutes 15minutes 30minutes everysecond"
    .split(" ")
    .map((word) => `@${word}`),
);
const MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(" ");
const DAYS = "SUN MON TUE WED THU FRI SAT".split(" ");

interface CronField {
  readonly min: number;
  readonly max: number;
  /** Names of its numbers, the first of them for `min`. */
  readonly names?: readonly string[];
  /** What it takes beside numbers, such as the last day of a month. */
  readonly special?: RegExp;
}

/** From seconds to years. */
const FIELDS: readonly CronField[] = [
  { min: 0, max: 59 },
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31, special: /^(L|[0-9]{1,2}W)$/ },
  { min: 1, max: 12, names: MONTHS },
  { min: 0, max: 7, names: DAYS, special: /^[0-7](L|#[1-5])$/ },
  { min: 1, max: 9999 },
];
const YEAR = /[0-9]{4}/;

/**
 * Whether a text is a cron expression as CronFederatedHPA takes it: five fields from minutes to weekdays, or also seconds
 * before and years after them, or a word such as @daily.
 */
export function isCron(text: string): boolean {
  const expression = text.trim();
  if (MACROS.has(expression.toLowerCase())) return true;
  const fields = expression.toUpperCase().split(/\s+/);
  if (fields.length < 5 || fields.length > 7) return false;
  const withSeconds = fields.length === 7 || (fields.length === 6 && !YEAR.test(fields[5] ?? ""));
  return fields.every((field, index) => {
    const kind = FIELDS[withSeconds ? index : index + 1];
    return kind !== undefined && field.split(",").every((part) => isPart(part, kind));
  });
}

function isPart(part: string, kind: CronField): boolean {
  if (part === "*" || part === "?" || kind.special?.test(part) === true) return true;
  const [range = "", step, ...more] = part.split("/");
  if (more.length > 0 || (step !== undefined && !/^0*[1-9][0-9]*$/.test(step))) return false;
  if (range === "*") return step !== undefined;
  const bounds = range.split("-").map((text) => numberOf(text, kind));
  if (bounds.length > 2 || bounds.includes(undefined)) return false;
  return (bounds[0] ?? 0) <= (bounds.at(-1) ?? 0);
}

/** Undefined when it is none of the field's. */
function numberOf(text: string, { min, max, names = [] }: CronField): number | undefined {
  const place = names.indexOf(text);
  if (place >= 0) return min + place;
  const value = /^[0-9]+$/.test(text) ? Number(text) : undefined;
  return value !== undefined && value >= min && value <= max ? value : undefined;
}
