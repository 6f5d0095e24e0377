import { describe, expect, test } from "vitest";
import { readRadiusRequest, readReviewRequest } from "../../lib/journeys/accessRequest.ts";

const NOW = new Date("2026-11-24T12:00:00Z");
const iso = (ms: number) => new Date(ms).toISOString();
const radius = (event: unknown) => {
  const { secret, fromMs, toMs } = readRadiusRequest(event, NOW);
  return [secret, iso(fromMs), iso(toMs)];
};

describe("a blast radius", () => {
  test.each([
    ["of ninety days unless told otherwise", {}, "2026-08-26T12:00:00.000Z", "2026-11-24T12:00:00.000Z"],
    ["since a while ago", { from: "-90m" }, "2026-11-24T10:30:00.000Z", "2026-11-24T12:00:00.000Z"],
    [
      "between whiles ago",
      { from: "-7d", to: "-24h" },
      "2026-11-17T12:00:00.000Z",
      "2026-11-23T12:00:00.000Z",
    ],
    [
      "between times, of any zone",
      { from: "2026-11-20", to: "2026-11-21T02:00:00+02:00" },
      "2026-11-20T00:00:00.000Z",
      "2026-11-21T00:00:00.000Z",
    ],
  ])("%s", (_what, times, from, to) => {
    expect(radius({ secret: " shop/database ", ...times })).toEqual(["shop/database", from, to]);
  });

  test.each([
    ["without a secret", {}, "secret must be the name or the ARN of a secret"],
    ["with an empty secret", { secret: " " }, "secret must not be empty"],
    ["with a word for a time", { secret: "a", from: "yesterday" }, "from must be a time as in"],
    ["with a number for a time", { secret: "a", to: 5 }, "to must be a time as in"],
    ["with a day that no month has", { secret: "a", from: "2026-13-40" }, "from must be a time as in"],
    ["that ends before it begins", { secret: "a", from: "-1h", to: "-2h" }, "from must lie before to"],
    ["of the future", { secret: "a", to: "2026-11-25" }, "to lies in the future; leave it out to mean now"],
    ["of what nobody keeps", { secret: "a", from: "-100d", to: "-95d" }, "to lies more than 90 days ago"],
    ["with another field", { secret: "a", since: "-1h" }, "since is not a field; known are secret, from, to"],
    ["that is no object", "a", "the payload must be a JSON object"],
  ])("%s is refused with what to do", (_what, event, message) => {
    expect(() => readRadiusRequest(event, NOW)).toThrow(message);
  });
});

test("a review is of the last seven days, by the schedule or by hand, or of other times that are named", () => {
  const of = (event: unknown) => {
    const { fromMs, toMs } = readReviewRequest(event, NOW);
    return [iso(fromMs), iso(toMs)];
  };
  const week = ["2026-11-17T12:00:00.000Z", "2026-11-24T12:00:00.000Z"];
  for (const event of [{}, undefined, { "detail-type": "Scheduled Event", id: "1" }])
    expect(of(event)).toEqual(week);
  expect(of({ from: "-1d" })).toEqual(["2026-11-23T12:00:00.000Z", "2026-11-24T12:00:00.000Z"]);
  expect(() => of({ secret: "a" })).toThrow("secret is not a field; known are from, to");
});
