import { afterEach, describe, expect, it, vi } from "vitest";
import { AppError } from "../runtime/errors.ts";
import type { AsyncRemoteContents } from "./kustomize/loading/remote.ts";
import { MemoryTree, type TreeFiles } from "./memory-tree.ts";
import { withRemotes } from "./remote-render.ts";
import { type RenderOutcome, render } from "./render.ts";
import { RenderPool, type RenderPoolOptions } from "./render-pool.ts";

const pools: RenderPool[] = [];
const signal = new AbortController().signal;

afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.close();
});

function inPool(options: RenderPoolOptions): RenderWith {
  return (files, remotes, within = signal) => {
    const pool = new RenderPool(options);
    pools.push(pool);
    return pool.render(new MemoryTree(files), "", { remotes, signal: within });
  };
}

type RenderWith = (files: TreeFiles, remotes?: AsyncRemoteContents, within?: AbortSignal) => Promise<RenderOutcome>;

const WAYS: readonly [string, RenderWith][] = [
  ["the calling thread", (files, remotes, within = signal) => inThread(files, remotes, within)],
  ["a worker", inPool({ inThreadBytes: 0 })],
  ["a worker, after an attempt in the calling thread", inPool({ inThreadBytes: 1 << 20 })],
];

async function inThread(files: TreeFiles, remotes: AsyncRemoteContents | undefined, within: AbortSignal) {
  const tree = new MemoryTree(files);
  if (remotes === undefined) return render(tree, "");
  return withRemotes(remotes, within, (contents) => render(tree, "", { remotes: contents }));
}

function configMap(name: string): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`;
}

const REPOSITORIES: Readonly<Record<string, TreeFiles>> = {
  "https://host/org/a": {
    "kustomization.yaml": "resources: [c.yaml, 'https://host/org/b//x?ref=v1']\n",
    "c.yaml": configMap("a"),
  },
  "https://host/org/b": {
    "x/kustomization.yaml": "resources: [../y]\nnamePrefix: p-\n",
    "y/kustomization.yaml": "resources: [d.yaml]\n",
    "y/d.yaml": configMap("b"),
  },
};

function remotes(asked: string[] = []): AsyncRemoteContents {
  return {
    base: async ({ repository, ref }) => {
      asked.push(`${repository} ${ref}`);
      const files = REPOSITORIES[repository];
      if (files === undefined) throw new AppError("git-unreachable", "no answer", { recovery: "wait", afterMs: 7 });
      return { tree: new MemoryTree(files, "sha1:1") };
    },
    file: async (url) => {
      asked.push(url);
      return Buffer.from(configMap("f"));
    },
  };
}

describe.each(WAYS)("rendering what is remote in %s", (_, renderWith) => {
  it("fetches each repository and file once, and those that they name", async () => {
    const asked: string[] = [];
    const entries = ["https://host/org/a?ref=v1", "https://host/f.yaml"];
    const files = {
      "kustomization.yaml": `resources: ${JSON.stringify(entries)}\nconfigMapGenerator: [{name: g, files: ['k=https://host/f.yaml']}]\n`,
    };

    const { objects } = await renderWith(files, remotes(asked));

    expect(objects.map(({ object }) => object.metadata.name)).toEqual(["a", "f", expect.stringMatching(/^g-/), "p-b"]);
    expect(objects.map(({ origin }) => origin.file)).toContain("https://host/org/b//y/d.yaml?ref=v1");
    expect(asked).toEqual(["https://host/org/a v1", "https://host/org/b v1", "https://host/f.yaml"]);
  });

  it("refuses it when no remotes are given", async () => {
    const files = { "kustomization.yaml": "resources: ['https://host/org/a?ref=v1']\n" };

    await expect(renderWith(files)).rejects.toMatchObject({ code: "render-remote-refused", recovery: "stall" });
  });

  it("hands on why fetching failed, when to try again, and where it is named", async () => {
    const files = { "kustomization.yaml": "namePrefix: x\nresources: ['https://host/org/none?ref=v1']\n" };

    const error = await renderWith(files, remotes()).catch((reason: unknown) => reason);

    expect(error).toMatchObject({ code: "git-unreachable", recovery: "wait", afterMs: 7 });
    expect(String(error)).toContain("kustomization.yaml:2:13: no answer");
  });

  it("ends when it is told to while fetching", async () => {
    const abort = new AbortController();
    const files = { "kustomization.yaml": "resources: ['https://host/org/a?ref=v1']\n" };
    const hanging: AsyncRemoteContents = {
      ...remotes(),
      base: (_reference, within) =>
        new Promise((_resolve, reject) => {
          within.addEventListener("abort", () => reject(within.reason));
          abort.abort(new Error("enough"));
        }),
    };

    await expect(renderWith(files, hanging, abort.signal)).rejects.toThrow("enough");
  });

  it("stops at 200 different ones", async () => {
    const entries = Array.from({ length: 201 }, (_unused, i) => `https://host/f${i}.yaml`);
    const generator = { name: "g", files: entries.map((url, i) => `k${i}=${url}`) };
    const files = { "kustomization.yaml": `configMapGenerator: ${JSON.stringify([generator])}\n` };

    await expect(renderWith(files, remotes())).rejects.toMatchObject({ code: "render-too-large" });
  });
});

describe("the deadline of a render", () => {
  it("does not count what fetching takes", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const files = { "kustomization.yaml": "resources: ['https://host/org/b//y?ref=v1']\n" };
      const slow: AsyncRemoteContents = {
        ...remotes(),
        base: async (reference) => {
          vi.advanceTimersByTime(3_600_000);
          return remotes().base(reference, signal);
        },
      };

      const { objects } = await inPool({ inThreadBytes: 0, deadlineMs: 60_000 })(files, slow);

      expect(objects).toHaveLength(1);
    } finally {
      vi.useRealTimers();
    }
  });
});
