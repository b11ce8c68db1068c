import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { Random } from "../../../runtime/random.ts";
import { type HtmlStructure, htmlStructure } from "../../../test/html-structure.ts";
import { testSeed } from "../../../test/seed.ts";
import { HOSTILE_TEXTS } from "../testing/hostile-report.ts";
import { randomReport } from "../testing/random-report.ts";
import { clusterRow, sampleReport } from "../testing/sample-parts.ts";
import { SAMPLES } from "../testing/sample-reports.ts";
import { planHtml } from "./plan-html.ts";

const links = { place: () => "https://ours.example/file", commit: () => "https://ours.example/commit" };

const OUR_TAGS = new Set(
  (
    "html head meta title style body header main section footer nav h1 h2 h3 p div span ul li table caption thead tbody " +
    "tr th td details summary pre ins del b i small strong code a time svg rect button script"
  ).split(" "),
);
const OUR_ATTRIBUTES: Readonly<Record<string, RegExp>> = {
  lang: /^en$/,
  charset: /^utf-8$/,
  name: /^(?:viewport|color-scheme|referrer|robots)$/,
  content: /^(?:width=device-width, initial-scale=1|light dark|no-referrer|noindex|default-src 'none';.*)$/,
  "http-equiv": /^Content-Security-Policy$/,
  class: /^[a-z]+(?: [a-z]+)*$/,
  id: /^(?:object-\d+|[a-z]+)$/,
  href: /^(?:#[a-z]+(?:-\d+)?|https:\/\/ours\.example\/(?:file|commit))$/,
  rel: /^noreferrer$/,
  scope: /^(?:row|col)$/,
  role: /^note$/,
  type: /^button$/,
  datetime: /^[\d:.TZ-]+$/,
  "data-title": /^[a-z ]+$/,
  "aria-hidden": /^true$/,
  "aria-label": /^(?:On this page|In numbers)$/,
  "aria-labelledby": /^[a-z]+$/,
  "aria-pressed": /^false$/,
  viewBox: /^[\d ]+$/,
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const UNSEEN = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u2028\u2029\u202A-\u202E\u2066-\u2069\u200B]/;

/** What no text of a repository may bring about, whatever it is. */
function expectOurs(page: string): HtmlStructure {
  const found = htmlStructure(page);
  expect(found.faults).toEqual([]);
  expect(found.tags.map(({ name }) => name).filter((name) => !OUR_TAGS.has(name))).toEqual([]);
  for (const { attributes } of found.tags)
    for (const [name, value] of Object.entries(attributes))
      if (!/^(?:open|hidden|width|height|y)$/.test(name) || !/^\d*$/.test(value))
        expect(`${name}=${value}`).toMatch(
          new RegExp(`^${name}=${OUR_ATTRIBUTES[name]?.source.slice(1) ?? "(?!)"}`, "s"),
        );
  expect(page.isWellFormed()).toBe(true);
  expect(page.match(UNSEEN)).toBeNull();
  return found;
}

describe("planHtml", () => {
  it.each(Object.entries(SAMPLES))("lets the repository write nothing but text: %s", (_, make) => {
    expectOurs(planHtml(make(), { links }));
  });

  it("lets no random text become anything else", () => {
    const seed = testSeed();
    const random = new Random(seed);
    for (let round = 0; round < 100; round++) {
      const report = randomReport(random);
      try {
        expectOurs(planHtml(report, { links }));
      } catch (cause) {
        throw new Error(`seed ${seed}, round ${round}`, { cause });
      }
    }
  });

  it("shows hostile text as it is", () => {
    const { text } = htmlStructure(planHtml(SAMPLES.hostile()));

    for (const bait of HOSTILE_TEXTS.filter(
      (one) => /^[\x20-\x7e]+$/.test(one) && !one.includes("`") && one.length < 300,
    ))
      expect(text).toContain(bait.trim());
  });

  it("says why clusters do not have an object, and a line for each that refuses it", () => {
    const page = planHtml(SAMPLES.unplaced());
    const { text } = htmlStructure(page);

    expect(text).toMatch(/Not in paris-1: taint maintenance=true:NoSchedule is not tolerated/);
    expect(page.match(/<li><span class="t">(?:paris-1|paris-2|tokyo-1): /g)).toHaveLength(3);
  });

  it("forbids itself every request, and everything but its own style and script", () => {
    const page = planHtml(SAMPLES.regionLoss());
    const policy = /Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1] ?? "";
    const hashOf = (name: string) => {
      const inside = new RegExp(`<${name}>(.*?)</${name}>`, "s").exec(page)?.[1] ?? "";
      return `'sha256-${createHash("sha256").update(inside).digest("base64")}'`;
    };

    expect(policy.split("; ")).toEqual([
      "default-src 'none'",
      `style-src ${hashOf("style")}`,
      `script-src ${hashOf("script")}`,
      "base-uri 'none'",
      "form-action 'none'",
    ]);
    expect(page).not.toMatch(/url\(|@import|\bsrc=|\bon[a-z]+=|\bstyle=/);
  });

  it("has headings in order, names for rows and columns, and leads nowhere that is not there", () => {
    for (const make of [SAMPLES.regionLoss, SAMPLES.replicaMove, SAMPLES.baseImage, SAMPLES.huge]) {
      const { tags } = htmlStructure(planHtml(make()));
      const levels = tags.flatMap(({ name }) => (/^h[1-6]$/.test(name) ? [Number(name[1])] : []));
      expect(levels.filter((level) => level === 1)).toHaveLength(1);
      expect(levels.every((level, at) => at === 0 || level <= (levels[at - 1] ?? 0) + 1)).toBe(true);
      expect(tags.filter(({ name, attributes }) => name === "th" && attributes["scope"] === undefined)).toEqual([]);
      const count = (wanted: string) => tags.filter(({ name }) => name === wanted).length;
      expect(count("caption")).toBe(count("table"));
      const ids = tags.flatMap(({ attributes }) => attributes["id"] ?? []);
      expect(new Set(ids).size).toBe(ids.length);
      const targets = tags.flatMap(({ name, attributes }) => (name === "a" ? [attributes["href"] ?? ""] : []));
      expect(targets.filter((target) => !ids.includes(target.slice(1)))).toEqual([]);
    }
  });

  it("says first what matters most", () => {
    const { text } = htmlStructure(planHtml(SAMPLES.regionLoss()));
    const main = text.slice(text.lastIndexOf("Unfold all"));
    const order = [
      "Findings",
      "Clusters",
      "Placement",
      "If a part of the fleet fails",
      "Fleet tests",
      "Changes",
      "commit",
    ];

    expect(order.map((title) => main.indexOf(title)).toSorted((a, b) => a - b)).toEqual(
      order.map((title) => main.indexOf(title)),
    );
    expect(order.filter((title) => !main.includes(title))).toEqual([]);
  });

  it("names what else a loss is", () => {
    const report = SAMPLES.regionLoss();
    const whatIf = report.whatIf.map(({ loss, objects }) => ({
      loss: { ...loss, also: [{ what: "provider" as const, name: "aws" }] },
      objects,
    }));

    expect(htmlStructure(planHtml({ ...report, whatIf })).text).toContain("region eu-west also provider aws");
  });

  it("folds clusters where nothing changes when they are many, and names them all", () => {
    const quiet = Array.from({ length: 99 }, (_, at) => clusterRow(`quiet-${at}`, { region: `region-${at % 3}` }));
    const page = planHtml(sampleReport({ clusters: [clusterRow("busy", { changed: 1 }), ...quiet] }));
    const [above = "", below = ""] = page.split("Nothing changes in 99 clusters.");

    expect(above).toContain("busy");
    expect(above).not.toContain("quiet-");
    for (const { cluster } of quiet) expect(below).toContain(`<code>${cluster}</code>`);
  });

  it("stays within bounds and says what it left out", () => {
    const page = planHtml(SAMPLES.huge());

    expect(page.length).toBeLessThan(4_000_000);
    expect(page).toMatch(/Left out for length: \d+ of 1000 diffs, .*<code>flaghoist plan -o json<\/code>/);
  });

  it("says nothing but the verdict and where it is from when nothing changes", () => {
    const page = planHtml(SAMPLES.unchanged());

    expect(page).toContain("Nothing changes in 3 clusters.");
    expect(page).not.toContain("<h2");
  });
});
