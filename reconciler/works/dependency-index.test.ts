import { describe, expect, it } from "vitest";
import type { ResourceBinding } from "../../api/work.ts";
import type { KubeObject } from "../../kube/object.ts";
import { dependedByLabel } from "./dependencies.ts";
import { AttachmentIndex, NeedIndex } from "./dependency-index.ts";

function configMap(name: string, labels: Record<string, string> = {}, namespace = "shop"): KubeObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace, labels } };
}

const need = { apiVersion: "v1", kind: "ConfigMap", namespace: "shop" };

describe("NeedIndex", () => {
  it("knows who names an object, and who selects it by its labels", () => {
    const index = new NeedIndex();
    index.set("web", [{ ...need, name: "settings" }]);
    index.set("cart", [{ ...need, labelSelector: { matchLabels: { team: "a" } } }]);

    expect(index.whoNeeds(configMap("settings"))).toEqual(["web"]);
    expect(index.whoNeeds(configMap("settings", { team: "a" }))).toEqual(["web", "cart"]);
    expect(index.whoNeeds(configMap("other", { team: "b" }))).toEqual([]);
    expect(index.whoNeeds(configMap("settings", { team: "a" }, "bank"))).toEqual([]);
  });

  it("keeps only what was said last, until it is told to forget", () => {
    const index = new NeedIndex();
    index.set("web", [{ ...need, name: "settings" }]);

    index.set("web", [{ ...need, name: "login" }]);

    expect(index.whoNeeds(configMap("settings"))).toEqual([]);
    expect(index.whoNeeds(configMap("login"))).toEqual(["web"]);
    index.delete("web");
    expect(index.whoNeeds(configMap("login"))).toEqual([]);
  });
});

describe("AttachmentIndex", () => {
  const binding = (name: string, labels: Record<string, string> = {}, namespace = "shop"): ResourceBinding => ({
    apiVersion: "work.karmada.io/v1alpha2",
    kind: "ResourceBinding",
    metadata: { name, namespace, labels },
    spec: { resource: { apiVersion: "v1", kind: "ConfigMap", namespace, name } },
  });
  const web = binding("web");
  const follows = { [dependedByLabel(web)]: "id-web" };

  it("knows which bindings of its namespace follow another", () => {
    const index = new AttachmentIndex();
    index.set(binding("settings", follows));
    index.set(binding("login", follows));
    index.set(binding("elsewhere", follows, "bank"));
    index.set(binding("free"));

    expect(index.following(web).map(({ metadata }) => metadata.name)).toEqual(["settings", "login"]);
    index.delete(binding("login", follows));
    expect(index.following(web).map(({ metadata }) => metadata.name)).toEqual(["settings"]);
    expect(index.following(binding("cart"))).toEqual([]);
  });
});
