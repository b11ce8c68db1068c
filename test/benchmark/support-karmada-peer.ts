// The real Karmada's scheduler core in the same run as ours, where its program is built
// (test/conformance/differential/karmada-oracle/build).
import type { Cluster } from "../../api/cluster.ts";
import type { ResourceBindingSpec, TargetCluster } from "../../api/work.ts";
import { findOracle, Oracle } from "../conformance/differential/karmada/oracle.ts";

export interface PeerFigure {
  readonly operations: number;
  readonly seconds: number;
  /** Of the whole process, collection of garbage included. */
  readonly cpuSeconds: number;
  readonly perSecond: number;
  readonly perCpuSecond: number;
  /** The results of the first bindings, to compare with ours. */
  readonly first: readonly (readonly TargetCluster[])[];
}

/** A running Karmada to measure. */
export class KarmadaPeer {
  readonly #oracle: Oracle;

  private constructor(path: string) {
    this.#oracle = new Oracle(path);
  }

  /** Undefined where the program is not built. */
  static start(): KarmadaPeer | undefined {
    const path = findOracle();
    return path === undefined ? undefined : new KarmadaPeer(path);
  }

  /** Schedules the bindings in turn on the fleet, as if each was new, for about `seconds`. */
  async measure(
    clusters: readonly Cluster[],
    specs: readonly ResourceBindingSpec[],
    seconds: number,
  ): Promise<PeerFigure> {
    const fleet = "benchmark";
    await this.#oracle.ask("fleet", { fleet, clusters });
    const { answer, problem, panic } = await this.#oracle.ask("bench", { fleet, specs, seconds });
    if (answer === undefined) throw new Error(`Karmada could not be measured: ${problem ?? panic}`);
    // The program's own form, see karmada-oracle/bench.go.
    return answer as unknown as PeerFigure;
  }

  stop(): void {
    this.#oracle.close();
  }
}
