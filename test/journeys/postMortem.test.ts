/** The post-mortem in a bucket: real S3 calls over HTTP, people who write at the same moment, answers that never come. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { loadRunbook } from "../../lib/adapters/runbooks.ts";
import { s3Pages } from "../../lib/adapters/s3Pages.ts";
import { merge } from "../../lib/incident/markedPage.ts";
import type { Pages } from "../../lib/incident/pages.ts";
import type { Run } from "../../lib/incident/run.ts";
import {
  type KeptIncident,
  type PostMortemPorts,
  postMortem,
  postMortems,
  postMortemWithoutNames,
} from "../../lib/journeys/postMortem.ts";
import { type Cloud, startCloud } from "../standin/cloud.ts";

const BUCKET = "rekey-records";
const KEY = "post-mortems/inc-1.md";
const runbook = await loadRunbook("secret-compromised");
const begun: Run = {
  ...{ id: "inc-1", runbook: { id: runbook.id, hash: runbook.hash }, inputs: { secret: "shop/database" } },
  ...{ requestedBy: { person: "UANN" }, startedAt: "2026-11-25T03:00:10.000Z", steps: {}, revision: 1 },
};
const ended: Run = {
  ...begun,
  ended: { as: "completed", at: "2026-11-25T04:00:00.000Z", because: "every step is settled" },
};

let cloud: Cloud;
let pages: Pages;
let kept: KeptIncident;
const told: unknown[] = [];
const ports: PostMortemPorts = {
  runs: { read: async (id) => (id === "inc-1" ? kept : undefined) },
  reached: async () => ({ reach: { lines: ["nobody read it"] }, moments: [] }),
  get pages() {
    return pages;
  },
  tell: (line) => void told.push(line),
  now: () => new Date("2026-11-25T05:00:00Z"),
};

beforeAll(async () => {
  cloud = await startCloud({ processes: false });
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_S3: cloud.env["AWS_ENDPOINT_URL_S3"],
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "rekey",
    AWS_SECRET_ACCESS_KEY: "local",
  });
  pages = s3Pages(BUCKET, "us-east-1");
});
afterAll(() => cloud?.stop());
beforeEach(() => {
  cloud.files.mood = "served";
  cloud.files.buckets.clear();
  cloud.files.buckets.set(BUCKET, new Map());
  kept = { run: begun, runbook, refusedClicks: [] };
});

const stored = () => cloud.files.versions(BUCKET, KEY);
const personWrites = (change: (page: string) => string) =>
  cloud.files.put(BUCKET, KEY, Buffer.from(change(stored().at(-1) ?? "")), {});

test("the first time it is written, the next time only what changed, and what people wrote stays", async () => {
  const first = await postMortem(ports, "inc-1");
  expect(first).toMatchObject({ isChanged: true, kept: [], damage: [], document: `s3://${BUCKET}/${KEY}` });
  expect(await postMortem(ports, "inc-1")).toMatchObject({ isChanged: false });
  expect(stored()).toHaveLength(1);
  personWrites((page) => page.replace("## What went well", "## What went well\n\nThe alarm rang. ✔"));
  kept = { ...kept, run: ended };
  expect(await postMortem(ports, "inc-1")).toMatchObject({ isChanged: true });
  expect(stored().at(-1)).toContain("The alarm rang. ✔");
  expect(stored().at(-1)).toContain("**completed** at 2026-11-25T04:00:00.000Z");
  expect(JSON.stringify(told)).not.toContain("alarm");
});

test("the link is for whoever may sign in, and carries no key to the page", async () => {
  const { link } = await postMortems(ports).open(begun);
  expect(link).toBe(
    "https://us-east-1.console.aws.amazon.com/s3/object/rekey-records?region=us-east-1&prefix=post-mortems%2Finc-1.md",
  );
});

test("a person who saves between the read and the write loses nothing", async () => {
  await postMortem(ports, "inc-1");
  kept = { ...kept, run: ended };
  const interrupted: PostMortemPorts = {
    ...ports,
    pages: {
      ...pages,
      async write(name, text, over) {
        if (!stored().at(-1)?.includes("saved at the same moment"))
          personWrites((page) => `${page}\nsaved at the same moment\n`);
        return pages.write(name, text, over);
      },
    },
  };
  await postMortem(interrupted, "inc-1");
  expect(stored().at(-1)).toContain("saved at the same moment");
  expect(stored().at(-1)).toContain("**completed**");
});

test("of ten that write the first page at once one does, and all answer with it", async () => {
  const answers = await Promise.all(Array.from({ length: 10 }, () => postMortem(ports, "inc-1")));
  expect(stored()).toHaveLength(1);
  expect(new Set(answers.map(({ storedAt }) => storedAt)).size).toBe(1);
});

test("a write whose answer is lost is not made twice", async () => {
  cloud.files.mood = "unanswered";
  expect(await postMortem(ports, "inc-1")).toMatchObject({ isChanged: true });
  expect(stored()).toHaveLength(1);
});

test("a page whose marks are damaged stays as it is; what is known stands beside it, and both are said", async () => {
  await postMortem(ports, "inc-1");
  personWrites((page) => page.replace("<!-- rekey:end timeline -->\n", ""));
  const damaged = stored().at(-1);
  kept = { ...kept, run: ended };
  const answer = await postMortem(ports, "inc-1");
  expect(answer.damage.join()).toContain('begins before "timeline" has ended');
  expect(answer.beside).toContain("inc-1.rekey.md");
  expect(stored().at(-1)).toBe(damaged);
  expect(cloud.files.versions(BUCKET, "post-mortems/inc-1.rekey.md").at(-1)).toContain("**completed**");
});

test("a page in another encoding is left as it is, and that is said", async () => {
  cloud.files.put(BUCKET, KEY, Buffer.from("f\xfcr morgen", "latin1"), {});
  await expect(postMortem(ports, "inc-1")).rejects.toMatchObject({ code: "RECORD_INVALID" });
  expect(cloud.files.buckets.get(BUCKET)?.get(KEY)).toHaveLength(1);
});

test.each([
  [
    "a run that is not there",
    "inc-2",
    () => {},
    { code: "PAYLOAD_INVALID", message: "run: there is no run inc-2" },
  ],
  [
    "a bucket that may not be read",
    "inc-1",
    () => {
      cloud.files.mood = "forbidden";
    },
    { code: "AWS_DENIED" },
  ],
  ["a bucket that is not there", "inc-1", () => cloud.files.buckets.clear(), { code: "AWS_FAILED" }],
])("%s is told", async (_, id, make, error) => {
  make();
  await expect(postMortem(ports, id)).rejects.toMatchObject(error);
});

test("without names nothing is stored, and nobody is named", async () => {
  const { markdown } = await postMortemWithoutNames(ports, "inc-1");
  expect(markdown).toContain("Asked for by `person 1`");
  expect(markdown).not.toContain("UANN");
  expect(stored()).toHaveLength(0);
  expect(merge(markdown, markdown).damage).toEqual([]);
});
