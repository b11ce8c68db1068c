import { describe, expect, it } from "vitest";
import { toInternalForm } from "./internal-form.ts";
import { diffValues } from "./line-diff.ts";

describe("the internal form of an object", () => {
  it("has every field under its Go name, and null for what is absent", () => {
    const container = { name: "c", image: "i", tty: true, ports: [{ containerPort: 80, protocol: "TCP" }] };

    expect(toInternalForm("core/v1.Container", container)).toMatchObject({
      Name: "c",
      Command: null,
      WorkingDir: "",
      Ports: [{ Name: "", HostPort: 0, ContainerPort: 80, Protocol: "TCP", HostIP: "" }],
      Resources: { Limits: null, Requests: null, Claims: null },
      LivenessProbe: null,
      Stdin: false,
      TTY: true,
    });
  });

  it("keeps the host's namespaces in the security context", () => {
    const spec = toInternalForm("core/v1.PodSpec", { containers: [], hostNetwork: true, securityContext: {} });

    expect(spec).not.toHaveProperty("HostNetwork");
    expect(spec["SecurityContext"]).toMatchObject({ HostNetwork: true, HostPID: false, HostUsers: null });
  });

  it("has the metadata of a template beside its spec", () => {
    const template = { metadata: { labels: { a: "b" } }, spec: { containers: [] } };

    expect(Object.keys(toInternalForm("core/v1.PodTemplateSpec", template))).toEqual(["labels", "Spec"]);
  });
});

describe("diffValues", () => {
  it("is empty for equal values", () => {
    expect(diffValues({ a: [1, 2] }, { a: [1, 2] })).toBe("");
  });

  it("shows a change with three lines around it", () => {
    const before = { a: 1, b: 2, c: 3, d: 4, e: 5, f: 6, g: 7, h: 8 };

    expect(diffValues(before, { ...before, e: 50 })).toBe(
      '@@ -3,7 +3,7 @@\n  "b": 2,\n  "c": 3,\n  "d": 4,\n- "e": 5,\n+ "e": 50,\n  "f": 6,\n  "g": 7,\n  "h": 8\n',
    );
  });

  it("has one hunk for each change that stands apart", () => {
    const before = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`k${index}`, index]));

    expect(diffValues(before, { ...before, k1: -1, k18: -1 }).match(/@@ -/g)).toHaveLength(2);
  });
});
