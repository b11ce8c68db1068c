import { describe, expect, it } from "vitest";
import { MemoryTree } from "./memory-tree.ts";
import { render } from "./render.ts";

const CONFIG = (name: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n`;
const FILES = {
  "plain/a.yaml": CONFIG("a"),
  "plain/below/kustomization.yaml": "namePrefix: k-\nresources: [b.yaml]\n",
  "plain/below/b.yaml": CONFIG("b"),
  "kust/kustomization.yaml": "resources: [../plain/below, c.yaml]\n",
  "kust/c.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: c}\n",
};

function names(path: string, options = {}): string[] {
  return render(new MemoryTree(FILES), path, options).objects.map(({ object }) => object.metadata.name ?? "");
}

describe("render", () => {
  it("builds a folder that has a kustomization, and reads any other as plain", () => {
    expect(render(new MemoryTree(FILES), "kust").renderer).toBe("kustomize");
    expect(names("kust")).toEqual(["c", "k-b"]);
    expect(render(new MemoryTree(FILES), "/plain/").renderer).toBe("plain");
  });

  it("builds kustomizations that a plain folder contains", () => {
    expect(names("plain")).toEqual(["a", "k-b"]);
  });

  it("reads every file of a plain folder when it is told to", () => {
    const files = {
      "a.yaml": CONFIG("a"),
      "b/kustomization.yml": "kind: Kustomization\napiVersion: kustomize.config.k8s.io/v1beta1\n",
    };

    const { objects, warnings } = render(new MemoryTree(files), "", { renderer: "plain" });

    expect(objects).toHaveLength(1);
    expect(warnings).toHaveLength(1);
  });

  it.each(["kust", "plain"])("puts namespaced objects of %s into the target namespace", (path) => {
    const { objects } = render(new MemoryTree(FILES), path, { targetNamespace: "team" });

    expect(objects.map(({ object }) => object.metadata.namespace)).toEqual(
      objects.map(({ object }) => (object.kind === "Namespace" ? undefined : "team")),
    );
  });

  it("refuses an object that kustomize would print but no server would take", () => {
    const tree = new MemoryTree({
      "kustomization.yaml": "resources: [a.yaml]\n",
      "a.yaml": "kind: X\nmetadata: {name: x}\n",
    });

    expect(() => render(tree, "")).toThrow("a.yaml:1: the X has no apiVersion");
  });
});
