// Wall clocks of time zones, by the zones that Node knows.

const MINUTE_MS = 60_000;

/** A moment as a wall clock shows it. */
export interface WallTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** 0 is Sunday. */
  readonly weekday: number;
}

/** A time zone by its name, such as `Europe/Paris`. */
export class TimeZone {
  readonly #format: Intl.DateTimeFormat | undefined;

  /** Throws a RangeError when nobody knows the zone. */
  constructor(name: string) {
    if (name !== "" && name !== "UTC")
      this.#format = new Intl.DateTimeFormat("en-US", {
        timeZone: name,
        hourCycle: "h23",
        year: "numeric",
        month: "numeric",
        day: "numeric",
        hour: "numeric",
        minute: "numeric",
        second: "numeric",
      });
  }

  /** How far the zone's clocks are ahead of UTC at an instant, milliseconds. */
  offsetMs(at: number): number {
    if (this.#format === undefined) return 0;
    const part = new Map(this.#format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    const of = (type: Intl.DateTimeFormatPartTypes): number => part.get(type) ?? 0;
    const shown = Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute"), of("second"));
    return shown - Math.floor(at / 1000) * 1000;
  }

  wallTime(at: number): WallTime {
    const shown = new Date(at + this.offsetMs(at));
    return {
      year: shown.getUTCFullYear(),
      month: shown.getUTCMonth() + 1,
      day: shown.getUTCDate(),
      hour: shown.getUTCHours(),
      minute: shown.getUTCMinutes(),
      second: shown.getUTCSeconds(),
      weekday: shown.getUTCDay(),
    };
  }

  /** Midnight of a day; days and months beyond the end count on. An hour off where clocks skip midnight. */
  midnight(year: number, month: number, day: number): number {
    const asUtc = Date.UTC(year, month - 1, day);
    return asUtc - this.offsetMs(asUtc - this.offsetMs(asUtc));
  }

  /** The instant with the zone's offset: `2026-01-01T01:00:00+01:00`. */
  rfc3339(at: number): string {
    const offset = this.offsetMs(at);
    const shown = new Date(at + offset).toISOString().slice(0, 19);
    if (offset === 0) return `${shown}Z`;
    const minutes = Math.abs(Math.trunc(offset / MINUTE_MS));
    const two = (value: number): string => String(value).padStart(2, "0");
    return `${shown}${offset < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
  }
}
