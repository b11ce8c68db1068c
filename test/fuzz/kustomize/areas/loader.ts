// Where files and bases lie, and all the ways to name them: links, detours, odd names, encodings, kustomization files.
import { posix } from "node:path";
import type { TreeFiles } from "../../../../renderers/memory-tree.ts";
import type { Random } from "../../../../runtime/random.ts";
import type { Area, GeneratedKustomization } from "../area.ts";

const FOLDERS = ["app", "base", "lib", "x.y", "deep/er", "deep/er/est", "app/sub", "base/with space", "k8s-v1.2/in"];
const FILES = [
  "c.yaml",
  "a..b.yaml",
  "...yaml",
  "with space.yaml",
  "ümlaut.yml",
  "plain",
  ".hidden.yaml",
  "c.yaml?ref=v1",
  "c.yaml#x",
  "a:b.yaml",
  "git@x:y.yaml",
  "back\\slash.yaml",
  "%2e.yaml",
  "sub/c.yaml",
  "sub.d/deeper/c.json",
  "kustomization",
];
const KUSTOMIZATIONS = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

type Content = TreeFiles[string];

interface Folder {
  readonly path: string;
  readonly kustomization: string;
  readonly isComponent: boolean;
  /** Lists of entries by field. */
  readonly fields: Map<string, string[]>;
}

class LoaderTree {
  readonly files: Record<string, Content> = {};
  readonly #random: Random;
  #objects = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  folder(path: string, isComponent: boolean): Folder {
    const kustomization = posix.join(path, this.#random.pick(KUSTOMIZATIONS));
    const folder = { path, kustomization, isComponent, fields: new Map<string, string[]>() };
    for (let count = 1 + this.#random.below(2); count > 0; count--) this.addFile(folder);
    return folder;
  }

  list(folder: Folder, field: string, entry: string): void {
    folder.fields.set(field, [...(folder.fields.get(field) ?? []), entry]);
  }

  /** A resource, a patch or the data of a generator, at its own place or behind a link. */
  addFile(folder: Folder): void {
    const name = this.#random.pick(FILES);
    const path = posix.join(folder.path, name);
    if (path in this.files) return;
    const text = configMap(`c${this.#objects++}`);
    this.files[path] = text;
    if (!this.#random.chance(0.3)) {
      this.list(folder, "resources", this.spell(name));
      return;
    }
    const link = `l${this.#objects}.yaml`;
    this.files[posix.join(folder.path, link)] = { link: this.#random.chance(0.5) ? name : `./x/../${name}` };
    // A link's target goes over real folders only.
    if (this.files[posix.join(folder.path, "x/.keep")] === undefined)
      this.files[posix.join(folder.path, "x/.keep")] = "";
    this.list(folder, "resources", link);
  }

  /** Another way to say the same path. */
  spell(entry: string): string {
    return this.#random.pick([
      () => entry,
      () => entry,
      () => `./${entry}`,
      () => `nowhere/../${entry}`,
      () => `${entry}/`,
      () => entry.replaceAll("/", "//"),
      () => `.//./${entry}`,
    ])();
  }

  base(from: Folder, to: Folder): void {
    const entry = posix.relative(from.path, to.path);
    const field = to.isComponent ? "components" : this.#random.chance(0.1) ? "bases" : "resources";
    if (!this.#random.chance(0.3)) {
      this.list(from, field, this.spell(entry));
      return;
    }
    const link = `link${this.#objects++}`;
    this.files[posix.join(from.path, link)] = { link: entry };
    this.list(from, field, this.spell(link));
  }

  write(folder: Folder, more: string): void {
    const lists = [...folder.fields].map(([field, entries]) => `${field}: ${JSON.stringify(entries)}\n`);
    const kind = folder.isComponent ? "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\n" : "";
    this.files[folder.kustomization] = this.#encode(`${kind}${lists.join("")}${more}`);
  }

  #encode(text: string): Content {
    return this.#random.pick<() => Content>([
      () => text,
      () => text,
      () => text,
      () => text.replaceAll("\n", "\r\n"),
      () => `\ufeff${text}`,
      () => Buffer.from(`\ufeff${text}`, "utf16le"),
      () => Buffer.from(`\ufeff${text}`, "utf16le").swap16(),
    ])();
  }
}

function configMap(name: string): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n`;
}

/** One thing that is not as it should be, in the folder that is built, so that it is always come upon. */
function addFault(tree: LoaderTree, root: Folder, random: Random): void {
  const { files } = tree;
  const own = (name: string): string => posix.join(root.path, name);
  // At the front, so that nothing else can fail before it.
  const put = (field: string, entry: string): void => {
    root.fields.set(field, [entry, ...(root.fields.get(field) ?? [])]);
  };
  random.pick<() => void>([
    () =>
      put("resources", random.pick(["absent.yaml", "absent/", "../absent", "absent/c.yaml", "C.yaml", "b\\c.yaml"])),
    () => put("resources", random.pick(["", ".", "./", "x/..", ".."])),
    () => put("resources", random.pick(["/absent", "a..b", "...", "x/a../y", "- ../base"])),
    () => put("components", random.pick(["absent", ".", "/absent", "a..b"])),
    () => put("configurations", random.pick(["absent.yaml", "x"])),
    () => {
      files[own("x/.keep")] = "";
      put("resources", "x");
    },
    () => {
      files[own("loop")] = { link: "pool" };
      files[own("pool")] = { link: "loop" };
      put("resources", "loop");
    },
    () => {
      files[own("dangling")] = { link: "absent" };
      put("resources", "dangling/c.yaml");
    },
    () => {
      files["outside.yaml"] = configMap("outside");
      put("resources", posix.relative(root.path, "outside.yaml"));
    },
    () => {
      files["outside.yaml"] = configMap("outside");
      files[own("linked.yaml")] = { link: posix.relative(root.path, "outside.yaml") };
      put("resources", "linked.yaml");
    },
    () => {
      files[own("self")] = { link: "." };
      put("resources", "self");
    },
    () => {
      files[own("file.yaml")] = configMap("file");
      put("components", "file.yaml");
    },
    () => {
      files[own("comp/kustomization.yaml")] = "kind: Component\nnamePrefix: a-\n";
      put("resources", "comp");
    },
    () => {
      files[own("plainbase/kustomization.yaml")] = "namePrefix: a-\n";
      put("components", "plainbase");
    },
    () => {
      const other = KUSTOMIZATIONS.find((name) => own(name) !== root.kustomization) ?? "";
      files[own(other)] = random.pick<Content>(["namePrefix: a-\n", "", { link: posix.basename(root.kustomization) }]);
    },
    () => {
      // Not there for kustomize: a folder, or behind a link to elsewhere.
      const other = KUSTOMIZATIONS.find((name) => own(name) !== root.kustomization) ?? "";
      if (random.chance(0.5)) files[own(`${other}/x`)] = "";
      else {
        files["elsewhere.yaml"] = "namePrefix: a-\n";
        files[own(other)] = { link: posix.relative(root.path, "elsewhere.yaml") };
      }
    },
  ])();
}

export const loader: Area = {
  name: "loader",
  generate(random: Random): GeneratedKustomization {
    const tree = new LoaderTree(random);
    const paths = [...FOLDERS].sort(() => random.next() - 0.5).slice(0, 2 + random.below(4));
    const folders: Folder[] = [];
    for (const path of paths) {
      // A base that holds the folder that names it would be a cycle.
      const holds = folders.some((other) => `${other.path}/`.startsWith(`${path}/`));
      if (!holds) folders.push(tree.folder(path, folders.length > 0 && random.chance(0.25)));
    }
    const [root] = folders;
    if (root === undefined) throw new Error("there is a folder");
    // A tree of bases: none is met twice, so that no object is.
    folders.slice(1).forEach((folder, i) => {
      const parents = folders.slice(0, i + 1).filter(({ isComponent }) => folder.isComponent || !isComponent);
      tree.base(random.pick(parents), folder);
    });
    if (random.chance(0.35)) addFault(tree, root, random);
    for (const folder of folders.slice(1)) tree.write(folder, random.chance(0.3) ? "namePrefix: p-\n" : "");
    const origins = random.chance(0.4) ? "buildMetadata: [originAnnotations]\n" : "";
    tree.write(root, `${origins}${random.chance(0.3) ? "nameSuffix: -s\n" : ""}`);
    const args = random.chance(0.25) ? ["--load-restrictor", "LoadRestrictionsNone"] : [];
    return { files: tree.files, path: root.path, args };
  },
};
