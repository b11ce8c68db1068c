import { afterEach, describe, expect, it } from "vitest";
import type { AppError } from "../runtime/errors.ts";
import type { SourceTree } from "../sources/tree.ts";
import { MemoryTree } from "./memory-tree.ts";
import { render } from "./render.ts";
import { RenderPool, type RenderPoolOptions } from "./render-pool.ts";

const pools: RenderPool[] = [];

function pool(options: RenderPoolOptions = {}): RenderPool {
  const made = new RenderPool({ inThreadBytes: 0, ...options });
  pools.push(made);
  return made;
}

function files(count: number): Record<string, string> {
  const result: Record<string, string> = {};
  const names: string[] = [];
  for (let i = 0; i < count; i++) {
    names.push(`c${i}.yaml`);
    result[`base/c${i}.yaml`] =
      `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c${i}}\ndata: {big: 9007199254740993}\n`;
  }
  result["base/kustomization.yaml"] = `resources: [${names.join(", ")}]\n`;
  result["overlay/kustomization.yaml"] = "resources: [../base]\nnamePrefix: p-\n";
  return result;
}

/** A tree that counts what is read. */
function counting(tree: SourceTree): SourceTree & { readonly reads: string[] } {
  const reads: string[] = [];
  return {
    revision: tree.revision,
    reads,
    list: (path) => tree.list(path),
    read: (path) => {
      reads.push(path);
      return tree.read(path);
    },
  };
}

afterEach(async () => {
  for (const each of pools.splice(0)) await each.close();
});

describe("RenderPool", () => {
  it("answers as the renderer itself does, files outside of the folder included", async () => {
    const tree = new MemoryTree(files(20));

    expect(await pool().render(tree, "overlay")).toEqual(render(tree, "overlay"));
  });

  it("leaves to a thread what a few files make much of, within the limits that were asked for", async () => {
    const folders: Record<string, string> = { "l7/kustomization.yaml": "resources: [c.yaml]\n", "l7/c.yaml": "" };
    for (let level = 0; level < 7; level++) {
      folders[`l${level}/kustomization.yaml`] = `resources: [../l${level + 1}, ../l${level + 1}]\n`;
    }
    const small = pool({ inThreadBytes: 64 * 1024 });

    expect((await small.render(new MemoryTree(folders), "l0")).objects).toEqual([]);
    expect((await small.render(new MemoryTree(files(90)), "overlay")).objects).toHaveLength(90);
    await expect(small.render(new MemoryTree(files(90)), "overlay", { maxObjects: 80 })).rejects.toMatchObject({
      code: "render-too-large",
    });
  });

  it("reads no file that the folder does not need", async () => {
    const tree = counting(new MemoryTree({ ...files(3), "other/huge.bin": "x".repeat(1000) }));

    await pool().render(tree, "overlay");

    expect(tree.reads.filter((path) => path.startsWith("other"))).toEqual([]);
  });

  it("hands on the errors with file and line", async () => {
    const tree = new MemoryTree({ "a.yaml": "kind: A\nkind: B\n" });

    await expect(pool().render(tree, "")).rejects.toMatchObject({
      code: "render-yaml-invalid",
      details: { file: "a.yaml", line: 2 },
    });
  });

  it("stops a render at its deadline and works on with a fresh thread", async () => {
    const slow = pool({ deadlineMs: 1 });
    const error: AppError = await slow.render(new MemoryTree(files(2000)), "overlay").catch((reason) => reason);

    expect(error.code).toBe("render-timed-out");
  });

  it("stops when it is told to", async () => {
    const abort = new AbortController();
    const result = pool().render(new MemoryTree(files(500)), "overlay", { signal: abort.signal });

    abort.abort(new Error("enough"));

    await expect(result).rejects.toThrow("enough");
  });

  it("renders several at once with few threads", async () => {
    const tree = new MemoryTree(files(5));
    const shared = pool({ size: 2 });

    const outcomes = await Promise.all([1, 2, 3, 4, 5].map(() => shared.render(tree, "overlay")));

    expect(outcomes.map((outcome) => outcome.objects.length)).toEqual([5, 5, 5, 5, 5]);
  });

  it("renders small trees at once, without a thread", async () => {
    const tree = new MemoryTree(files(2));

    expect(await pool({ inThreadBytes: 10_000, deadlineMs: 0 }).render(tree, "overlay")).toEqual(
      render(tree, "overlay"),
    );
  });

  it("refuses work after it was closed", async () => {
    const closed = pool();
    await closed.close();

    await expect(closed.render(new MemoryTree(files(1)), "overlay")).rejects.toMatchObject({ code: "render-failed" });
  });
});
