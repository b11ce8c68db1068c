import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GitFixture } from "../../../test/git-fixture.ts";
import { hasGit, startGitServer } from "../../../test/git-server.ts";
import { type Ran, runFlaghoist } from "../../../test/run-flaghoist.ts";
import { EXIT } from "../command.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "render-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

function render(...args: string[]): Promise<Ran> {
  return renderIn(".", "", ...args);
}

function renderIn(path: string, input: string, ...args: string[]): Promise<Ran> {
  return runFlaghoist(["render", ...args], { cwd: join(folder, path), input });
}

const WEB = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n";
const BASE = { "base/kustomization.yaml": "resources: [web.yaml]\n", "base/web.yaml": WEB };
const OVERLAY = { ...BASE, "overlay/kustomization.yaml": "resources: [../base]\nnamePrefix: my-\n" };
const MY_WEB = "apiVersion: v1\nkind: Service\nmetadata:\n  name: my-web\n";

describe("flaghoist render of a folder", () => {
  it.each([
    [".", "overlay"],
    [".", "./overlay/"],
    ["overlay", "."],
    ["overlay", undefined],
    ["base", "../overlay"],
  ])("in %s takes the path %s, with bases beside it and no .git above", async (cwd, path) => {
    write(OVERLAY);

    expect(await renderIn(cwd, "", ...(path === undefined ? [] : [path]))).toEqual({ code: 0, out: MY_WEB, err: "" });
  });

  it("takes an absolute path", async () => {
    write(OVERLAY);

    expect(await renderIn("/base", "", join(folder, "overlay"))).toMatchObject({ code: 0, out: MY_WEB });
  });

  it("follows links, absolute ones too, as long as files stay in their kustomization's folder", async () => {
    write({
      ...BASE,
      "overlay/kustomization.yaml": "resources: [link, near.yaml]\n",
      "overlay/real.yaml": WEB.replace("web", "near"),
    });
    symlinkSync(join(folder, "base"), join(folder, "overlay/link"));
    symlinkSync("real.yaml", join(folder, "overlay/near.yaml"));

    const { code, out } = await render("overlay");

    expect(code).toBe(EXIT.ok);
    expect(out).toContain("name: near");
    expect(out).toContain("name: web");
  });

  it("refuses a link to a file elsewhere, unless asked not to", async () => {
    write({ ...BASE, "overlay/kustomization.yaml": "resources:\n- web.yaml\n" });
    symlinkSync("../base/web.yaml", join(folder, "overlay/web.yaml"));

    expect(await render("overlay")).toMatchObject({ code: EXIT.failed, out: "" });
    expect((await render("overlay", "--load-restrictor", "LoadRestrictionsNone")).out).toContain("name: web");
  });

  it("reads nothing outside of --root", async () => {
    write(OVERLAY);

    expect((await render("overlay", "--root", ".")).out).toBe(MY_WEB);
    expect(await render("overlay", "--root", "overlay")).toMatchObject({ code: EXIT.failed, out: "" });
  });

  it("tells the file and line of an error as one would open it", async () => {
    write({ ...OVERLAY, "base/kustomization.yaml": "resources:\n- web.yaml\n- wbe.yaml\n" });

    expect(await render("overlay")).toMatchObject({
      code: 1,
      out: "",
      err: expect.stringMatching(/^flaghoist render: base\/kustomization\.yaml:3:\d+: "wbe\.yaml"/),
    });
    expect(await renderIn("overlay", "")).toMatchObject({
      err: expect.stringMatching(/^flaghoist render: \.\.\/base\/kustomization\.yaml:3:\d+: /),
    });
  });

  it("prints an object without apiVersion as it is", async () => {
    write({ "kustomization.yaml": "resources: [a.yaml]", "a.yaml": "kind: Thing\nmetadata: {name: x}\n" });

    expect(await render()).toEqual({ code: 0, out: "kind: Thing\nmetadata:\n  name: x\n", err: "" });
  });

  it("says warnings of a build that fails", async () => {
    write({ "kustomization.yaml": "bases: [nowhere]\n" });

    expect(await render()).toMatchObject({ code: 1, err: expect.stringMatching(/^# Warning: .*\nflaghoist render: /) });
  });

  it.each([
    ["missing", "there is no folder missing"],
    ["", "there is no folder with an empty name"],
    ["base/kustomization.yaml", "base/kustomization.yaml is a file"],
    ["empty", "empty holds neither a kustomization.yaml nor manifests"],
  ])("fails for %j", async (path, words) => {
    write(BASE);
    mkdirSync(join(folder, "empty"));

    expect(await render(path)).toMatchObject({ code: 1, out: "", err: expect.stringContaining(words) });
  });

  it("without a kustomization renders as a Sync does", async () => {
    write({
      "apps/a.yaml": WEB,
      "apps/below/kustomization.yaml": "resources: [b.yaml]\nnamePrefix: my-\n",
      "apps/below/b.yaml": WEB,
    });

    expect(await render("apps")).toMatchObject({
      code: 0,
      out: expect.stringMatching(/name: web\n---\n[\s\S]*name: my-web\n/),
    });
    for (const args of [["--renderer", "kustomize"], ["--enable-helm"], ["--load-restrictor="]])
      expect(await render("apps", ...args)).toMatchObject({
        code: 1,
        out: "",
        err: expect.stringContaining("apps has no kustomization.yaml"),
      });
    expect(await render("apps", "--renderer", "auto", "--enable-helm")).toMatchObject({ code: 0 });
  });
});

describe("flaghoist render with the flags of kustomize build", () => {
  const TWO =
    "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n";

  it("orders the objects as --reorder says, and that the flag is deprecated", async () => {
    write({ "kustomization.yaml": "resources: [a.yaml]", "a.yaml": TWO });

    expect((await render()).out).toMatch(/Namespace[\s\S]*Service/);
    const { out, err } = await render("--reorder=none");

    expect(out).toMatch(/Service[\s\S]*Namespace/);
    expect(err).toBe(
      "Flag --reorder has been deprecated, use the new 'sortOptions' field in kustomization.yaml instead.\n",
    );
  });

  it("lets sortOptions overrule --reorder, and says so", async () => {
    write({ "kustomization.yaml": "resources: [a.yaml]\nsortOptions: {order: fifo}", "a.yaml": TWO });

    const { out, err } = await render("--reorder", "legacy");

    expect(out).toMatch(/Service[\s\S]*Namespace/);
    expect(err).toContain("Using the kustomization file over the CLI flag.\n");
  });

  it.each([
    [["--enable-managedby-label"], {}],
    [[], { KUSTOMIZE_ENABLE_MANAGEDBY_LABEL: "on" }],
  ])("adds the label of the manager for %j %j", async (args, env) => {
    write(OVERLAY);

    const { out } = await runFlaghoist(["render", "overlay", ...args], { cwd: folder, env });

    expect(out).toContain("app.kubernetes.io/managed-by: kustomize-v5");
  });

  it("takes flags for programs, and runs none", async () => {
    write(OVERLAY);

    const args = [
      "--enable-alpha-plugins",
      "--enable-exec=true",
      "--network",
      "--network-name=x",
      "--mount",
      "a",
      "-e",
      "A=1",
      "-eB",
      "--as-current-user",
    ];

    expect(await render("overlay", ...args)).toEqual({ code: 0, out: MY_WEB, err: "" });
  });

  it("writes one file", async () => {
    write(OVERLAY);

    expect(await render("overlay", "-o", "out.yaml")).toEqual({ code: 0, out: "", err: "" });
    expect(readFileSync(join(folder, "out.yaml"), "utf8")).toBe(MY_WEB);
    expect(await render("overlay", "-o", "")).toMatchObject({ out: MY_WEB });
  });

  it("writes a file per object into an existing folder", async () => {
    write({ "kustomization.yaml": "resources: [a.yaml]", "a.yaml": TWO });
    mkdirSync(join(folder, "out"));

    expect(await render("-o", "out")).toEqual({ code: 0, out: "", err: "" });
    expect(readdirSync(join(folder, "out"))).toEqual(["v1_namespace_a.yaml", "v1_service_web.yaml"]);
    expect(readFileSync(join(folder, "out/v1_service_web.yaml"), "utf8")).toBe(MY_WEB.replace("my-", ""));
  });

  it("names the files after their namespaces where there are several", async () => {
    write({
      "kustomization.yaml": "resources: [a.yaml]",
      "a.yaml": `${TWO}---\n${WEB.replace("web", "web, namespace: Shop")}`,
    });
    mkdirSync(join(folder, "out"));
    await render("-o", "out");

    expect(readdirSync(join(folder, "out"))).toEqual([
      "default_v1_service_web.yaml",
      "shop_v1_service_web.yaml",
      "v1_namespace_a.yaml",
    ]);
  });

  it("writes nothing at all when an object's name leads out of the folder", async () => {
    write({
      "kustomization.yaml": "resources: [a.yaml]",
      "a.yaml": `${TWO}---\n${WEB.replace("web", "x/../../evil")}`,
    });
    mkdirSync(join(folder, "out"));

    expect(await render("-o", "out")).toMatchObject({ code: 1, err: expect.stringContaining("no file can be called") });
    expect(readdirSync(join(folder, "out"))).toEqual([]);
    expect(existsSync(join(folder, "evil.yaml"))).toBe(false);
  });

  it.each([
    [["--reorder=best"], "--reorder takes legacy or none"],
    [["--load-restrictor", "none"], "--load-restrictor takes LoadRestrictionsRootOnly or LoadRestrictionsNone"],
    [["-o", "missing/out.yaml"], "missing/out.yaml cannot be written: ENOENT"],
    [["-o", "json"], "-o takes a path: for data use --format json"],
    [["overlay", "base"], "specify one folder"],
    [["--nonsense"], "--nonsense"],
    [["--format", "xml"], '--format takes yaml or json, not "xml"'],
  ])("fails with code 1 for %j", async (args, words) => {
    write({ ...OVERLAY, "kustomization.yaml": "resources: [overlay]" });

    expect(await render(...args)).toMatchObject({ code: 1, out: "", err: expect.stringContaining(words) });
  });

  it("prints a List as JSON", async () => {
    write(OVERLAY);

    const { out } = await render("overlay", "--format", "json");

    expect(JSON.parse(out)).toEqual({
      apiVersion: "v1",
      kind: "List",
      items: [{ apiVersion: "v1", kind: "Service", metadata: { name: "my-web" } }],
    });
  });
});

describe("flaghoist render --origins", () => {
  beforeEach(() =>
    write({
      ...BASE,
      "overlay/kustomization.yaml": "resources: [../base]\nnamePrefix: my-\npatches: [{path: port.yaml}]\n",
      "overlay/port.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {type: NodePort}\n",
    }),
  );

  it("tells of each object what wrote it, in files as one would open them", async () => {
    const { out } = await renderIn("overlay", "", "--origins", "objects");

    expect(out).toBe(
      [
        "v1 Service my-web",
        "  ../base/web.yaml:1",
        "  kustomization.yaml:3 patches[0] port.yaml (PatchTransformer)",
        "  kustomization.yaml:2 namePrefix (PrefixTransformer)\n",
      ].join("\n"),
    );
  });

  it("tells of each field who wrote it, one line each", async () => {
    const { out } = await render("overlay", "--origins=fields");

    expect(out).toMatch(/^ {2}\/kind +base\/web\.yaml:1$/m);
    expect(out).toMatch(/^ {2}\/metadata\/name +overlay\/kustomization\.yaml:2 namePrefix \(PrefixTransformer\)$/m);
    expect(out).toMatch(
      /^ {2}\/spec\/type +overlay\/kustomization\.yaml:3 patches\[0\] overlay\/port\.yaml \(PatchTransformer\)$/m,
    );
  });

  it("gives data on request", async () => {
    const { out } = await render("overlay", "--origins", "fields", "--format", "json");

    expect(JSON.parse(out)).toMatchObject([
      {
        kind: "Service",
        name: "my-web",
        writers: [{ by: "File", file: "base/web.yaml", line: 1 }, {}, { by: "PrefixTransformer", field: "namePrefix" }],
        fields: { "/spec/type": { by: "PatchTransformer", patch: "overlay/port.yaml" } },
      },
    ]);
    expect((await render("base", "--origins", "objects", "--format", "yaml")).out).toBe(
      "- apiVersion: v1\n  kind: Service\n  name: web\n  writers:\n  - by: File\n    file: base/web.yaml\n    line: 1\n",
    );
  });

  it("of a folder without a kustomization tells the files", async () => {
    write({ "plain/web.yaml": WEB });

    expect((await render("plain", "--origins", "objects")).out).toBe("v1 Service web\n  plain/web.yaml:1\n");
  });
});

describe("flaghoist render of the examples", () => {
  it.each(["staging", "production"])("prints %s as recorded from kustomize", async (name) => {
    const cwd = join(import.meta.dirname, "../../../examples/kustomize/overlays", name);
    const expected = readFileSync(join(import.meta.dirname, `testdata/render/kustomize-${name}.yaml`), "utf8");

    expect(await runFlaghoist(["render"], { cwd })).toEqual({ code: EXIT.ok, out: expected, err: "" });
  });
});

describe("flaghoist render of a given kustomization", () => {
  it.each([[["-"]], [["-f", "-"]], [[".", "--kustomization", "-"]]])(
    "takes it from the standard input with %j",
    async (args) => {
      write({ ...OVERLAY, "overlay/kustomization.yml": "resources: [nowhere]\n" });

      expect(await renderIn("overlay", "{resources: [../base], namePrefix: my-}", ...args)).toEqual({
        code: 0,
        out: MY_WEB,
        err: "",
      });
    },
  );

  it("takes it from a file elsewhere, for a folder without one", async () => {
    write({ ...BASE, "elsewhere/k.yaml": "resources: [web.yaml]\nnamePrefix: my-\n", "plain/web.yaml": WEB });

    expect(await render("plain", "-f", "elsewhere/k.yaml")).toEqual({ code: 0, out: MY_WEB, err: "" });
  });

  it("names the standard input in errors", async () => {
    write(BASE);

    expect(await renderIn("base", "resources:\n- nope.yaml\n", "-")).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^flaghoist render: standard input:2:3: "nope\.yaml"/),
    });
    expect(await render("base", "-f", "missing.yaml")).toMatchObject({
      code: 1,
      err: expect.stringContaining("missing.yaml cannot be read"),
    });
  });
});

describe.runIf(hasGit())("flaghoist render --git", () => {
  let fixture: GitFixture;
  beforeEach(() => {
    fixture = new GitFixture();
    fixture.write({
      "deploy/base/kustomization.yaml": "resources: [web.yaml]\n",
      "deploy/base/web.yaml": WEB,
      "deploy/my/kustomization.yaml": "resources: [../base]\nnamePrefix: my-\n",
    });
    fixture.commit("first");
    fixture.git("tag", "v1");
    fixture.write({
      "deploy/my/kustomization.yaml": "resources: [../base]\nnamePrefix: our-\n",
      "deploy/out/kustomization.yaml": "resources: [link.yaml]\n",
      "deploy/out/link.yaml": { link: "/etc/hostname" },
    });
    fixture.commit("second");
  });
  afterEach(() => fixture.remove());

  it.each([
    [[], "our-web"],
    [["--ref", "v1"], "my-web"],
    [["--ref", "HEAD~1"], "my-web"],
    [["--ref", "main"], "our-web"],
  ])("renders a revision of a local repository: %j", async (ref, name) => {
    rmSync(join(fixture.work, "deploy"), { recursive: true });

    for (const repository of [fixture.work, `file://${fixture.work}`]) {
      const { code, out } = await render("--git", repository, ...ref, "deploy/my");

      expect(out).toContain(`name: ${name}\n`);
      expect(code).toBe(EXIT.ok);
    }
  });

  it("renders a branch, tag and commit of a server, and what an address names", async () => {
    fixture.git("push", "-q", "origin", "main", "v1");
    const first = fixture.git("rev-parse", "HEAD~1");
    const server = await startGitServer({ root: fixture.root });
    try {
      for (const [ref, name] of [
        [undefined, "our-web"],
        ["main", "our-web"],
        ["v1", "my-web"],
        [first, "my-web"],
      ]) {
        const args = [
          "render",
          "--git",
          `${server.url}/repo.git`,
          ...(ref === undefined ? [] : ["--ref", ref]),
          "deploy/my",
        ];
        const ran = await runFlaghoist(args, { cwd: folder, env: { XDG_CACHE_HOME: folder } });

        expect(ran).toMatchObject({ code: EXIT.ok, out: expect.stringContaining(`name: ${name}\n`) });
      }
      const address = `${server.url}/repo.git//deploy/my?ref=v1`;
      const ran = await runFlaghoist(["render", address], { cwd: folder, env: { XDG_CACHE_HOME: folder } });

      expect(ran).toEqual({ code: EXIT.ok, out: MY_WEB, err: "" });
    } finally {
      await server.close();
    }
  });

  it.each([
    [["deploy/out"], /deploy\/out\/kustomization\.yaml:1:\d+: .*symbolic link/],
    [["deploy/nowhere"], /has no folder deploy\/nowhere at sha1:[0-9a-f]{40}\n/],
    [["--ref", "v2", "deploy/my"], /v2/],
  ])("stays in the repository, and says what it has not: %j", async (args, words) => {
    expect(await render("--git", fixture.work, ...args)).toMatchObject({
      code: 1,
      out: "",
      err: expect.stringMatching(words),
    });
  });
});
