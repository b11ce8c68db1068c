import { describe, expect, it } from "vitest";
import { MemoryTree } from "../../renderers/memory-tree.ts";
import { AffectedFolders } from "./affected-folders.ts";

const FILES = {
  "base/kustomization.yaml": "resources: [web.yaml]\n",
  "base/web.yaml": "kind: Deployment\n",
  "shared/settings.env": "A=1\n",
  "parts/tls/kustomization.yaml": "kind: Component\npatches: [{path: ../patches/tls.yaml}]\n",
  "parts/patches/tls.yaml": "kind: Deployment\n",
  "apps/a/kustomization.yaml": "resources:\n- ../../base\n",
  "apps/b/kustomization.yaml": "configMapGenerator: [{name: b, envs: [../../shared/settings.env]}]\n",
  "apps/c/kustomization.yaml": "resources: [nested]\ncomponents: ['../../parts/tls']\n",
  "apps/c/nested/kustomization.yaml": "configMapGenerator: [{name: c, files: [s=../../../shared/settings.env]}]\n",
  "apps/d/web.yaml": "kind: Deployment\n",
  "apps/escaped/kustomization.yaml": 'resources: ["\\x2e\\x2e/\\x2e\\x2e/base"]\n',
  "apps/loop-1/kustomization.yaml": "resources: [../loop-2]\n",
  "apps/loop-2/kustomization.yaml": "resources: [../loop-1]\n",
};
const APPS = ["a", "b", "c", "d", "escaped"];

function affected(...changed: string[]): string[] {
  const folders = new AffectedFolders(new MemoryTree(FILES), changed);
  return APPS.filter((name) => folders.isAffected(`apps/${name}`));
}

describe("AffectedFolders", () => {
  it("finds a folder by a file in it, and no other", () => {
    expect(affected("apps/d/web.yaml")).toEqual(["d", "escaped"]);
    expect(affected("apps/dd/web.yaml", "readme.md")).toEqual(["escaped"]);
  });

  it("follows what kustomizations name elsewhere, through components and folders below", () => {
    expect(affected("base/web.yaml")).toEqual(["a", "escaped"]);
    expect(affected("shared/settings.env")).toEqual(["b", "c", "escaped"]);
    expect(affected("parts/patches/tls.yaml")).toEqual(["c", "escaped"]);
  });

  it("finds a folder by a file that is gone", () => {
    expect(affected("base/gone.yaml", "apps/d/gone.yaml")).toEqual(["a", "d", "escaped"]);
  });

  it("takes folders that name one another in a circle to be affected", () => {
    expect(new AffectedFolders(new MemoryTree(FILES), ["readme.md"]).isAffected("apps/loop-1")).toBe(true);
  });

  it("takes the root to be affected by everything, and by nothing when nothing changed", () => {
    expect(new AffectedFolders(new MemoryTree(FILES), ["readme.md"]).isAffected("")).toBe(true);
    expect(new AffectedFolders(new MemoryTree({ "a.yaml": "" }), []).isAffected("")).toBe(false);
  });
});
