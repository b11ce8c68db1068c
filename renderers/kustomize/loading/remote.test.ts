import { describe, expect, it } from "vitest";
import { AppError } from "../../../runtime/errors.ts";
import { MemoryTree, type TreeFiles } from "../../memory-tree.ts";
import type { RenderWarning } from "../../rendered.ts";
import { placeBelow } from "../build-metadata.ts";
import { renderKustomization } from "../render.ts";
import { meansFile, parseRemoteReference, type RemoteContents, type RemoteReference } from "./remote.ts";

describe("a remote reference", () => {
  it.each([
    // Two segments without a marker; GitHub in every spelling.
    ["https://example.com/org/repo/some/dir", "https://example.com/org/repo", "some/dir"],
    ["https://example.com/org/repo", "https://example.com/org/repo", ""],
    ["GitHub.com/org/repo/dir", "https://github.com/org/repo", "dir"],
    ["github.com:org/repo", "https://github.com/org/repo", ""],
    ["http://github.com/org/repo", "https://github.com/org/repo", ""],
    ["git@github.com/org/repo/dir", "git@github.com:org/repo", "dir"],
    ["ssh://git@github.com/org/repo//dir", "git@github.com:org/repo", "dir"],
    ["ssh://org-1@github.com/org/repo", "org-1@github.com:org/repo", ""],
    ["hTTps://example.com/org/repo", "https://example.com/org/repo", ""],
    // Markers, in the order in which they count.
    ["https://host/a/b/c//dir/x", "https://host/a/b/c", "dir/x"],
    ["https://host/a/b/c.git/dir", "https://host/a/b/c.git", "dir"],
    ["https://host/a/b.git//dir", "https://host/a/b.git", "dir"],
    ["https://dev.azure.com/org/project/_git/repo/dir", "https://dev.azure.com/org/project/_git/repo", "dir"],
    ["https://u@dev.azure.com/org/project/_git/repo//dir", "https://u@dev.azure.com/org/project/_git/repo", "dir"],
    ["https://gist.github.com/0123abcd.git", "https://gist.github.com/0123abcd.git", ""],
    // Other ways to a repository.
    ["git@host.example:group/sub/repo.git//dir", "git@host.example:group/sub/repo.git", "dir"],
    ["git@host.example/group:x/repo.git/dir", "git@host.example/group:x/repo.git", "dir"],
    ["ssh://git@host.example:7999/org/repo.git", "ssh://git@host.example:7999/org/repo.git", ""],
    ["file:///srv/git/repo", "file:///srv/git/repo", ""],
    ["file:///srv/git/repo//dir", "file:///srv/git/repo", "dir"],
    ["git::https://host/org/repo", "https://host/org/repo", ""],
    ["git::git@github.com:org/repo", "git@github.com:org/repo", ""],
    ["https://host/org/repo//dir/../other", "https://host/org/repo", "dir/../other"],
  ])("%s", (entry, repository, path) => {
    expect(parseRemoteReference(entry)).toMatchObject({ entry, repository, path, ref: "" });
  });

  it.each([
    "/tmp/org/repo",
    "../../org/repo",
    "org/repo",
    "src/github.com/org/repo",
    "gh:org/repo",
    "ftp://host/org/repo",
    "git::org/repo",
    "github.com!org/repo.git//dir",
    "https://github.com/file.yaml",
    "https://host",
    "https://host?ref=a/b/c",
    "file:////srv//dir",
    "ssh://host",
    "git@ssh://github.com/org/repo.git//dir",
    "https://host/org/repo.git//dir/../../out",
    "https://host/org/repo//../out",
  ])("%s is none", (entry) => {
    expect(parseRemoteReference(entry)).toBeUndefined();
  });

  it.each([
    ["", "", true, 27_000],
    ["ref=v1.0.0", "v1.0.0", true, 27_000],
    ["ref=kustomize/v4", "kustomize/v4", true, 27_000],
    ["version=a&ref=b", "b", true, 27_000],
    ["version=a&ref=", "a", true, 27_000],
    ["ref=a&ref=b", "a", true, 27_000],
    ["ref=a%2Bb+c", "a+b c", true, 27_000],
    ["submodules=false", "", false, 27_000],
    ["submodules=0&timeout=61", "", false, 61_000],
    ["submodules=maybe&timeout=1m1s", "", true, 61_000],
    ["timeout=0", "", true, 27_000],
    ["timeout=-5s", "", true, 27_000],
    ["timeout=jiffy", "", true, 27_000],
    ["ref=a;b", "", true, 27_000],
    ["ref=a&x=%zz", "", true, 27_000],
  ])("reads the query %j", (query, ref, submodules, timeoutMs) => {
    expect(parseRemoteReference(`https://host/org/repo?${query}`)).toMatchObject({ ref, submodules, timeoutMs });
  });

  it("over http(s) means a file where it is called like one", () => {
    const files = ["https://host/a/b/c.yaml", "https://host/a/b/v1/c.json", "https://host/c", "http:x"];
    const repositories = [
      "https://host/a/b",
      "https://host/a/b/c.yaml?ref=v1",
      "https://host/a//c.yaml",
      "https://host/a.git/c.yaml",
    ];

    expect(files.map(meansFile)).toEqual(files.map(() => true));
    expect(repositories.map(meansFile)).toEqual(repositories.map(() => false));
  });
});

describe("the origin of what an entry names", () => {
  it.each([
    ["", "https://host/org/repo//app/?ref=v1", { path: "app", repo: "https://host/org/repo", ref: "v1" }],
    ["", "git::https://host/org/repo?ref=v1", { path: "notCloned", repo: "https://host/org/repo", ref: "v1" }],
    ["base", "git@host:org/repo.git//.", { path: "notCloned", repo: "git@host:org/repo.git" }],
    ["base", "git@x:y.yaml/", { path: "notCloned", repo: "git@x:y.yaml/" }],
    ["base", "https://host/org/repo/v1/c.yaml", { path: "v1/c.yaml", repo: "https://host/org/repo" }],
    ["base", "https://host/c.yaml", { path: "base/https:/host/c.yaml" }],
    ["../base", "../app//./c.yaml", { path: "../app/c.yaml" }],
    ["../x", "../../y", { path: "../../y" }],
  ])("from %j by %s", (path, entry, origin) => {
    expect(placeBelow({ path }, entry)).toEqual(origin);
  });

  it("stays in its repository", () => {
    const repository = { path: "app", repo: "https://host/org/repo", ref: "v1" };

    expect(placeBelow(repository, "../other/c.yaml")).toEqual({ ...repository, path: "other/c.yaml" });
    expect(placeBelow(repository, "https://host/org/x//y")).toEqual({ path: "y", repo: "https://host/org/x" });
  });
});

const REPOSITORY: TreeFiles = {
  "app/kustomization.yaml":
    "namePrefix: p-\nresources: [c.yaml, ../other]\nconfigMapGenerator: [{name: g, literals: [a=b]}]\n",
  "app/c.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
  "other/kustomization.yaml": "resources: [x.yaml]\n",
  "other/x.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n",
  "out/kustomization.yaml": "resources: [../../x]\n",
  "link/kustomization.yaml": "resources: [l.yaml]\n",
  "link/l.yaml": { link: "../app/c.yaml" },
  "again/kustomization.yaml": "resources: ['https://host/org/repo//again?ref=v1']\n",
  "more/kustomization.yaml": "resources: ['https://host/org/repo//other?ref=v2']\n",
  "sub/kustomization.yaml": "resources: [../vendor/lib]\n",
  ".gitmodules": '[submodule "lib"]\n\tpath = vendor/lib\n\turl = https://host/lib\n',
};

function build(kustomization: string, remotes?: RemoteContents) {
  const tree = new MemoryTree({ "kustomization.yaml": kustomization, "app/c.yaml": "" });
  return renderKustomization(tree, "", { remotes, allowFilesOutsideRoot: true });
}

function failure(kustomization: string, remotes?: RemoteContents): AppError {
  try {
    build(kustomization, remotes);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("the build succeeds");
}

function contents(asked: RemoteReference[] = []): RemoteContents {
  return {
    base: (reference) => {
      asked.push(reference);
      return { tree: new MemoryTree(REPOSITORY) };
    },
    file: (url) => Buffer.from(`apiVersion: v1\nkind: ConfigMap\nmetadata: {name: f}\ndata: {url: "${url}"}\n`),
  };
}

describe("a remote base", () => {
  it("is refused, with what to do, unless remotes are given", () => {
    const error = failure("resources:\n- https://host/org/repo?ref=v1\n");

    expect(error).toMatchObject({ code: "render-remote-refused", details: { file: "kustomization.yaml", line: 2 } });
    expect(error.message).toContain("--allow-remote-bases");
    for (const entry of ["git@host:org/repo.git", "github.com/org/repo", "file:///srv/repo", "https://host/c.yaml"]) {
      expect(failure(`resources: ["${entry}"]\n`).code).toBe("render-remote-refused");
    }
  });

  it("is built in its own repository, and says where its objects come from", () => {
    const asked: RemoteReference[] = [];
    const result = build(
      "resources: ['https://host/org/repo//app?ref=v1']\nbuildMetadata: [originAnnotations, transformerAnnotations]\n",
      contents(asked),
    );

    expect(asked.map(({ repository, path, ref }) => [repository, path, ref])).toEqual([
      ["https://host/org/repo", "app", "v1"],
    ]);
    expect(result.objects.map(({ object, origin }) => [object.metadata.name, origin.file])).toEqual([
      ["p-a", "https://host/org/repo//app/c.yaml?ref=v1"],
      [expect.stringMatching(/^p-g-/), "https://host/org/repo//app/kustomization.yaml?ref=v1"],
      ["p-x", "https://host/org/repo//other/x.yaml?ref=v1"],
    ]);
    const annotations = result.objects.map(({ object }) => object.metadata.annotations ?? {});
    expect(annotations[0]?.["config.kubernetes.io/origin"]).toBe(
      "path: app/c.yaml\nrepo: https://host/org/repo\nref: v1\n",
    );
    expect(annotations[1]?.["config.kubernetes.io/origin"]).toBe(
      "repo: https://host/org/repo\nref: v1\nconfiguredIn: app/kustomization.yaml\nconfiguredBy:\n  apiVersion: builtin\n  kind: ConfigMapGenerator\n",
    );
  });

  it.each([
    ["a folder outside", "out", "render-outside-root"],
    ["a file outside of its folder, even without load restrictor", "link", "render-outside-root"],
    ["itself", "again", "render-cycle"],
    ["a submodule", "sub", "render-missing-file"],
    ["nothing", "nope", "render-missing-file"],
    ["a file", "app/c.yaml", "render-missing-directory"],
  ])("may not lead to %s", (_, path, code) => {
    expect(failure(`resources: ['https://host/org/repo//${path}?ref=v1']\n`, contents()).code).toBe(code);
  });

  it("names the submodule that it would need", () => {
    for (const path of ["sub", "vendor/lib"]) {
      const error = failure(`resources: ['https://host/org/repo//${path}?ref=v1']\n`, contents());

      expect(error.message).toContain("Git submodule vendor/lib, and submodules are not fetched");
    }
  });

  it("may name another", () => {
    const asked: RemoteReference[] = [];

    const { objects } = build("resources: ['https://host/org/repo//more?ref=v1']\n", contents(asked));

    expect(asked.map(({ ref }) => ref)).toEqual(["v1", "v2"]);
    expect(objects.map(({ origin }) => origin.file)).toEqual(["https://host/org/repo//other/x.yaml?ref=v2"]);
  });

  it("warns of the prefix git::", () => {
    const { warnings } = build("resources: ['git::https://host/org/repo//other?ref=v1']\n", contents());

    expect(warnings.map(({ code }: RenderWarning) => code)).toEqual(["forced-git-protocol"]);
  });

  it("fails as fetching it failed, with the place that names it", () => {
    const remotes: RemoteContents = {
      ...contents(),
      base: () => {
        throw new AppError("git-unreachable", "cannot reach https://host", { recovery: "wait", afterMs: 5 });
      },
    };

    const error = failure("namePrefix: a\nresources:\n- https://host/org/repo?ref=v1\n", remotes);

    expect(error).toMatchObject({ code: "git-unreachable", recovery: "wait", afterMs: 5 });
    expect(error.message).toBe("kustomization.yaml:3:3: cannot reach https://host");
  });
});

describe("a remote file", () => {
  it("may stand wherever a file may", () => {
    const text = [
      "resources: ['https://host/org/repo/v1/f.yaml']",
      "patches: [{path: 'https://host/patch.yaml'}]",
      "configMapGenerator: [{name: g, files: ['k=https://host/data']}]",
    ].join("\n");

    const { objects } = build(text, contents());

    expect(objects.map(({ object }) => object["data"])).toEqual([
      { url: "https://host/patch.yaml" },
      { k: expect.stringContaining("https://host/data") },
    ]);
    expect(objects[0]?.origin.file).toBe("https://host/org/repo/v1/f.yaml");
  });
});
