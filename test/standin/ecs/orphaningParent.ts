/** Starts one task and says its container's process id; the test then ends this process without any farewell. */
import { createEcs } from "./ecs.ts";

const { service, handle } = createEcs({
  region: "eu-central-1",
  account: "123456789012",
  baseEnv: { PATH: process.env["PATH"] ?? "" },
  resolveSecret: () => Promise.reject(new Error("no secrets here")),
});
const call = (operation: string, input: object) =>
  service.operations[operation]?.(input, {
    principalArn: "arn:aws:iam::123456789012:user/test",
    userAgent: "",
  });
call("CreateCluster", { clusterName: "demo" });
call("RegisterTaskDefinition", {
  family: "lone",
  containerDefinitions: [{ name: "app", image: "app", command: ["sh", "-c", "echo pid $$; sleep 600"] }],
});
call("RunTask", { cluster: "demo", taskDefinition: "lone" });

const timer = setInterval(() => {
  const [task] = handle.tasks();
  const [line] = task ? handle.logs(task.taskArn) : [];
  if (line === undefined) return;
  console.log(line.replace("app| pid ", ""));
  clearInterval(timer);
  setInterval(() => undefined, 60_000);
}, 20);
