/** What the demo is asked to show, and the one clear error for what it cannot. */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Fault } from "../standin/ecs/ecs.ts";
import { BUNDLE, SERVICES, type ServiceName } from "./world.ts";

export const USAGE = `npm run demo -- [--break SERVICE[:hang] | --emergency [GLOB] | --aws-order | --incident leak [--click]] [--seconds N] [--svg FILE] [--json]
  --break      the deployment of this service fails: ${SERVICES.join(", ")}.
               Its new tasks crash; with :hang they run and never turn healthy
  --emergency  the values have leaked: they die first, and the services come back after.
               GLOB names the secrets (default ${BUNDLE})
  --aws-order  change in place, make current, then redeploy: the order of AWS's single-user functions
  --incident   leak: somebody of another account reads the bundle; you are told on a page that shows the channel as Slack
               does, and click. With --click the demo clicks by itself, and ends; --screenshot FILE keeps a picture of the page
  --seconds    how long traffic runs at least (default 45)
  --svg        where the picture of the run goes (default .build/timeline.svg)
  --json       write one line, a JSON object, and nothing else`;

export interface Breakage {
  readonly service: ServiceName;
  readonly fault: Fault;
}

export type Scene =
  | { readonly kind: "rotate" | "awsOrder" }
  | ({ readonly kind: "break" } & Breakage)
  | { readonly kind: "emergency"; readonly only: string };

/** Something goes wrong, and a person does something about it. */
export interface Incident {
  readonly kind: "leak";
  /** Nobody is there to click. */
  readonly clicksItself: boolean;
  /** Where a picture of the channel's page goes. */
  readonly screenshot?: string;
}

export interface Options<Shown = Scene | Incident> {
  readonly scene: Shown;
  readonly leastSeconds: number;
  readonly picture: string;
  readonly isQuiet: boolean;
}

/**
 * @returns undefined when only the usage is wanted
 * @throws Error naming the option that is wrong
 */
export function readOptions(args: readonly string[]): Options | undefined {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: "boolean", default: false },
      break: { type: "string" },
      emergency: { type: "boolean", default: false },
      "aws-order": { type: "boolean", default: false },
      incident: { type: "string" },
      click: { type: "boolean", default: false },
      screenshot: { type: "string" },
      seconds: { type: "string", default: "45" },
      svg: { type: "string", default: ".build/timeline.svg" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const leastSeconds = Number(values.seconds);
  if (!(leastSeconds >= 0)) throw new Error("--seconds must be a number of seconds");
  if (values.help) return undefined;
  const asked = [values.break === undefined ? "" : "--break", values.emergency ? "--emergency" : ""];
  asked.push(values["aws-order"] ? "--aws-order" : "", values.incident === undefined ? "" : "--incident");
  const scenes = asked.filter((name) => name !== "");
  if (scenes.length > 1) throw new Error(`${scenes.join(" and ")} exclude each other; give one of them`);
  if (values.incident !== undefined && values.incident !== "leak")
    throw new Error(`--incident: "${values.incident}" is none that the demo knows; there is leak`);
  if (values.incident === undefined && (values.click || values.screenshot !== undefined))
    throw new Error("--click and --screenshot belong to --incident leak");
  const [glob, ...more] = positionals;
  const extra = values.emergency ? more[0] : glob;
  if (extra !== undefined) throw new Error(`"${extra}" is not an option`);
  return {
    scene: values.incident === undefined ? sceneOf(values, glob) : incidentOf(values),
    leastSeconds,
    picture: resolve(values.svg),
    isQuiet: values.json,
  };
}

const incidentOf = ({
  click,
  screenshot,
}: {
  readonly click: boolean;
  readonly screenshot?: string | undefined;
}): Incident => ({
  kind: "leak",
  clicksItself: click,
  ...(screenshot === undefined ? {} : { screenshot: resolve(screenshot) }),
});

function sceneOf(
  values: { readonly break?: string | undefined; readonly emergency: boolean; readonly "aws-order": boolean },
  glob: string | undefined,
): Scene {
  if (values.break !== undefined) return { kind: "break", ...breakageOf(values.break) };
  if (values.emergency) return { kind: "emergency", only: glob ?? BUNDLE };
  return { kind: values["aws-order"] ? "awsOrder" : "rotate" };
}

function breakageOf(text: string): Breakage {
  const [name = "", how, ...rest] = text.split(":");
  const service = SERVICES.find((one) => one === name);
  if (service === undefined)
    throw new Error(`--break: "${name}" is no service of the demo; there are ${SERVICES.join(", ")}`);
  if (rest.length > 0 || (how !== undefined && how !== "crash" && how !== "hang"))
    throw new Error(`--break ${service}: tasks can crash or hang; write ${service} or ${service}:hang`);
  return { service, fault: how === "hang" ? "unhealthy" : "crash" };
}
