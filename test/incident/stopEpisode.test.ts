/** Stops of one service with one cause are one episode, counted once each, whatever order they come in. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { countStop, type Episode, recovered, standing } from "../../lib/incident/stopEpisode.ts";
import { stopVerdict } from "../../lib/incident/stopVerdict.ts";
import type { Alert } from "../../lib/incident/verdict.ts";
import { QUIET, SHORT, type Sketch, stopOf } from "./stops.ts";

function alertOf(sketch: Sketch, facts = QUIET): Alert {
  const verdict = stopVerdict(stopOf(sketch), facts);
  if (verdict.kind !== "alert") throw new Error("the sketch is no alert");
  return verdict;
}

const count = (sketches: readonly Sketch[], start?: Episode): Episode => {
  const episode = sketches.reduce<Episode | undefined>(
    (known, sketch) => countStop(known, stopOf(sketch), alertOf(sketch)),
    start,
  );
  if (episode === undefined) throw new Error("no stops");
  return episode;
};

const crash = (task: number, seconds: number): Sketch => ({ task, seconds });
const finished = (task: number, seconds: number): Sketch => ({
  task,
  seconds,
  containers: [{ exitCode: 0 }],
});
const oom = (task: number, seconds: number): Sketch => ({
  task,
  seconds,
  containers: [{ exitCode: 137, reason: "OutOfMemoryError: killed" }],
});

test("a crash is told of at once, and the third within ten minutes makes it grave", () => {
  expect(standing(count([crash(1, 0)]))).toMatchObject({ severity: "P3", count: 1, shouldPost: true });
  expect(standing(count([crash(1, 0), crash(2, 300)]))).toMatchObject({ severity: "P3", count: 2 });
  expect(standing(count([crash(1, 0), crash(2, 300), crash(3, 600)]))).toMatchObject({
    severity: "P2",
    count: 3,
    burst: 3,
  });
  expect(standing(count([crash(1, 0), crash(2, 300), crash(3, 601)])).severity).toBe("P3");
});

test("a container that ran out of memory twice is grave, one that finished is quiet until the third time", () => {
  expect(standing(count([oom(1, 0), oom(2, 60)])).severity).toBe("P2");
  expect(standing(count([finished(1, 0), finished(2, 60)])).shouldPost).toBe(false);
  expect(standing(count([finished(1, 0), finished(2, 60), finished(3, 120)]))).toMatchObject({
    severity: "P3",
    shouldPost: true,
  });
});

test("three stops of a service in ten minutes are grave though their causes differ", () => {
  const others = [count([oom(4, 30)]), count([{ task: 5, seconds: 40, containers: [{ exitCode: 139 }] }])];
  expect(standing(count([crash(1, 0)]), others)).toMatchObject({ severity: "P2", burst: 3 });
  expect(standing(count([crash(1, 0)]), [count([finished(4, 30), finished(5, 31)])]).severity).toBe("P3");
});

test("a burst of yesterday makes nothing grave today", () => {
  const yesterday = count([oom(4, -86_400), oom(5, -86_390), oom(6, -86_380)]);
  expect(standing(count([crash(1, 0)]), [yesterday]).severity).toBe("P3");
});

test("half an hour without a stop ends an episode; the next one begins another", () => {
  const first = count([crash(1, 0)]);
  expect(count([crash(2, 1_800)], first).openedBy).toBe(first.openedBy);
  expect(count([crash(2, 1_801)], first)).toMatchObject({ openedBy: stopOf(crash(2, 0)).id, more: 0 });
});

test("recovery is said once, and taken back by the next stop", () => {
  const well = recovered(count([crash(1, 0)]), stopOf(crash(1, 45)).atMs);
  expect(well.recoveredAtMs).toBe(stopOf(crash(1, 45)).atMs);
  expect(recovered(well, stopOf(crash(1, 50)).atMs)).toBe(well);
  expect(count([crash(2, 60)], well)).not.toHaveProperty("recoveredAtMs");
  expect(recovered(count([crash(1, 0)]), stopOf(crash(1, -5)).atMs)).not.toHaveProperty("recoveredAtMs");
});

test("a graver verdict of a later look speaks for the episode", () => {
  const stop = stopOf(crash(1, 0));
  const grave = countStop(count([crash(1, 0)]), stop, alertOf(crash(1, 0), SHORT));
  expect(standing(grave)).toMatchObject({ severity: "P2", count: 1 });
});

test("order and repetition change nothing", () => {
  const stops = fc.uniqueArray(
    fc.record({
      task: fc.integer({ min: 1, max: 40 }),
      seconds: fc.integer({ min: 0, max: 1_800 }),
      code: fc.integer({ min: 1, max: 9 }),
    }),
    { minLength: 1, maxLength: 20, selector: ({ task }) => task },
  );
  const arrivals = stops.chain((made) =>
    fc.tuple(
      fc.constant(made),
      fc.shuffledSubarray([...made, ...made], { minLength: made.length * 2, maxLength: made.length * 2 }),
    ),
  );
  const sketch = ({ task, seconds, code }: { task: number; seconds: number; code: number }): Sketch => ({
    task,
    seconds,
    containers: [{ exitCode: code }],
  });
  const told = (episode: Episode) => {
    const { openedBy: _, ...rest } = episode;
    return { ...rest, ...standing(episode) };
  };
  fc.assert(
    fc.property(arrivals, ([made, arrived]) => {
      const inOrder = made.toSorted((a, b) => a.seconds - b.seconds);
      const expected = told(count(inOrder.map(sketch)));
      expect(told(count(arrived.map(sketch)))).toEqual(expected);
      expect(expected.count).toBe(made.length);
    }),
    { numRuns: 300 },
  );
});

test("a crash loop of a day stays one record of bounded size, and loses no count", () => {
  const loop = Array.from({ length: 2_000 }, (_, at) => crash(at + 1, at * 10));
  const episode = count(loop);
  expect(standing(episode).count).toBe(2_000);
  expect(JSON.stringify(episode).length).toBeLessThan(200_000);
});
