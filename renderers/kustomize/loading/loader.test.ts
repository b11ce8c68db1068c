import { describe, expect, it } from "vitest";
import { AppError } from "../../../runtime/errors.ts";
import { MemoryTree, type TreeFiles } from "../../memory-tree.ts";
import { type KustomizeOptions, renderKustomization } from "../render.ts";

function build(files: TreeFiles, path = "", options: KustomizeOptions = {}): (string | undefined)[] {
  const { objects } = renderKustomization(new MemoryTree(files), path, options);
  return objects.map(({ object }) => object.metadata?.name);
}

function failure(files: TreeFiles, path = "", options: KustomizeOptions = {}): AppError {
  try {
    build(files, path, options);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("the build succeeds");
}

function resources(...entries: string[]): string {
  return `resources: ${JSON.stringify(entries)}\n`;
}

function configMap(name: string): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n`;
}

/** A chain of folders, each based on the one before, as deep as asked. */
function chain(depth: number, field: "resources" | "components" | "transformers"): TreeFiles {
  const kind = field === "components" ? "kind: Component\n" : "";
  const files: Record<string, string> = { "o0/kustomization.yaml": `${kind}namePrefix: a\n` };
  for (let i = 1; i <= depth; i++) {
    const own = i === depth ? "" : kind;
    files[`o${i}/kustomization.yaml`] = `${own}${field}: [../o${i - 1}]\n`;
  }
  return files;
}

describe("the entries of a kustomization", () => {
  it.each([
    ["a file whose name holds two dots", "a..b.yaml", { "a..b.yaml": configMap("a") }],
    ["a folder of that sort on the way to a file", "x..y/c.yaml", { "x..y/c.yaml": configMap("a") }],
    ["a way over a folder that does not exist", "nope/../c.yaml", { "c.yaml": configMap("a") }],
    ["a way over a file", "c.yaml/../c.yaml", { "c.yaml": configMap("a") }],
    ["a file with a slash behind it", "c.yaml/", { "c.yaml": configMap("a") }],
    ["doubled slashes", "b//c.yaml", { "b/c.yaml": configMap("a") }],
    ["a name with a backslash", "b\\c.yaml", { "b\\c.yaml": configMap("a") }],
    ["a file called like a repository", "github.com/org/repo", { "github.com/org/repo": configMap("a") }],
    ["a file called like one with a ref", "c.yaml?ref=x", { "c.yaml?ref=x": configMap("a") }],
    [
      "a folder called like a host",
      "a.git/b",
      { "a.git/b/kustomization.yaml": resources("c.yaml"), "a.git/b/c.yaml": configMap("a") },
    ],
  ])("may be %s", (_, entry, files) => {
    const read = build({ "kustomization.yaml": resources(entry), ...files });

    expect(read).toEqual(["a"]);
  });

  it.each([
    ["empty", "", "render-missing-file"],
    ["of a folder with three dots", "...", "render-ambiguous-path"],
    ["of a folder with two dots in its name", "a..b", "render-ambiguous-path"],
    ["absolute", "/etc", "render-absolute-path"],
    ["outside of the source", "../x", "render-outside-root"],
    ["its own folder", ".", "render-cycle"],
    ["a folder without a kustomization", "empty", "render-missing-kustomization"],
    ["spelled in another case", "C.yaml", "render-missing-file"],
    ["written with the separators of Windows", "empty\\c.yaml", "render-missing-file"],
  ])("may not be %s", (_, entry, code) => {
    const files = { "kustomization.yaml": resources(entry), "c.yaml": configMap("a"), "empty/c.yaml": configMap("b") };
    const all = { ...files, ".../kustomization.yaml": resources("x"), "a..b/kustomization.yaml": resources("x") };

    expect(failure(all).code).toBe(code);
  });

  it("reach into the source by an absolute path only when it is known where the source lies", () => {
    const files = { "b/kustomization.yaml": resources("/src/b/c.yaml"), "b/c.yaml": configMap("a") };

    expect(build(files, "b", { absoluteRoot: "/src" })).toEqual(["a"]);
    expect(failure(files, "b").code).toBe("render-absolute-path");
    expect(failure(files, "b", { absoluteRoot: "/sr" }).code).toBe("render-absolute-path");
  });
});

describe("symbolic links", () => {
  it("lead to bases anywhere in the source, and to files in the kustomization's own folder", () => {
    const base = { "base/kustomization.yaml": resources("c.yaml"), "base/c.yaml": configMap("a") };
    const own = { "b/kustomization.yaml": resources("l", "d.yaml"), "b/l": { link: "../base" } };

    expect(build({ ...base, ...own, "b/d.yaml": { link: "x/d" }, "b/x/d": configMap("d") }, "b")).toEqual(["a", "d"]);
    expect(failure({ ...base, ...own, "b/d.yaml": { link: "../d" }, d: configMap("d") }, "b").code).toBe(
      "render-outside-root",
    );
  });

  it("count `..` in their targets from where links before it have led", () => {
    const files = {
      "kustomization.yaml": resources("l.yaml"),
      "l.yaml": { link: "d/../c.yaml" },
      d: { link: "e/f" },
      "e/f/x": "",
      "e/c.yaml": configMap("there"),
      "c.yaml": configMap("here"),
    };

    expect(build(files)).toEqual(["there"]);
  });

  it("do not hide a cycle, nor end in one of their own", () => {
    const cycle = { "b/kustomization.yaml": resources("l"), "b/l": { link: "../b" } };
    const loop = { "kustomization.yaml": resources("l"), l: { link: "m" }, m: { link: "l" } };

    expect(failure(cycle, "b").code).toBe("render-cycle");
    expect(failure(loop).code).toBe("render-missing-file");
  });

  it("never leave the source, whatever the load restrictor says", () => {
    for (const link of ["../../secret", "/etc/passwd"]) {
      const files = { "kustomization.yaml": resources("l.yaml"), "l.yaml": { link } };

      expect(failure(files, "", { allowFilesOutsideRoot: true }).code).toBe("render-outside-root");
      expect(failure(files, "", { allowFilesOutsideRoot: true, absoluteRoot: "/src" }).code).toBe(
        "render-outside-root",
      );
    }
  });

  it("are named in origins, not what is behind them", () => {
    const files = {
      "kustomization.yaml": resources("l"),
      l: { link: "b" },
      "b/kustomization.yaml": resources("c.yaml"),
      "b/c.yaml": configMap("a"),
    };

    const { objects } = renderKustomization(new MemoryTree(files), "");

    expect(objects[0]?.origin.file).toBe("l/c.yaml");
  });
});

describe("the kustomization file", () => {
  it("is not there when a link leads to one outside of the folder", () => {
    const files = { "b/kustomization.yaml": { link: "../k.yaml" }, "k.yaml": resources("c.yaml") };
    const other = { "b/kustomization.yml": resources("c.yaml"), "b/c.yaml": configMap("a") };

    expect(failure(files, "b").code).toBe("render-missing-kustomization");
    expect(build({ ...files, "b/c.yaml": configMap("a") }, "b", { allowFilesOutsideRoot: true })).toEqual(["a"]);
    expect(build({ ...files, ...other }, "b")).toEqual(["a"]);
  });

  it("may be UTF-16 with a mark, like the files it names", () => {
    const wide = (text: string): Uint8Array => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, "utf16le")]);

    const names = build({ "kustomization.yaml": wide(resources("c.yaml")), "c.yaml": wide(configMap("a")) });

    expect(names).toEqual(["a"]);
  });
});

describe("the size of a build", () => {
  it.each(["resources", "components", "transformers"] as const)("is 500 levels of %s at most", (field) => {
    expect(build(chain(500, field), "o500")).toEqual([]);
    expect(failure(chain(501, field), "o501")).toMatchObject({
      code: "render-too-deep",
      details: { line: 1 + Number(field === "components") },
    });
    expect(failure(chain(10_000, field), "o10000").code).toBe("render-too-deep");
  });

  it("does not double with every level that lists the one below twice", () => {
    const files: Record<string, string> = { "o0/kustomization.yaml": "namePrefix: x\n" };
    for (let i = 1; i <= 60; i++) files[`o${i}/kustomization.yaml`] = resources(`../o${i - 1}`, `../o${i - 1}`);

    expect(failure(files, "o60").code).toBe("render-too-large");
  });
});
