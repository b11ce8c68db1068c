import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{api,kube,runtime,sources,renderers,reconciler,fleets,test}/**/*.test.ts"],
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
