import { describe, expect, it } from "vitest";
import { createLogger, type Level, type Logger, silentLogger } from "./logger.ts";

function collect(format: "json" | "text", level: Level = "debug"): { logger: Logger; lines: string[] } {
  const lines: string[] = [];
  const now = () => Date.UTC(2026, 0, 2, 3, 4, 5, 678);
  return { logger: createLogger({ level, format, write: (line) => lines.push(line), now }), lines };
}

describe("createLogger", () => {
  it("writes one line of JSON for an entry, with the child's fields", () => {
    const { logger, lines } = collect("json");

    logger.with({ cluster: "paris-1" }).info("applied objects", { created: 3 });

    expect(lines).toEqual([
      '{"time":"2026-01-02T03:04:05.678Z","level":"info","message":"applied objects","cluster":"paris-1","created":3}\n',
    ]);
  });

  it("leaves out what is below its level", () => {
    const { logger, lines } = collect("json", "warn");

    logger.debug("one");
    logger.info("two");
    logger.warn("three");
    logger.error("four");

    expect(lines.map((line) => JSON.parse(line).message)).toEqual(["three", "four"]);
  });

  it("keeps the message when a field has its name", () => {
    const { logger, lines } = collect("json");

    logger.info("what happened", { message: "something else", level: "none" });

    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ message: "what happened", level: "info" });
  });

  it("writes what JSON has no form for: big integers, errors, loops", () => {
    const { logger, lines } = collect("json");
    const loop: Record<string, unknown> = {};
    loop["self"] = loop;

    logger.info("big", { value: 9_007_199_254_740_993n });
    logger.info("failed", { error: new Error("the reason") });
    logger.info("loop", { loop });

    expect(JSON.parse(lines[0] ?? "").value).toBe("9007199254740993");
    expect(JSON.parse(lines[1] ?? "").error).toBe("the reason");
    expect(lines).toHaveLength(3);
  });

  it("writes text for a person, quoting what is more than a word, so that an entry is one line", () => {
    const { logger, lines } = collect("text");

    logger.info("applied", { object: "apps/v1 Deployment default/web", ms: 84, code: "ok", none: undefined });
    logger.error("failed", { error: "first\nsecond" });

    expect(lines).toEqual([
      '03:04:05.678 info  applied  object="apps/v1 Deployment default/web" ms=84 code=ok\n',
      '03:04:05.678 error failed  error="first\\nsecond"\n',
    ]);
  });

  it("has a silent kind that stays silent with fields", () => {
    expect(silentLogger.with({ a: 1 })).toBe(silentLogger);
  });
});
