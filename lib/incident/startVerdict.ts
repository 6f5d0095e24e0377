/** The decision table for TaskFailedToStart: nothing of the application ran, and the stopped reason begins with what did not work. */
import type { TaskStop } from "./stopEvent.ts";
import {
  type Alert,
  alert,
  isBelowDesired,
  type StopCause,
  type StopFacts,
  THREE_ARE_P2,
} from "./verdict.ts";

interface Kind {
  readonly cause: StopCause;
  readonly words: RegExp;
  readonly says: string;
  readonly lookAt: readonly string[];
}

/** The first that fits. Source of the words: Amazon ECS developer guide, "Stopped tasks error messages". */
const KINDS: readonly Kind[] = [
  {
    cause: "secrets not readable",
    words: /unable to pull secrets|retrieve secret|fetching secret|secretsmanager|invalid ssm/i,
    says: "ECS could not read its secrets",
    lookAt: [
      "the execution role's rights on the secret and its key",
      "whether the secret, its JSON key or its version is still there",
      "the way from the subnet to Secrets Manager",
    ],
  },
  {
    cause: "image not pulled",
    words: /CannotPull|pull access denied|ImagePull/i,
    says: "its image could not be pulled",
    lookAt: [
      "whether the tag or digest is still in the registry",
      "the execution role",
      "the way from the subnet to the registry",
    ],
  },
  {
    cause: "container not started",
    words: /Cannot(Start|Create)|ContainerRuntime|DockerTimeout|InternalError/i,
    says: "its container could not be started",
    lookAt: ["the command and entry point", "what changed in the task definition"],
  },
  {
    cause: "not initialised",
    words: /ResourceInitializationError|network interface|Timeout waiting/i,
    says: "its network or volumes could not be set up",
    lookAt: [
      "free addresses in the subnet",
      "the security groups and routes",
      "file systems and log groups that it names",
    ],
  },
];

const ANY: Omit<Kind, "words"> = {
  cause: "container not started",
  says: "it did not start",
  lookAt: ["the stopped reason", "what changed in the task definition"],
};

export function startVerdict(stop: TaskStop, facts: StopFacts): Alert {
  const said = [stop.reason, ...stop.containers.map(({ reason }) => reason ?? "")].join(" ");
  const { cause, says, lookAt } = KINDS.find(({ words }) => words.test(said)) ?? ANY;
  const { service } = facts;
  const isNew = service?.isDeploying === true && service.primaryId === stop.startedBy;
  return alert({
    severity: isNew || isBelowDesired(facts) ? "P2" : "P3",
    cause,
    says: `${says}${isNew ? ", in a new deployment" : ""}: ${stop.reason || "no reason given"}`,
    lookAt,
    repeat: THREE_ARE_P2,
  });
}
