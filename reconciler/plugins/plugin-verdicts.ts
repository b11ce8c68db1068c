// What plugins say of the fleet, asked once per placement, kind and state of a cluster.
import type { Cluster } from "../../api/cluster.ts";
import type { Placement } from "../../api/policy.ts";
import { ContentCache } from "../../runtime/content-cache.ts";
import type { ClusterScore } from "../scheduler/fleet/scores.ts";
import type { PluginRefusal } from "../scheduler/options.ts";
import type { PluginCluster, PluginRequest } from "../scheduler/plugin.ts";
import type { PluginAnswer } from "./plugin-messages.ts";
import { ClusterViews } from "./plugin-view.ts";

/** A plugin that can be asked. */
export interface AskedPlugin {
  readonly name: string;
  readonly weight: number;
  readonly args: Readonly<Record<string, unknown>>;
  ask(request: PluginRequest, clusters: readonly PluginCluster[]): Promise<readonly PluginAnswer[]>;
}

/** What a decision is told. The first plugin that refuses a cluster is named. */
export interface PluginVerdicts {
  /** Clusters that the plugins were asked about. */
  readonly pluginsAsked: ReadonlySet<string>;
  readonly pluginRefusals: ReadonlyMap<string, PluginRefusal>;
  readonly pluginScores: ReadonlyMap<string, readonly ClusterScore[]>;
}

type Kind = PluginRequest["resource"];

/** One placement and kind. */
interface Matter {
  readonly placement: Placement;
  readonly resource: Kind;
  /** By plugin. */
  readonly answers: readonly WeakMap<PluginCluster, PluginAnswer>[];
  verdicts: PluginVerdicts | undefined;
  /** State of the fleet that the verdicts are about. */
  version: number;
  asking: Promise<PluginVerdicts> | undefined;
}

const MAX_PLACEMENTS = 512;

export class PluginVerdictCache {
  readonly #plugins: readonly AskedPlugin[];
  readonly #clusters: () => Iterable<Cluster>;
  readonly #views = new ClusterViews();
  readonly #matters = new ContentCache<Placement, Map<string, Matter>>(() => MAX_PLACEMENTS);
  #version = 0;

  /** `clusters` are all of the fleet; `noteChange` says when they are others than before. */
  constructor(plugins: readonly AskedPlugin[], clusters: () => Iterable<Cluster>) {
    this.#plugins = plugins;
    this.#clusters = clusters;
  }

  noteChange(): void {
    this.#version++;
  }

  noteDeleted(name: string): void {
    this.#version++;
    this.#views.forget(name);
  }

  /** At once when everything was asked before. Rejects as the plugin does that fails; nothing of that is kept. */
  verdicts(placement: Placement, { apiVersion, kind }: Kind): PluginVerdicts | Promise<PluginVerdicts> {
    const matter = this.#matter(placement, { apiVersion, kind });
    if (matter.verdicts !== undefined && matter.version === this.#version) return matter.verdicts;
    // Those who come while it is being asked wait for the same answer, and look then whether it is still the present one.
    if (matter.asking !== undefined) return matter.asking.then(() => this.verdicts(placement, { apiVersion, kind }));
    const version = this.#version;
    const views = Array.from(this.#clusters(), (cluster) => this.#views.of(cluster));
    const complete = matter.answers.every((known) => views.every((view) => known.has(view)));
    if (complete) return this.#conclude(matter, views, version);
    matter.asking = this.#ask(matter, views)
      .then(() => this.#conclude(matter, views, version))
      .finally(() => {
        matter.asking = undefined;
      });
    return matter.asking;
  }

  #matter(placement: Placement, resource: Kind): Matter {
    const byKind = this.#matters.get(placement, () => new Map());
    const key = `${resource.apiVersion} ${resource.kind}`;
    let matter = byKind.get(key);
    if (matter === undefined) {
      const answers = this.#plugins.map(() => new WeakMap<PluginCluster, PluginAnswer>());
      matter = { placement, resource, answers, verdicts: undefined, version: -1, asking: undefined };
      byKind.set(key, matter);
    }
    return matter;
  }

  async #ask({ placement, resource, answers }: Matter, views: readonly PluginCluster[]): Promise<void> {
    await Promise.all(
      this.#plugins.map(async (plugin, index) => {
        const known = answers[index] as WeakMap<PluginCluster, PluginAnswer>;
        const open = views.filter((view) => !known.has(view));
        if (open.length === 0) return;
        const given = await plugin.ask({ resource, placement, args: plugin.args }, open);
        for (const [place, view] of open.entries()) known.set(view, given[place] ?? {});
      }),
    );
  }

  #conclude(matter: Matter, views: readonly PluginCluster[], version: number): PluginVerdicts {
    const pluginRefusals = new Map<string, PluginRefusal>();
    const pluginScores = new Map<string, readonly ClusterScore[]>();
    for (const view of views) {
      const scores: ClusterScore[] = [];
      for (const [index, { name, weight }] of this.#plugins.entries()) {
        const { refusal, score } = matter.answers[index]?.get(view) ?? {};
        if (refusal !== undefined && !pluginRefusals.has(view.name)) {
          pluginRefusals.set(view.name, { plugin: name, reason: refusal });
        }
        if (score !== undefined) scores.push({ name, value: score, weight });
      }
      if (scores.length > 0) pluginScores.set(view.name, scores);
    }
    const pluginsAsked = new Set(views.map((view) => view.name));
    matter.verdicts = { pluginsAsked, pluginRefusals, pluginScores };
    matter.version = version;
    return matter.verdicts;
  }
}
