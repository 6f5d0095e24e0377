import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    pool: "forks",
    // Each file starts servers and processes of its own; more at once than cores only makes them late.
    maxWorkers: 2,
    // A machine that is busy for a moment makes clocks and lease times late; what fails twice is no accident.
    retry: 1,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    env: { AWS_EC2_METADATA_DISABLED: "true", AWS_MAX_ATTEMPTS: "3" },
  },
});
