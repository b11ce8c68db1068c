import { describe, expect, it } from "vitest";
import { HEAD_SHA } from "../../test/forges/fake-server.ts";
import { openFake, PROVIDERS } from "../../test/forges/providers.ts";
import { SAMPLES } from "../reports/testing/sample-reports.ts";
import { isSameCommit, type PlanMarker, planCheckName, planMarker, publishPlan } from "./publish-plan.ts";
import { repositoryLinks } from "./repository-links.ts";

const MARKER: PlanMarker = { name: "flaghoist", repository: "octo/shop", path: "" };
const call = { signal: new AbortController().signal };

describe.each(PROVIDERS)("publishPlan on $kind", (provider) => {
  it.each(Object.entries(SAMPLES))("says the report %s once", async (_name, make) => {
    const server = await provider.server().start();
    const { forge } = openFake(provider, server);
    server.addPull({ number: 7 });
    const options = { pullRequest: 7, marker: MARKER, head: HEAD_SHA, runUrl: "https://ci.example.com/runs/1" };
    const report = make();
    try {
      const first = await publishPlan(forge, report, options, call);
      const { length } = server.received;
      const later = { ...report, made: { ...report.made, at: "2027-01-01T00:00:00Z", tookMs: 12_345 } };
      const second = await publishPlan(forge, later, options, call);

      expect(first.outcome).toBe("created");
      expect(second).toMatchObject({ outcome: "unchanged", check: undefined });
      expect(server.received).toHaveLength(length);
      expect(server.pulls.get(7)?.comments).toHaveLength(1);
      const [check] = [...server.checks, ...server.statuses];
      expect(check?.sha).toBe(HEAD_SHA);
    } finally {
      forge.close();
      await server.stop();
    }
  });
});

describe("publishPlan", () => {
  const [provider] = PROVIDERS;
  if (provider === undefined) throw new Error("no provider");
  const report = SAMPLES.replicaMove();

  it.each([
    ["another head", {}, { head: "3333333333333333333333333333333333333333" }, { outcome: "moved", head: HEAD_SHA }],
    ["a closed pull request", { state: "closed" }, { head: HEAD_SHA }, { outcome: "closed", state: "closed" }],
  ] as const)("sends nothing for %s", async (_what, pull, options, outcome) => {
    const server = await provider.server().start();
    const { forge } = openFake(provider, server);
    server.addPull({ number: 7, ...pull });

    const published = await publishPlan(forge, report, { pullRequest: 7, marker: MARKER, ...options }, call);
    forge.close();
    await server.stop();

    expect(published).toEqual(outcome);
    expect(server.received).toEqual([]);
  });

  it("leaves the comment to the next run when the check is refused", async () => {
    const server = await provider.server().start();
    const { forge } = openFake(provider, server);
    server.addPull({ number: 7 });
    server.forbidden = /^POST .*\/(check-runs|statuses)/;
    const options = { pullRequest: 7, marker: MARKER, head: HEAD_SHA };

    await expect(publishPlan(forge, report, options, call)).rejects.toMatchObject({ code: "forge-forbidden" });
    expect(server.pulls.get(7)?.comments).toEqual([]);
    const commentOnly = await publishPlan(forge, report, { ...options, commentOnly: true }, call);
    forge.close();
    await server.stop();

    expect(commentOnly).toMatchObject({ outcome: "created", check: undefined });
  });
});

describe("markers and names", () => {
  it("tell installations, repositories, folders and Syncs apart, and no changes", () => {
    const markers = [
      MARKER,
      { ...MARKER, name: "staging" },
      { ...MARKER, repository: "octo/other" },
      { ...MARKER, path: "apps" },
      { ...MARKER, sync: "shop/apps" },
    ];
    expect(new Set(markers.map(planMarker)).size).toBe(markers.length);
    expect(markers.map(planCheckName)).toEqual([
      "flaghoist",
      "flaghoist: staging",
      "flaghoist",
      "flaghoist: apps",
      "flaghoist: shop/apps",
    ]);
  });

  it("take a shortened commit for the whole one", () => {
    expect(isSameCommit(HEAD_SHA, HEAD_SHA.slice(0, 12))).toBe(true);
    expect(isSameCommit(HEAD_SHA, `2${HEAD_SHA.slice(1)}`)).toBe(false);
    expect(isSameCommit(HEAD_SHA, "")).toBe(false);
  });
});

describe("repositoryLinks", () => {
  it.each(["../secrets", "/etc/passwd", "a//b", "a\u202eb", "a\ud800"])("leads nowhere from the path %j", (file) => {
    expect(repositoryLinks("github", "https://x/o/r", "c1c1c1c").place?.({ file })).toBeUndefined();
  });

  const place = { file: "apps/a b.yaml", line: 4 };
  it.each([
    ["github", "https://x/o/r/blob/c1c1c1c/apps/a%20b.yaml#L4"],
    ["gitlab", "https://x/o/r/-/blob/c1c1c1c/apps/a%20b.yaml#L4"],
    ["gitea", "https://x/o/r/src/commit/c1c1c1c/apps/a%20b.yaml#L4"],
    ["bitbucket-cloud", "https://x/o/r/src/c1c1c1c/apps/a%20b.yaml#lines-4"],
    ["bitbucket-data-center", "https://x/o/r/browse/apps/a%20b.yaml?at=c1c1c1c#4"],
    [
      "azure-devops",
      "https://x/o/r?path=%2Fapps%2Fa%20b.yaml&version=GCc1c1c1c&line=4&lineEnd=4&lineStartColumn=1&lineEndColumn=200",
    ],
  ] as const)("leads to a line on %s", (kind, url) => {
    expect(repositoryLinks(kind, "https://x/o/r", "c1c1c1c").place?.(place)).toBe(url);
    expect(repositoryLinks(kind, "https://x/o/r", "c1c1c1c").place?.({ ...place, commit: "c2c2c2c" })).toBe(
      url.replace("c1c1c1c", "c2c2c2c"),
    );
  });
});
