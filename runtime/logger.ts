export type Level = "debug" | "info" | "warn" | "error";
export type Fields = Readonly<Record<string, unknown>>;

/** Structured log: a constant message in the past tense, everything variable in fields. */
export interface Logger {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
  /** A child that adds `fields` to every entry. */
  with(fields: Fields): Logger;
}

const RANK: Readonly<Record<Level, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

export interface LoggerOptions {
  readonly level: Level;
  /** `json`: one object per line. `text`: for a person at a terminal. */
  readonly format: "json" | "text";
  readonly write: (line: string) => void;
  readonly now: () => number;
}

export function createLogger(options: LoggerOptions, base: Fields = {}): Logger {
  function emit(level: Level, message: string, fields: Fields | undefined): void {
    if (RANK[level] < RANK[options.level]) return;
    const time = new Date(options.now()).toISOString();
    const all = { ...base, ...fields };
    if (options.format === "json") {
      // A field must not take the place of the message.
      const entry = { time, level, message };
      options.write(`${toJson({ ...entry, ...all, ...entry })}\n`);
      return;
    }
    const rest = Object.entries(all)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => `${key}=${toText(value)}`);
    options.write(
      `${time.slice(11, 23)} ${level.padEnd(5)} ${message}${rest.length > 0 ? `  ${rest.join(" ")}` : ""}\n`,
    );
  }
  return {
    debug: (message, fields) => emit("debug", message, fields),
    info: (message, fields) => emit("info", message, fields),
    warn: (message, fields) => emit("warn", message, fields),
    error: (message, fields) => emit("error", message, fields),
    with: (fields) => createLogger(options, { ...base, ...fields }),
  };
}

// A line that cannot be written would fail the work that it tells of.
function toJson(value: unknown): string {
  try {
    return (
      JSON.stringify(value, (_key, item: unknown) => {
        if (typeof item === "bigint") return item.toString();
        return item instanceof Error ? item.message : item;
      }) ?? "null"
    );
  } catch {
    return JSON.stringify(String(value));
  }
}

/** Words as they are; what has spaces, quotes or line ends is quoted, so that an entry stays one line. */
function toText(value: unknown): string {
  return typeof value === "string" && /^[^\s"=\p{Cc}]+$/u.test(value) ? value : toJson(value);
}

/** Discards everything. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  with: () => silentLogger,
};
