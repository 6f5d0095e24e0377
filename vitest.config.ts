import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    pool: "forks",
    // Each file starts servers and processes of its own; more at once than cores only makes them late.
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 180_000,
    env: { AWS_EC2_METADATA_DISABLED: "true", AWS_MAX_ATTEMPTS: "3" },
  },
});
