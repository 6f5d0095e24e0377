import { defineConfig } from "vitest/config";

/** Only tests that start no server and no process, so that a mutant costs milliseconds. */
export default defineConfig({
  test: {
    include: ["test/rotation/**/*.test.ts", "test/secret.test.ts"],
  },
});
