// What is in Git, with hooks around it and waves in it; and that a Sync goes by them: watched at every write of the store.
import type { KubeObject } from "../../kube/object.ts";
import { MemoryTree } from "../../renderers/memory-tree.ts";
import { type App, objectsOf, pathOf, RESOURCE_OF, versionOf } from "./support-fleet-apps.ts";
import type { ChaosWorld } from "./support-fleet-world.ts";

const HOOKS = ["PreSync", "PostSync"] as const;
type Hook = (typeof HOOKS)[number];
const RESOURCES: ReadonlySet<string> = new Set(Object.values(RESOURCE_OF));
const OPERATION = "gitops.flaghoist.io/operation";

/** The repository of a world. */
export class GitSource {
  readonly #world: ChaosWorld;
  /** Whether hooks run before and after. */
  readonly hasHooks: boolean;
  /** By commit: the versions of apps, those that are gone not among them. */
  readonly #history: ReadonlyMap<string, number>[] = [];
  readonly #made = new Set<string>();

  constructor(world: ChaosWorld, hasHooks: boolean) {
    this.#world = world;
    this.hasHooks = hasHooks;
  }

  /** The present content of all apps that come from here becomes a commit. */
  commit(): void {
    const apps = this.#world.apps.filter((app) => app.via === "git" && app.exists);
    this.#history.push(new Map(apps.map((app) => [app.name, app.version])));
  }

  head(): { commit: string; tree: MemoryTree } {
    const number = this.#history.length;
    const files: Record<string, string> = { "readme.yaml": JSON.stringify(anchor()) };
    if (this.hasHooks) for (const hook of HOOKS) files[`${hook}.yaml`] = JSON.stringify(hookOf(hook, number));
    for (const app of this.#world.apps)
      if (app.via === "git" && app.exists)
        files[`${app.name}.yaml`] = objectsOf(app)
          .map((object) => JSON.stringify(object))
          .join("\n---\n");
    return { commit: String(number).padStart(40, "0"), tree: new MemoryTree(files) };
  }

  /** Watches the order in which things come into the store. */
  listen(): void {
    if (!this.hasHooks) return;
    this.#world.plane.store.state.subscribeAll(({ type, object: { resource, object }, previous }) => {
      if (type === "DELETED" || !RESOURCES.has(resource)) return;
      const hook = HOOKS.find((each) => nameOf(each) === object.metadata.name);
      if (hook !== undefined) this.#onHook(hook, type, object);
      else if (versionOf(object) !== versionOf(previous?.object)) this.#onTemplate(object);
    });
  }

  #onHook(hook: Hook, type: string, object: KubeObject): void {
    const operation = object.metadata.annotations?.[OPERATION] ?? "";
    if (type === "ADDED" && this.#made.has(operation)) this.#world.violate(`${hook} was run again for ${operation}`);
    this.#made.add(operation);
    if (hook !== "PostSync" || type !== "ADDED") return;
    const commit = commitOf(object);
    for (const [name, version] of this.#history[commit - 1] ?? []) {
      const has = this.#versionIn(name);
      if (has !== version) this.#world.violate(`PostSync of commit ${commit} runs while ${name} is at v${has}`);
    }
  }

  #onTemplate(object: KubeObject): void {
    const app = this.#find(object);
    if (app?.via !== "git") return;
    const id = { resource: "configmaps", namespace: "shop", name: nameOf("PreSync") };
    const commit = commitOf(this.#world.plane.store.state.get(id)?.object);
    const expected = this.#history[commit - 1]?.get(app.name);
    const version = versionOf(object);
    if (expected !== version) {
      this.#world.violate(`v${version} of ${app.name} comes while PreSync of commit ${commit} was the last one`);
      return;
    }
    for (const other of this.#world.apps) {
      const due = this.#history[commit - 1]?.get(other.name);
      if (due === undefined || (other.wave ?? 0) >= (app.wave ?? 0)) continue;
      const has = this.#versionIn(other.name);
      if (has !== due)
        this.#world.violate(
          `v${version} of ${app.name} in wave ${app.wave ?? 0} comes while ${other.name} is at v${has}`,
        );
    }
  }

  #find(object: KubeObject): App | undefined {
    const path = pathOf({ name: object.metadata.name ?? "", namespace: object.metadata.namespace });
    return this.#world.apps.find((app) => app.kind === object.kind && pathOf(app) === path);
  }

  #versionIn(name: string): number {
    const app = this.#world.apps.find((each) => each.name === name);
    if (app === undefined) return 0;
    const { state } = this.#world.plane.store;
    return versionOf(state.get({ resource: RESOURCE_OF[app.kind], namespace: app.namespace ?? "", name })?.object);
  }
}

/** Something in Git that nobody deletes: an empty folder is another matter. */
function anchor(): KubeObject {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "anchor", namespace: "shop" },
    data: { is: "there" },
  };
}

function nameOf(hook: Hook): string {
  return `hook-${hook.toLowerCase()}`;
}

/** An object that no policy places: it has ended when it is there. */
function hookOf(hook: Hook, commit: number): KubeObject {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: nameOf(hook), namespace: "shop", annotations: { "argocd.argoproj.io/hook": hook } },
    data: { commit: String(commit) },
  };
}

function commitOf(hook: KubeObject | undefined): number {
  return Number((hook?.["data"] as { commit?: string } | undefined)?.commit ?? 0);
}
