import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { planHtml } from "../../reconciler/reports/html/plan-html.ts";
import { SAMPLES } from "../../reconciler/reports/testing/sample-reports.ts";
import { BrowserTab, findBrowser } from "./support/browser.ts";
import { eventually } from "./support/eventually.ts";

const program = findBrowser();
const SHOWN = ["regionLoss", "replicaMove", "baseImage", "massPrune", "drift", "waves", "refused", "hostile"] as const;

describe.skipIf(program === undefined)("the page of a plan in a browser", () => {
  let tab: BrowserTab;

  beforeAll(async () => {
    tab = await BrowserTab.open(program ?? "");
  }, 60_000);

  afterAll(async () => {
    await tab.close();
  });

  it.each(SHOWN)("fits a narrow phone, folded and unfolded: %s", async (name) => {
    await tab.show(planHtml(SAMPLES[name]()), { width: 360 });

    const wide = `[...document.querySelectorAll("body *")].filter((one) => one.checkVisibility() &&
      !one.closest("caption, thead, svg") && one.getBoundingClientRect().right > innerWidth + 1).map((one) => one.outerHTML.slice(0, 120))`;
    expect(await tab.evaluate("innerWidth")).toBe(360);
    expect(await tab.evaluate("document.documentElement.scrollWidth")).toBe(360);
    expect(await tab.evaluate(wide)).toEqual([]);

    await tab.evaluate(`for (const one of document.querySelectorAll("details")) one.open = true`);

    expect(await tab.evaluate("document.documentElement.scrollWidth")).toBe(360);
    expect(await tab.evaluate(wide)).toEqual([]);
  });

  it.each(["regionLoss", "hostile"] as const)("asks for nothing and has nothing to complain of: %s", async (name) => {
    await tab.show(planHtml(SAMPLES[name]()), { width: 1200, dark: true });
    await tab.evaluate(`document.getElementById("unfold").click()`);

    const told = (method: string) => tab.events.filter((event) => event.method === method);
    expect(told("Network.requestWillBeSent")).toHaveLength(1);
    expect(["Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"].flatMap(told)).toEqual([]);
    expect(told("Page.javascriptDialogOpening")).toEqual([]);
  });

  it("unfolds everything by its button, folds it again, and opens what a link leads to", async () => {
    await tab.show(planHtml(SAMPLES.baseImage()), { width: 1200 });
    const open = `document.querySelectorAll("details[open]").length`;
    const before = await tab.evaluate(open);
    await tab.evaluate(`document.getElementById("unfold").click()`);

    expect(await tab.evaluate(open)).toBeGreaterThan(Number(before));
    expect(await tab.evaluate("document.querySelectorAll('details:not([open])').length")).toBe(0);

    await tab.evaluate(`document.getElementById("unfold").click()`);

    expect(await tab.evaluate(open)).toBe(0);

    await tab.evaluate(`document.querySelector('a[href="#object-1"]').click()`);

    await eventually(async () =>
      expect(await tab.evaluate("document.querySelector('details[open]').id")).toBe("object-1"),
    );
  });

  it("shows on paper what is folded on a screen", async () => {
    await tab.show(planHtml(SAMPLES.baseImage()), { width: 700 });
    const last = `[...document.querySelectorAll("details.names code")].at(-1).checkVisibility()`;

    expect(await tab.evaluate(last)).toBe(false);

    await tab.send("Emulation.setEmulatedMedia", { media: "print" });

    expect(await tab.evaluate(last)).toBe(true);
    await tab.send("Emulation.setEmulatedMedia", { media: "" });
  });

  it("is light by day and dark by night", async () => {
    const brightness = async (dark: boolean) => {
      await tab.show(planHtml(SAMPLES.regionLoss()), { width: 1200, dark });
      const [, red = ""] =
        /rgb\((\d+)/.exec(String(await tab.evaluate("getComputedStyle(document.body).backgroundColor"))) ?? [];
      return Number(red);
    };

    expect(await brightness(false)).toBeGreaterThan(220);
    expect(await brightness(true)).toBeLessThan(50);
  });
});
