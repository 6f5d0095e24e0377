/**
 * The smallest container worth deploying: it serves the value that it read when it started, answers a health check, and
 * ends in order on SIGTERM. With a CHILD variable it starts a process of its own, to see whether that is reaped.
 */
import { spawn } from "node:child_process";
import { createServer } from "node:http";

const value = process.env["VALUE"] ?? "none";

const server = createServer((request, response) => {
  response.statusCode = request.url === "/health" || request.url === "/" ? 200 : 404;
  response.end(value);
});
server.listen(Number(process.env["PORT"]), "127.0.0.1", () => console.log(`listening ${process.pid}`));

if (process.env["CHILD"]) console.log(`child ${spawn("sleep", ["600"], { stdio: "ignore" }).pid}`);

process.once("SIGTERM", () => {
  console.log("stopping");
  server.close(() => process.exit(0));
});
