// Lets happen in a fleet what its scenario says, on the fleet's clock.
import { faultOf, withEnd } from "../../../api/fleet-rules/faults.ts";
import { type ClusterFacts, targetClusters } from "../../../api/fleet-targets.ts";
import type { FleetExpectation, FleetStep } from "../../../api/fleet-timeline.ts";
import type { KubeClient } from "../../../kube/client/kube-client.ts";
import type { Transport } from "../../../kube/client/transport.ts";
import type { Clock, Timer } from "../../../runtime/clock.ts";
import { formatDuration, parseDuration } from "../../../runtime/duration.ts";
import { AppError, messageOf } from "../../../runtime/errors.ts";
import type { Logger } from "../../../runtime/logger.ts";
import { mapLimit } from "../../../runtime/parallel.ts";
import type { Random } from "../../../runtime/random.ts";
import type { Participant } from "../clock/virtual-clock.ts";
import type { FleetFaults } from "../faults/fleet-faults.ts";
import { gatherFound, isReachable } from "./gather-found.ts";
import { judgeExpectation, wordsOf } from "./judge-expectation.ts";
import type { LoadedScenario } from "./load-scenario.ts";
import { scenarioDurationMs, stepTimes } from "./step-times.ts";
import { applied, type ClusterWrite, stepWords, writesOf } from "./take-step.ts";

/** A cluster, as the player needs it. */
interface PlayedCluster {
  readonly name: string;
  readonly client: KubeClient;
  readonly transport: Transport;
}

/** The scenario and what it is played on. */
export interface ScenarioPlayerOptions {
  readonly loaded: LoadedScenario;
  /** The clusters as the scenario describes them. */
  readonly facts: readonly ClusterFacts[];
  readonly clusters: ReadonlyMap<string, PlayedCluster>;
  readonly faults: Pick<FleetFaults, "begin" | "end" | "subscribe">;
  readonly clock: Clock;
  /** Resolves when the clusters have nothing to do at this instant. */
  readonly quiet: () => Promise<void>;
  readonly random: Random;
  readonly logger: Logger;
}

/** Something that the scenario let happen. */
export interface StoryEntry {
  /** Since the start of the scenario. */
  readonly atMs: number;
  /** The step's place in the timeline; undefined for faults, whoever has begun them. */
  readonly step: number | undefined;
  readonly words: string;
  /** Names of the clusters that were meant; empty for a comment. */
  readonly clusters: readonly string[];
  /** Why it did not come about, or is not as expected; undefined when all is well. */
  readonly problem: string | undefined;
  readonly isExpectation: boolean;
}

/** Clusters that are written to at the same time. */
const CLUSTERS_AT_ONCE = 16;
/** Between two looks at something that is expected within a time. */
const LOOKS = 100;
const LEAST_LOOK_MS = 100;

/** Takes a scenario's steps when they are due, and tells what came of them. */
export class ScenarioPlayer implements Participant {
  readonly #o: ScenarioPlayerOptions;
  readonly #story: StoryEntry[] = [];
  readonly #timers = new Set<Timer>();
  /** What is being done, one after the other. */
  #work: Promise<void> = Promise.resolve();
  #waiting = 0;
  #startMs = 0;
  #open = 0;
  #stopped = false;

  constructor(options: ScenarioPlayerOptions) {
    this.#o = options;
  }

  /** What has happened so far, in the order of its happening. */
  get story(): readonly StoryEntry[] {
    return this.#story;
  }

  /** Steps that were to be taken and failed, and what was not as expected. */
  get problems(): readonly StoryEntry[] {
    return this.#story.filter(({ problem }) => problem !== undefined);
  }

  /** Expectations that are not decided yet. */
  get openExpectations(): number {
    return this.#open;
  }

  /** How long the scenario lasts from its start. */
  get durationMs(): number {
    return scenarioDurationMs(this.#o.loaded.scenario);
  }

  /** When it started, on the fleet's clock. */
  get startMs(): number {
    return this.#startMs;
  }

  get isBusy(): boolean {
    return this.#waiting > 0;
  }

  async whenIdle(): Promise<void> {
    while (this.isBusy) await this.#work;
  }

  /** Gives the clusters what they have from the start. Throws `fleet-scenario-failed` when one does not take it. */
  async prepare(): Promise<void> {
    const { loaded } = this.#o;
    const { manifests = [] } = loaded.scenario;
    for (const [index, entry] of manifests.entries()) {
      const clusters = this.#meant(entry.target);
      for (const object of loaded.objectsOf(entry)) {
        const problem = await this.#write(clusters, applied(object));
        if (problem !== undefined)
          throw new AppError("fleet-scenario-failed", `manifests[${index}]: ${problem}`, { recovery: "stall" });
      }
    }
    this.#startMs = this.#o.clock.now();
  }

  /** Begins the timeline: its times count from now. */
  begin(): void {
    const { loaded, clock, faults } = this.#o;
    const { timeline = [] } = loaded.scenario;
    this.#startMs = clock.now();
    faults.subscribe((change, { id, fault, clusters }) =>
      this.#note(`${id.startsWith(fault.type) ? id : `${id} (${fault.type})`} ${change}`, clusters),
    );
    this.#open = timeline.filter(({ expect }) => expect !== undefined).length;
    for (const [index, step] of timeline.entries()) this.#arrange(step, index);
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }

  #arrange(step: FleetStep, index: number): void {
    const { faults, loaded, random } = this.#o;
    const fault = faultOf(step);
    if (fault !== undefined) {
      faults.begin(withEnd(fault, loaded.scenario));
      if (step.comment === undefined) return;
    }
    const { firstMs, everyMs, times, jitterMs } = stepTimes(step);
    const take = (number: number): void => {
      const late = jitterMs === 0 ? 0 : Math.floor(random.next() * jitterMs);
      this.#at(firstMs + number * everyMs + late, () => {
        this.#do(() => this.#take(step, index));
        if (number + 1 < times) take(number + 1);
      });
    };
    take(0);
  }

  /** At a time since the start. */
  #at(ms: number, fn: () => void): void {
    const { clock } = this.#o;
    const timer = clock.after(this.#startMs + ms - clock.now(), () => {
      this.#timers.delete(timer);
      fn();
    });
    this.#timers.add(timer);
  }

  #do(task: () => Promise<void>): void {
    this.#waiting++;
    this.#work = this.#work.then(async () => {
      try {
        if (!this.#stopped) await task();
      } catch (error) {
        this.#o.logger.error("a step of the scenario failed", { error: messageOf(error) });
      } finally {
        this.#waiting--;
      }
    });
  }

  async #take(step: FleetStep, index: number): Promise<void> {
    if (step.expect !== undefined) {
      await this.#expect(step.expect, step.comment, index);
      return;
    }
    if (step.end !== undefined) this.#end(step.end);
    const { loaded } = this.#o;
    const objects = step.apply === undefined ? [] : loaded.objectsOf(step.apply);
    const { target } = step.apply ?? step.delete ?? step.scale ?? step.patch ?? {};
    const writes = writesOf(step, objects);
    const clusters = writes.length === 0 ? [] : this.#meant(target);
    const problems: string[] = [];
    for (const write of writes) {
      const problem = await this.#write(clusters, write);
      if (problem !== undefined) problems.push(problem);
    }
    const words = [step.comment, writes.length === 0 ? undefined : stepWords(step, objects)].filter(
      (each) => each !== undefined,
    );
    if (words.length > 0)
      this.#tell(index, words.join(": "), clusters, problems.length === 0 ? undefined : problems.join("; "));
  }

  /** A fault that comes again ends for good; of others, the end is known from the beginning. */
  #end(name: string): void {
    try {
      this.#o.faults.end(name);
    } catch (error) {
      if (!(error instanceof AppError && error.code === "fault-unknown")) throw error;
    }
  }

  /** Writes to clusters; answers what went wrong. The fleet is quiet before and after, so that nothing depends on haste. */
  async #write(clusters: readonly PlayedCluster[], write: ClusterWrite): Promise<string | undefined> {
    await this.#o.quiet();
    const problems = await mapLimit(clusters, CLUSTERS_AT_ONCE, async ({ name, client }) => {
      try {
        await write(client);
        return undefined;
      } catch (error) {
        return `${name}: ${messageOf(error)}`;
      }
    });
    await this.#o.quiet();
    return problems.find((problem) => problem !== undefined);
  }

  async #expect(expectation: FleetExpectation, comment: string | undefined, index: number): Promise<void> {
    const clusters = this.#meant(expectation.target);
    const { clock } = this.#o;
    const limitMs = clock.now() + parseDuration(expectation.within ?? "0");
    const decide = (problem: string | undefined): void => {
      this.#open--;
      const what = expectation.reachable === undefined ? wordsOf(expectation) : "reachable";
      this.#tell(index, `expected ${comment ?? what}`, clusters, problem, true);
    };
    if (expectation.reachable !== undefined) {
      this.#expectReachable(expectation.reachable, clusters, limitMs, decide);
      return;
    }
    const everyMs = Math.max(LEAST_LOOK_MS, Math.ceil((limitMs - clock.now()) / LOOKS));
    const look = async (): Promise<void> => {
      await this.#o.quiet();
      const problem = judgeExpectation(expectation, await gatherFound(expectation, clusters));
      if (problem === undefined || clock.now() >= limitMs) decide(problem);
      else this.#at(Math.min(clock.now() + everyMs, limitMs) - this.#startMs, () => this.#do(look));
    };
    await look();
  }

  /** Time has to go on while somebody waits for an answer, so nobody waits for this. */
  #expectReachable(
    wanted: boolean,
    clusters: readonly PlayedCluster[],
    limitMs: number,
    decide: (problem: string | undefined) => void,
  ): void {
    const { clock } = this.#o;
    const look = async (): Promise<void> => {
      const answers = await Promise.all(clusters.map(({ transport }) => isReachable(transport, clock)));
      if (this.#stopped) return;
      const other = clusters.find((_, place) => answers[place] !== wanted);
      if (other === undefined) decide(undefined);
      else if (clock.now() >= limitMs) decide(`${other.name} is ${wanted ? "not reachable" : "reachable"}`);
      else this.#at(Math.min(clock.now() + 1_000, limitMs) - this.#startMs, () => void look());
    };
    void look();
  }

  #meant(target: FleetExpectation["target"]): PlayedCluster[] {
    const { facts, clusters } = this.#o;
    const meant = target === undefined ? facts : targetClusters(target, facts);
    return meant.flatMap(({ name }) => clusters.get(name) ?? []);
  }

  #note(words: string, clusters: readonly string[]): void {
    const atMs = this.#o.clock.now() - this.#startMs;
    this.#story.push({ atMs, step: undefined, words, clusters, problem: undefined, isExpectation: false });
  }

  #tell(
    step: number,
    words: string,
    clusters: readonly PlayedCluster[],
    problem: string | undefined,
    isExpectation = false,
  ): void {
    const { clock, logger } = this.#o;
    const atMs = clock.now() - this.#startMs;
    this.#story.push({ atMs, step, words, clusters: clusters.map(({ name }) => name), problem, isExpectation });
    const fields = { at: formatDuration(atMs), step: `timeline[${step}]`, what: words };
    if (problem === undefined) logger.info("took a step of the scenario", fields);
    else logger.warn("a step of the scenario did not come about", { ...fields, problem });
  }
}
