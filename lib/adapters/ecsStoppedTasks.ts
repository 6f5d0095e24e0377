/** A stopped task as ECS would have told of it in an event: what the API answers has the same fields, with dates for texts. */
import { DescribeTasksCommand, ECSClient } from "@aws-sdk/client-ecs";
import { awsError, CLIENT_OPTIONS } from "./awsCalls.ts";

export interface EcsStoppedTasks {
  stopped(cluster: string, task: string): Promise<unknown>;
}

export function ecsStoppedTasks(client = new ECSClient(CLIENT_OPTIONS)): EcsStoppedTasks {
  return {
    async stopped(cluster, task) {
      const { tasks } = await client
        .send(new DescribeTasksCommand({ cluster, tasks: [task] }))
        .catch((error: unknown) => {
          throw awsError(error, `describe task ${task}`);
        });
      const [found] = tasks ?? [];
      if (!found) return undefined;
      // Dates become texts, as an event has them.
      const detail: unknown = JSON.parse(JSON.stringify(found));
      return { source: "aws.ecs", "detail-type": "ECS Task State Change", detail };
    },
  };
}
