/** A blast radius as a page for the incident's record: what was observed first, then what was possible, then what it rests on. */
import type { BlastRadius } from "./blastRadius.ts";
import type { Reader } from "./reader.ts";
import { momentOf } from "./timeAxis.ts";

/** Longer tables are not read; the JSON has all. */
const MOST_ROWS = 50;
/** Of a name. */
const MOST_CHARACTERS = 200;

/** Lines for a shell. */
export interface Commands {
  /** Kills the value that is current. */
  readonly rotates?: string;
  /** Searches what was not. */
  readonly goesOn?: string;
}

export function writeBlastRadius(radius: BlastRadius, { rotates, goesOn }: Commands = {}): string {
  const { secret, totals, observed, notListed, from, to } = radius;
  const readers = observed.filter(({ reads }) => reads > 0);
  const refused = observed.filter(({ denied, failed }) => denied.count + failed.count > 0);
  const others = observed.filter(({ otherActions }) => otherActions.length > 0);
  const hidden = Math.max(readers.length - MOST_ROWS, 0) + notListed.principals;
  const blocks = [
    `# Who read ${code(secret.name)}`,
    `From ${momentOf(from)} to ${momentOf(to)} UTC: **${many(totals.reads, "read")}** by **${many(totals.principals, "principal")}**, ${many(totals.denied, "refused try", "refused tries")}, ${many(totals.otherActions, "other action")}.`,
    "## What has to be made anew",
    list(
      radius.reissue.map(({ what, id, because }) => `${what} ${code(id)}: ${plain(because)}`),
      "Nothing: no value is on record as given out in the window.",
    ),
    rotates === undefined ? "" : indented(rotates),
    "## Observed",
    table(
      ["Principal", "Reads", "First", "Last", "Network", "Client", "Version"],
      readers.slice(0, MOST_ROWS).map(readerRow),
      "Nobody read it, as far as was searched.",
    ),
    hidden > 0 ? `And ${many(hidden, "more principal")}; the JSON answer names the first 200.` : "",
    ...section(
      "Refused, or failed",
      ["Principal", "Refused", "Failed", "First", "Last"],
      refused.slice(0, MOST_ROWS).map(({ principal, denied, failed }) => {
        const [first = ""] = [denied.first, failed.first].filter(Boolean).toSorted();
        const last = [denied.last, failed.last].filter(Boolean).toSorted().at(-1) ?? "";
        return [code(principal), String(denied.count), String(failed.count), first, last];
      }),
    ),
    ...section(
      "What else was done to the secret",
      ["Principal", "Action", "Outcome", "Times", "Last"],
      others
        .flatMap(({ principal, otherActions }) =>
          otherActions.map(({ action, outcome, count, last = "" }) => [
            code(principal),
            code(action),
            outcome,
            String(count),
            last,
          ]),
        )
        .slice(0, MOST_ROWS),
    ),
    ...section(
      "Versions",
      ["Version", "Reads", "By", "Current from", "Current to", "Refused since"],
      radius.versions.map((one) => [
        code(one.versionId),
        String(one.reads),
        many(one.principals, "principal"),
        one.currentFrom ?? "not known",
        one.currentTo ?? (one.isCurrent ? "still" : "not known"),
        one.revokedAt ?? "not on record",
      ]),
    ),
    pairingOf(radius),
    "## Possible, and not observed",
    list(
      radius.possible
        .slice(0, MOST_ROWS)
        .map(({ principal, because }) => `${code(principal)}: ${plain(because)}`),
      "Nobody else is known who could. Roles that their own policies allow to read it are not listed.",
    ),
    "## What this rests on",
    list(restsOn(radius), ""),
    "### Missing, and could be had",
    list(radius.coverage.gaps.map(plain), "Nothing that is known."),
    goesOn === undefined ? "" : indented(goesOn),
    "### What CloudTrail cannot show",
    list(radius.coverage.cannotShow.map(plain), ""),
  ];
  return `${blocks.filter((block) => block !== "").join("\n\n")}\n`;
}

function readerRow(reader: Reader): readonly string[] {
  const { principal, reads, first = "", last = "", networks, clients, versions, knownAs } = reader;
  const marks = [
    knownAs === undefined ? "**not known as a reader**" : plain(knownAs),
    reader.isForeign ? `**account ${plain(reader.account)}**` : "",
    reader.isPerson ? "a person" : "",
    ...reader.accessKeys.map((id) => `**key** ${code(id)}`),
  ];
  return [
    `${code(principal)} ${marks.filter((mark) => mark !== "").join(", ")}`,
    String(reads),
    first,
    last,
    networks.map(({ kind, key }) => `${kind} ${code(key)}`).join(", ") || "not on record",
    clients.map(({ client }) => client).join(", ") || "not on record",
    versions
      .map(({ versionId, label, by, reads: given }) =>
        `${versionId === undefined ? `unknown${label === undefined ? "" : ` (${plain(label)})`}` : code(versionId)} ${HOW[by]}${versions.length > 1 ? ` ×${given}` : ""}`.trim(),
      )
      .join(", "),
  ];
}

const HOW = {
  request: "proven by the request",
  kms: "proven by KMS",
  timeline: "inferred from when the label moved",
  nothing: "",
} as const;

function pairingOf({ pairing }: BlastRadius): string {
  const { readsProvenByKms, readsWithoutDecrypt, decryptsWithoutRead, batchesAlone } = pairing;
  return [
    `KMS proves the version of ${many(readsProvenByKms, "read")}; of ${readsWithoutDecrypt.toLocaleString("en")} no Decrypt was found, or looked for.`,
    decryptsWithoutRead > 0
      ? `${many(decryptsWithoutRead, "Decrypt")} without a read on record, as a batch leaves them, ${decryptsWithoutRead === 1 ? "counts" : "count"} as reads.`
      : "",
    batchesAlone > 0
      ? `${many(batchesAlone, "batch", "batches")} named the secret with neither on record, and ${batchesAlone === 1 ? "counts" : "count"} as reads.`
      : "",
  ]
    .filter((sentence) => sentence !== "")
    .join(" ");
}

function restsOn({ coverage }: BlastRadius): readonly string[] {
  const { place, asked, searched, pages, trails } = coverage;
  const [account = "", region = ""] = place.split("/");
  return [
    `the event history of account ${plain(account)} in ${plain(region)}, which holds management events of 90 days, whether or not there is a trail`,
    searched === undefined
      ? `asked for ${asked.from} to ${asked.to}, of which nothing was searched to its end`
      : `searched from ${searched.from} to ${searched.to}, ${many(pages, "page")}`,
    ...trails.map(
      ({ name, homeRegion, isMultiRegion, isOrganization, isLogging, logsReads, logsKms, bucket }) => {
        const facts = [
          isLogging ? "logging" : "**not logging**",
          isMultiRegion ? "all Regions" : plain(homeRegion),
          isOrganization ? "the whole organisation" : "",
          logsReads === undefined ? "reads: not known" : logsReads ? "with reads" : "without reads",
          logsKms === undefined ? "KMS: not known" : logsKms ? "with KMS" : "without KMS",
          bucket === undefined ? "" : `files in ${code(bucket)}`,
        ];
        return `trail ${code(name)}: ${facts.filter((fact) => fact !== "").join(", ")}`;
      },
    ),
  ];
}

function section(
  title: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): readonly string[] {
  return rows.length === 0 ? [] : [`## ${title}`, table(head, rows, "")];
}

function table(head: readonly string[], rows: readonly (readonly string[])[], none: string): string {
  if (rows.length === 0) return none;
  const lines = [head, head.map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

const list = (items: readonly string[], none: string) =>
  items.length === 0 ? none : items.map((item) => `- ${item}`).join("\n");

const many = (count: number, one: string, more = `${one}s`) =>
  `${count.toLocaleString("en")} ${count === 1 ? one : more}`;

const bounded = (text: string) => {
  const characters = [...text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, " ")];
  return characters.length > MOST_CHARACTERS
    ? `${characters.slice(0, MOST_CHARACTERS).join("")}…`
    : characters.join("");
};

/** A block of code; after a list it would be the last item's. */
const indented = (command: string) =>
  `<!-- -->\n\n    ${command.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, " ")}`;

/** In a code span nothing is a link, a mention or a tag; what would end the span or the cell is replaced. */
const code = (text: string) => `\`${bounded(text).replaceAll("`", "'").replaceAll("|", "\\|") || " "}\``;

/** Every mark that means something to Markdown or HTML stands for itself. */
const plain = (text: string) => bounded(text).replace(/[\\`*_[\]<>|~#&@]/g, "\\$&");
