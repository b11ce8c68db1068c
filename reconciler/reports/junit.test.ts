import { describe, expect, it } from "vitest";
import { junitXml } from "./junit.ts";
import { SAMPLES } from "./testing/sample-reports.ts";

describe("junitXml", () => {
  it("has a suite of fleet tests and one of findings, of which errors fail", () => {
    expect(junitXml(SAMPLES.regionLoss())).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="flaghoist">
  <testsuite name="fleet tests" tests="3" failures="1" errors="0" skipped="1">
    <testcase name="cart survives any region" classname="tests/shop.fleet.yaml" file="tests/shop.fleet.yaml">
      <failure message="with region eu-west lost, cart keeps 0 of 6 replicas, wanted at least 2">with region eu-west lost, cart keeps 0 of 6 replicas, wanted at least 2
before this change: 3
paris-1 3, paris-2 3
tests/shop.fleet.yaml:4</failure>
    </testcase>
    <testcase name="images from our registry in eu" classname="tests/shop.fleet.yaml" file="tests/shop.fleet.yaml"/>
    <testcase name="payments on A or B" classname="tests/shop.fleet.yaml" file="tests/shop.fleet.yaml">
      <skipped message="there is no payments"/>
    </testcase>
  </testsuite>
  <testsuite name="findings" tests="2" failures="1" errors="0" skipped="0">
    <testcase name="Deployment shop/cart would be down if region eu-west fails" classname="survives-no-loss" file="deploy/policies.yaml">
      <failure message="Deployment shop/cart would be down if region eu-west fails">Deployment shop/cart would be down if region eu-west fails
let policy shop/eu-only choose a cluster of another region as well
deploy/policies.yaml:22</failure>
    </testcase>
    <testcase name="PropagationPolicy shop/two-regions: policy shop/two-regions wins for no object any more" classname="policy-never-wins" file="deploy/policies.yaml"/>
  </testsuite>
</testsuites>
`);
  });

  it("leaves out fleet tests where there are none", () => {
    expect(junitXml(SAMPLES.unchanged())).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="flaghoist">\n' +
        '  <testsuite name="findings" tests="0" failures="0" errors="0" skipped="0">\n  </testsuite>\n</testsuites>\n',
    );
  });

  it("lets a hostile repository write nothing but text", () => {
    const xml = junitXml(SAMPLES.hostile());
    const tags = [...xml.matchAll(/<(\/?[^\s/>]+)/g)].map((match) => match[1]);
    const rest = xml.replace(/<[^<>]*>/g, "");

    expect(new Set(tags)).toEqual(
      new Set([
        "?xml",
        "testsuites",
        "testsuite",
        "testcase",
        "failure",
        "/failure",
        "/testcase",
        "/testsuite",
        "/testsuites",
      ]),
    );
    expect(rest).not.toMatch(/[<>]|&(?!amp;|lt;|gt;|quot;)/);
    // XML can have none of these.
    expect(xml.replace(/[\n\t]/g, "").match(/[\p{Cc}\uFFFE\uFFFF]/gu)).toBeNull();
    expect(xml.isWellFormed()).toBe(true);
  });
});
