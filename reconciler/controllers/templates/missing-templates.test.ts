import { describe, expect, it } from "vitest";
import type { Change } from "../../../kube/client/informer.ts";
import type { KubeObject } from "../../../kube/object.ts";
import { MissingTemplates } from "./missing-templates.ts";

const WEB = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "web" };

function template(name = "web"): KubeObject {
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { namespace: "shop", name } };
}

function setUp({ watches = true, isLoaded = false } = {}) {
  let tell: (change: Change<KubeObject>) => void = () => {};
  const woken: string[] = [];
  const missing = new MissingTemplates(
    {
      subscribe: (listener) => {
        tell = listener;
      },
      watches: () => watches,
      isLoaded: () => isLoaded,
    },
    (key) => woken.push(key),
  );
  return { missing, woken, tell: (change: Change<KubeObject>) => tell(change) };
}

describe("MissingTemplates", () => {
  it("wakes what lacked a template, once, when that template comes", () => {
    const { missing, woken, tell } = setUp();
    missing.await(WEB, "ResourceBinding/shop/web-deployment");
    missing.await(WEB, "ResourceBinding/shop/web-deployment");

    tell({ type: "added", object: template("api") });
    expect(woken).toEqual([]);

    tell({ type: "added", object: template() });
    tell({ type: "added", object: template() });
    expect(woken).toEqual(["ResourceBinding/shop/web-deployment"]);
  });

  it("waits for a kind that is not served yet", () => {
    const { missing, woken, tell } = setUp({ watches: false, isLoaded: true });
    missing.await(WEB, "key");

    tell({ type: "added", object: template() });

    expect(woken).toEqual(["key"]);
  });

  it("does not wait for a template that is gone: another one gets another binding", () => {
    const { missing, woken, tell } = setUp({ isLoaded: true });
    missing.await(WEB, "key");

    tell({ type: "added", object: template() });

    expect(woken).toEqual([]);
  });
});
