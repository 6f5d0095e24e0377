/**
 * Teaches the Serverless CLI to bundle the handlers (see build.ts) before it packages, deploys or invokes them, and to
 * wait for a run as long as Lambda may work on it.
 */

const { readFileSync } = require("node:fs");

/** Lambda's own limit. The CLI's default gives up after 120 s of silence and then invokes again, up to four times. */
const INVOKE_TIMEOUT_MS = "900000";

class BundleHandlers {
  constructor(serverless) {
    this.serverless = serverless;
    process.env.AWS_CLIENT_TIMEOUT ??= INVOKE_TIMEOUT_MS;
    const bundle = () => this.bundle();
    const bundleOne = () => this.bundle(serverless.processedInput.options.function);
    this.hooks = {
      "before:package:createDeploymentArtifacts": bundle,
      "before:package:function:package": bundle,
      "before:invoke:local:invoke": bundleOne,
    };
  }

  /** @param only name of a function; all of them without it */
  async bundle(only) {
    const { buildHandlers } = await import("./build.ts");
    let built;
    try {
      built = await buildHandlers(only === undefined ? {} : { only });
    } catch (error) {
      // The CLI prints an unknown error's stack and a plea to report it; what helps is the file and the line.
      throw Object.assign(new this.serverless.classes.Error(error.message, "BUNDLE_FAILED"), {
        stack: error.message,
      });
    }
    for (const [name, definition] of Object.entries(this.serverless.service.functions)) {
      if (only !== undefined && name !== only) continue;
      if (!built[name])
        throw new this.serverless.classes.Error(`handlers/${name}.ts is missing`, "BUNDLE_FAILED");
      definition.handler = `.build/handlers/${name}.handler`;
      // Of what is loaded on first use only what this one can come to load.
      const drivers = new Set(readFileSync(built[name], "utf8").match(/driver-[\w-]+\.cjs/g));
      const files = [`${name}.cjs`, ...drivers].map((file) => `.build/handlers/${file}`);
      definition.package = { individually: true, patterns: ["!**", ...files] };
    }
  }
}

module.exports = BundleHandlers;
