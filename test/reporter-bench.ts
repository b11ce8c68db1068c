// The loop over a real store and a provider's real HTTP server; what plans are made of is up to each test.
import { expect } from "vitest";
import type { PlanReport } from "../api/plan-report.ts";
import type { ReportedPullRequest, Reporter, ReporterSpec } from "../api/reporter.ts";
import type { Condition, KubeObject, ObjectRef } from "../kube/object.ts";
import { createContext } from "../reconciler/controllers/context.ts";
import { ReporterForges } from "../reconciler/controllers/pull-requests/open-reporter-forge.ts";
import type { RevisionSource } from "../reconciler/controllers/pull-requests/plan-job.ts";
import {
  type PullRequestController,
  startPullRequestController,
} from "../reconciler/controllers/pull-requests/pull-requests.ts";
import { ReporterStatuses } from "../reconciler/controllers/pull-requests/reporter-statuses.ts";
import { createWebhookRoutes, type WebhookRoutes } from "../reconciler/controllers/pull-requests/webhook-routes.ts";
import { GITOPS_API } from "../reconciler/controllers/sync/git-repository.ts";
import type { PlanJob, SandboxedPlan } from "../reconciler/pull-requests/sandbox/plan-job.ts";
import { writePlan } from "../reconciler/pull-requests/written-plan.ts";
import { SAMPLES } from "../reconciler/reports/testing/sample-reports.ts";
import { FakeClock } from "../runtime/clock.ts";
import { silentLogger } from "../runtime/logger.ts";
import { eventually } from "./e2e/support/eventually.ts";
import { FakeGitHub } from "./forges/fake-github.ts";
import { type FakeCheck, type FakePull, TOKEN } from "./forges/fake-server.ts";
import { openQuietPlane, type QuietPlane } from "./quiet-plane.ts";

export const NS = "shop";
export const FIRST = "1111111111111111111111111111111111111111";
export const SECOND = "3333333333333333333333333333333333333333";
export const BASE = "2222222222222222222222222222222222222222";
/** The Reporter of most tests. */
export const REPORTER: ObjectRef = { apiVersion: GITOPS_API, kind: "Reporter", namespace: NS, name: "shop" };

/** A plan that is being made: it ends when the test says so, or when nobody wants it any more. */
export interface Making {
  readonly job: PlanJob;
  readonly signal: AbortSignal;
  done(report?: PlanReport): void;
  fail(error: unknown): void;
}

export class ReporterBench {
  readonly plane: QuietPlane;
  readonly server: FakeGitHub;
  readonly clock = new FakeClock();
  readonly makings: Making[] = [];
  /** Plans end by themselves. */
  isQuick = true;
  /** Where heads have left the base branch. */
  base = BASE;
  /** Revisions that were fetched. */
  fetched = 0;
  /** Revisions that were given back. */
  released = 0;
  /** GitRepositories that were to be fetched at once. */
  readonly fetchedNow: string[] = [];
  #running:
    | { readonly controller: PullRequestController; readonly routes: WebhookRoutes; stop(): Promise<void> }
    | undefined;

  constructor(plane: QuietPlane, server: FakeGitHub) {
    this.plane = plane;
    this.server = server;
  }

  static async open(): Promise<ReporterBench> {
    const bench = new ReporterBench(await openQuietPlane(), await new FakeGitHub().start());
    await bench.plane.create([
      { apiVersion: "v1", kind: "Namespace", metadata: { name: NS } },
      bench.source("shop"),
      bench.secret("forge"),
    ]);
    return bench;
  }

  async close(): Promise<void> {
    await this.stop();
    await this.server.stop();
    await this.plane.close();
  }

  get controller(): PullRequestController {
    if (this.#running === undefined) throw new Error("nothing runs");
    return this.#running.controller;
  }

  get routes(): WebhookRoutes {
    if (this.#running === undefined) throw new Error("nothing runs");
    return this.#running.routes;
  }

  source(name: string): KubeObject {
    return {
      apiVersion: GITOPS_API,
      kind: "GitRepository",
      metadata: { name, namespace: NS },
      spec: { url: this.server.cloneUrl, ref: { branch: "main" } },
    };
  }

  secret(name: string): KubeObject {
    return {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name, namespace: NS },
      data: { token: Buffer.from(TOKEN).toString("base64") },
    };
  }

  reporter(spec: Partial<ReporterSpec> = {}, name = "shop"): KubeObject {
    return {
      apiVersion: GITOPS_API,
      kind: "Reporter",
      metadata: { name, namespace: NS },
      spec: {
        provider: "github",
        providerUrl: this.server.url,
        sourceRef: { kind: "GitRepository", name: "shop" },
        secretRef: { name: "forge" },
        pullRequests: {},
        ...spec,
      },
    };
  }

  async start(): Promise<void> {
    const { clock, plane } = this;
    const context = createContext({
      client: plane.client,
      clock,
      logger: silentLogger,
      newUuid: () => crypto.randomUUID(),
    });
    context.informers.of(GITOPS_API, "Reporter");
    context.informers.of(GITOPS_API, "GitRepository");
    await context.informers.synced();
    const forges = new ReporterForges({ context, clock, random: () => 0.5, limits: { patienceMs: 1_000 } });
    const controller = startPullRequestController({
      context,
      forges,
      statuses: new ReporterStatuses(context),
      openDrift: () => Promise.resolve({ refused: "nothing has drifted" }),
      revisions: this.#revisions,
      planner: async (job, wish, { signal }) => {
        const { report, syncs } = await this.#plan(job, signal);
        return writePlan(report, syncs, wish);
      },
    });
    this.#running = {
      controller,
      routes: createWebhookRoutes({
        context,
        forges,
        pulls: controller,
        fetchNow: (key) => this.fetchedNow.push(key),
      }),
      stop: async () => {
        await controller.stop();
        forges.close();
        await context.events.flush();
        await context.informers.stop();
      },
    };
  }

  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await running?.stop();
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async status(name = "shop"): Promise<NonNullable<Reporter["status"]>> {
    return (await this.plane.client.get<Reporter>({ ...REPORTER, name })).status ?? {};
  }

  async entry(number = 7, name = "shop"): Promise<ReportedPullRequest | undefined> {
    return (await this.status(name)).pullRequests?.find((one) => one.number === number);
  }

  async condition(type: string): Promise<Condition | undefined> {
    return (await this.status()).conditions?.find((one) => one.type === type);
  }

  comments(number = 7): readonly string[] {
    return this.server.pulls.get(number)?.comments.map(({ body }) => body) ?? [];
  }

  /** The check of a head as it is at last. */
  check(sha: string, name = "flaghoist: shop/shop"): FakeCheck | undefined {
    return this.server.checks.findLast((one) => one.sha === sha && one.name === name);
  }

  /** Writes that the host has seen. */
  writes(): readonly string[] {
    return this.server.received.map((text) => text.split("\n")[0] ?? "").filter((line) => !/graphql/.test(line));
  }

  async planned(number = 7, head = FIRST, name = "shop"): Promise<void> {
    await eventually(async () => {
      expect(await this.entry(number, name)).toMatchObject({ state: "Planned", head });
    });
  }

  /** Pushes another head to the pull request. */
  push(sha: string, number = 7): void {
    this.change({ sha }, number);
  }

  /** Makes the pull request another at the host. */
  change(changes: Partial<FakePull>, number = 7): void {
    const pull = this.server.pulls.get(number);
    if (pull !== undefined) this.server.pulls.set(number, { ...pull, ...changes });
  }

  /** Lets time pass until something is as wished. */
  async afterwards(stepMs: number, fact: () => void | Promise<void>): Promise<void> {
    await eventually(async () => {
      await this.clock.advance(stepMs);
      await fact();
    });
  }

  /** What a plan of a head says. */
  report(head: string, job?: PlanJob): PlanReport {
    const sample = SAMPLES.replicaMove();
    return { ...sample, subject: { ...sample.subject, ...job?.subject }, renderHash: head.repeat(2).slice(0, 64) };
  }

  readonly #revisions: RevisionSource = {
    fetch: async ({ head }, { signal }) => {
      signal.throwIfAborted();
      this.fetched++;
      return {
        directory: "/nowhere",
        head: head.sha,
        base: this.base,
        release: () => {
          this.released++;
        },
      };
    },
    forget: () => undefined,
    sweep: () => undefined,
  };

  #plan(job: PlanJob, signal: AbortSignal): Promise<SandboxedPlan> {
    return new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
      const making: Making = {
        job,
        signal,
        done: (report = this.report(job.head, job)) =>
          resolve({ report, syncs: [{ namespace: NS, name: "apps", digest: job.head }] }),
        fail: reject,
      };
      this.makings.push(making);
      if (this.isQuick) making.done();
    });
  }
}
