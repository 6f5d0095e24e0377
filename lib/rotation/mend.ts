/**
 * The shell lines that mend what does not hold, one for each kind of it, ready to be pasted. A value never stands in one:
 * where one is needed, the line reads it from Secrets Manager itself.
 */
import { commandLine } from "../finding.ts";
import type { Trap } from "./consumers.ts";
import type { ServiceFacts, TaskFacts } from "./fleet.ts";

const shortName = (arn: string) => arn.split("/").at(-1) ?? arn;

const invoke = (name: string, payload: object) =>
  commandLine("npx", "sls", "invoke", "-f", name, "-d", JSON.stringify(payload));

export const rotate = (secret: string) => invoke("rotateAll", { only: [secret], reason: "drift" });
export const advance = () => invoke("advance", {});
export const verifyAgain = (secret: string) => invoke("verify", { only: [secret] });

export const restore = (secret: string) =>
  commandLine("aws", "secretsmanager", "restore-secret", "--secret-id", secret);

export function dropPending(secret: string, versionId: string): string {
  return stageLine(secret, "AWSPENDING", "--remove-from-version-id", versionId);
}

/** AWSCURRENT to a version that was good; without one a person has to write the value anew. */
export function currentTo(secret: string, to: string | undefined, from: string | undefined): string {
  if (to === undefined)
    return commandLine(
      ...["aws", "secretsmanager", "put-secret-value", "--secret-id", secret],
      ...["--secret-string", "file://value.json"],
    );
  const off = from === undefined ? [] : ["--remove-from-version-id", from];
  return stageLine(secret, "AWSCURRENT", "--move-to-version-id", to, ...off);
}

function stageLine(secret: string, stage: string, ...words: readonly string[]): string {
  const move = ["aws", "secretsmanager", "update-secret-version-stage", "--secret-id", secret];
  return commandLine(...move, "--version-stage", stage, ...words);
}

export function redeploy(service: ServiceFacts): string {
  return commandLine(...updateService(service), "--force-new-deployment");
}

export function stopTask({ cluster, taskArn }: TaskFacts): string {
  const which = ["--cluster", shortName(cluster), "--task", shortName(taskArn)];
  return commandLine("aws", "ecs", "stop-task", ...which, "--reason", "holds an old secret");
}

const updateService = ({ cluster, serviceArn }: ServiceFacts) => [
  ...["aws", "ecs", "update-service"],
  ...["--cluster", shortName(cluster), "--service", shortName(serviceArn)],
];

/** What a description has and a registration refuses. */
const READ_ONLY =
  "taskDefinitionArn,revision,status,requiresAttributes,compatibilities,registeredAt,registeredBy,deregisteredAt";

/** Registers the service's task definition once more without the trap, and deploys it. */
export function disarm(trap: Trap): string {
  if ("task" in trap.holder) return stopTask(trap.holder.task);
  const { service } = trap.holder;
  const container = JSON.stringify(trap.container);
  const edit =
    trap.code === "PINNED_VERSION"
      ? `for(const s of[...c.secrets??[],...c.logConfiguration?.secretOptions??[]])if(s.valueFrom===${JSON.stringify(trap.value)})s.valueFrom=${JSON.stringify(withoutPin(trap.value))}`
      : `c.environment=c.environment.filter(e=>e.name!==${JSON.stringify(trap.variable)})`;
  const program = `const{${READ_ONLY},...d}=JSON.parse(fs.readFileSync(0)).taskDefinition;for(const c of d.containerDefinitions)if(c.name===${container}){${edit}}console.log(JSON.stringify(d))`;
  const described = commandLine(
    ...["aws", "ecs", "describe-task-definition", "--output", "json"],
    ...["--task-definition", service.taskDefinitions[0] ?? ""],
  );
  const registered = commandLine(
    ...["aws", "ecs", "register-task-definition", "--output", "text"],
    ...["--query", "taskDefinition.taskDefinitionArn", "--cli-input-json"],
  );
  const edited = `${described} | ${commandLine("node", "-e", program)}`;
  return `${commandLine(...updateService(service))} --task-definition "$(${registered} "$(${edited})")"`;
}

/** `arn:...:secret:name-AbCdEf:KEY:AWSPREVIOUS:` -> the same key of AWSCURRENT. */
function withoutPin(valueFrom: string): string {
  const parts = valueFrom.split(":");
  return [...parts.slice(0, 7), parts[7] ?? "", "", ""].join(":");
}

/** Prints one field of one version, without a newline, as standard input and `$(...)` need it. */
export function printing(secret: string, versionId: string, field: string): string {
  const read = [
    "aws",
    "secretsmanager",
    "get-secret-value",
    "--secret-id",
    secret,
    "--version-id",
    versionId,
  ];
  return fieldOf(read, field);
}

export function printingCurrent(secret: string, field: string): string {
  return fieldOf(["aws", "secretsmanager", "get-secret-value", "--secret-id", secret], field);
}

function fieldOf(read: readonly string[], field: string): string {
  const program = `process.stdout.write(String(JSON.parse(fs.readFileSync(0))[${JSON.stringify(field)}]))`;
  return `${commandLine(...read, "--query", "SecretString", "--output", "text")} | ${commandLine("node", "-e", program)}`;
}
