/**
 * What changed between two revisions of a task definition, one line each. Secrets by name and source only; a plain value is
 * shown where neither its variable's name nor itself looks like a secret.
 */
import { isSecretName, scrub } from "./scrub.ts";
import type { ContainerShape, DefinitionFacts } from "./taskFacts.ts";

const MOST_LINES = 30;

export function definitionDiff(before: DefinitionFacts, after: DefinitionFacts): string[] {
  const old = new Map(before.containers.map((one) => [one.name, one]));
  const now = new Set(after.containers.map(({ name }) => name));
  const lines = [
    ...change("task CPU", before.cpu, after.cpu),
    ...change("task memory", before.memory, after.memory),
    ...after.containers.flatMap((one) => {
      const earlier = old.get(one.name);
      return earlier ? containerDiff(earlier, one) : [`+ container ${one.name} (${one.image})`];
    }),
    ...before.containers.filter(({ name }) => !now.has(name)).map(({ name }) => `- container ${name}`),
  ];
  return lines.length <= MOST_LINES
    ? lines
    : [...lines.slice(0, MOST_LINES), `and ${lines.length - MOST_LINES} more changes`];
}

function containerDiff(before: ContainerShape, after: ContainerShape): string[] {
  const of = (what: string) => `${after.name} ${what}`;
  const words = (command: readonly string[]) => scrub(command.join(" "));
  const needs = ({ dependsOn }: ContainerShape) =>
    dependsOn.map(({ container, condition }) => `${container} ${condition}`).join(", ");
  return [
    ...change(of("image"), before.image, after.image),
    ...change(of("command"), words(before.command), words(after.command)),
    ...change(of("CPU"), before.cpu, after.cpu),
    ...change(of("memory"), before.memory, after.memory),
    ...change(of("memory reservation"), before.memoryReservation, after.memoryReservation),
    ...change(of("essential"), before.isEssential, after.isEssential),
    ...change(of("stopTimeout"), before.stopTimeoutSeconds, after.stopTimeoutSeconds),
    ...change(of("health check"), scrub(before.healthCheck ?? ""), scrub(after.healthCheck ?? "")),
    ...change(of("depends on"), needs(before), needs(after)),
    ...mapDiff(of("secret"), before.secrets, after.secrets, (_name, from) => from),
    ...mapDiff(of("variable"), before.environment, after.environment, (name, value) =>
      isSecretName(name) ? "(not shown)" : scrub(value),
    ),
  ];
}

function change(what: string, before: unknown, after: unknown): string[] {
  if (before === after) return [];
  const show = (value: unknown) => (value === undefined || value === "" ? "none" : String(value));
  return [`${what}: ${show(before)} -> ${show(after)}`];
}

function mapDiff(
  what: string,
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
  show: (name: string, value: string) => string,
): string[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  return names.flatMap((name) => {
    const [old, now] = [before.get(name), after.get(name)];
    if (old === now) return [];
    if (old === undefined) return [`+ ${what} ${name}: ${show(name, now ?? "")}`];
    if (now === undefined) return [`- ${what} ${name}`];
    return [`${what} ${name}: ${show(name, old)} -> ${show(name, now)}`];
  });
}
