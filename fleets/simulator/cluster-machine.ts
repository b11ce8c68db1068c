// The machines of a cluster's control plane: stopped and started, backed up and put back.
import type { StoreContent } from "../apiserver/storage/store.ts";
import type { FaultyTransport } from "./faults/faulty-transport.ts";
import { type RestartableServer, withFreshRevisions } from "./restartable-server.ts";

/** The parts that the machine holds. */
export interface MachineOptions {
  readonly server: RestartableServer;
  readonly link: FaultyTransport;
  /** Controllers and kubelets. */
  readonly stopControllers: () => void;
  /** Starts them anew, with nothing in memory. */
  readonly startControllers: () => void;
}

/** What stands below a cluster: its power, its store and backups of that. */
export class ClusterMachine {
  readonly #o: MachineOptions;
  readonly #backups = new Map<string, StoreContent>();
  /** How many faults hold it without power. */
  #halts = 0;

  constructor(options: MachineOptions) {
    this.#o = options;
  }

  /** Names of the backups, oldest first. */
  get backups(): readonly string[] {
    return [...this.#backups.keys()];
  }

  get isHalted(): boolean {
    return this.#halts > 0;
  }

  /** Stops everything that acts in the cluster; the returned function starts it anew when no one else halts it. */
  halt(): () => void {
    this.#halts++;
    if (this.#halts === 1) this.#o.stopControllers();
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#halts--;
      if (this.#halts === 0) this.#o.startControllers();
    };
  }

  /** Keeps the store as it is now, in place of an older backup of that name. */
  backUp(name: string): void {
    this.#backups.delete(name);
    this.#backups.set(name, this.#o.server.state.content());
  }

  /**
   * Puts the store and its revisions back to a backup, the latest one where none is named; false when there is none.
   * Watches end, controllers start anew.
   */
  async restore(name?: string): Promise<boolean> {
    const backup = this.#backups.get(name ?? this.backups.at(-1) ?? "");
    if (backup === undefined) return false;
    await this.#restart(backup);
    return true;
  }

  /** Lets revisions begin anew from a low number, with the same objects. */
  resetRevisions(): Promise<void> {
    return this.#restart(withFreshRevisions(this.#o.server.state.content()));
  }

  async #restart(content: StoreContent): Promise<void> {
    const resume = this.halt();
    this.#o.link.cut();
    await this.#o.server.restart(content);
    resume();
  }
}
