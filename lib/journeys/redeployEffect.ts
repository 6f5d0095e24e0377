/** Replacing every task of a service by one that reads its secrets anew. */
import { RekeyError } from "../errors.ts";
import { absent, type Effect, notYet, passed, type Task } from "../incident/effect.ts";
import type { ConsumerFleet, ServiceFacts } from "../rotation/fleet.ts";

/** ECS's clock and ours may differ by so much. */
const SKEW_MS = 2_000;

export function redeployEffect(fleet: ConsumerFleet, now: () => Date): Effect {
  return {
    async before({ order }) {
      const service = serviceIn(await fleet.survey(), order);
      const { desiredCount, runningCount, taskDefinitions, deployments } = service;
      const definition = taskDefinitions.map((arn) => arn.split("/").at(-1)).join(", ");
      return {
        digest: `${definition} ${desiredCount} ${deployments[0]?.deploymentId ?? ""}`,
        shows: `${service.name} runs ${runningCount} of ${desiredCount} tasks of ${definition}`,
        isAlready: false,
      };
    },

    async act({ order }) {
      await fleet.deploy(serviceIn(await fleet.survey(), order));
      return undefined;
    },

    async prove({ order, beganAt }) {
      const facts = await fleet.survey();
      const { name, deployments, desiredCount } = serviceIn(facts, order);
      const ours = deployments.filter(({ createdAt }) => createdAt.getTime() >= beganAt.getTime() - SKEW_MS);
      const [newest] = ours;
      if (!newest) return absent(`${name} has no deployment since`);
      if (newest.status === "failed")
        return notYet(`its deployment failed: ${newest.reason ?? "no reason given"}`);
      if (newest.status !== "succeeded") return notYet(`its deployment is ${newest.status}`);
      const tasks = facts.tasks.filter(({ service }) => service === name);
      const old = tasks.filter(({ createdAt }) => createdAt.getTime() < newest.createdAt.getTime() - SKEW_MS);
      if (old.length > 0) return notYet(`${old.length} of its tasks are older than the deployment`);
      const shows = `${newest.deploymentId} succeeded, and none of its ${Math.min(tasks.length, desiredCount)} tasks is older`;
      return passed(
        "deploymentSuccessful",
        shows,
        now(),
        newest.finishedAt ? { providerAt: newest.finishedAt } : {},
      );
    },
  };
}

function serviceIn(
  { services }: { readonly services: readonly ServiceFacts[] },
  { inputs }: Task["order"],
): ServiceFacts {
  const [cluster, service] = [String(inputs.cluster), String(inputs.service)].map((one) =>
    one.split("/").at(-1),
  );
  const found = services.find(({ name, active }) => active && name === `${cluster}/${service}`);
  if (found) return found;
  throw new RekeyError("PAYLOAD_INVALID", `service: there is no ${service} in the cluster ${cluster}`);
}
