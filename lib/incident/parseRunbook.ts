/**
 * The form of a runbook's page: front matter, then `##` phases, in them `###` steps with one `yaml step` block each, and
 * prose. A `##` that is no phase begins a part for reading only, which may hold anything but steps. Nothing is judged here
 * but the form. Build only: what parses Markdown and YAML does not come near a Lambda.
 */
import { createHash } from "node:crypto";
import { fromMarkdown } from "mdast-util-from-markdown";
import type { Complain, Problem } from "./problem.ts";
import { PHASES, type Phase } from "./runbook.ts";
import { type Block, readYaml } from "./yamlBlock.ts";

export interface Page {
  /** From the root of the repository. */
  readonly file: string;
  readonly text: string;
}

export interface Draft {
  readonly file: string;
  readonly front: Block;
  readonly opening: Prose;
  readonly steps: readonly DraftStep[];
  readonly hash: string;
}

export interface DraftStep {
  readonly title: string;
  readonly phase: Phase;
  readonly line: number;
  readonly block: Block;
  readonly prose: Prose;
}

/** Markdown, in the pieces that its blank lines make of it. */
export type Prose = readonly { readonly line: number; readonly type: string; readonly text: string }[];

export function parseRunbook({ file, text }: Page): {
  readonly draft?: Draft;
  readonly problems: readonly Problem[];
} {
  const source = normalised(text);
  const problems: Problem[] = [];
  const complain = (line: number, what: string, fix: string) => void problems.push({ file, line, what, fix });
  const front = /^---\n([\s\S]*?\n)---\n/.exec(source);
  if (!front) {
    complain(1, "it has no front matter", 'begin with a line "---", the fields, and another "---"');
    return { problems };
  }
  // Blank lines in its place keep every line's number.
  const body = front[0].replaceAll(/[^\n]/g, "") + source.slice(front[0].length);
  const { opening, steps } = new Walk(body, complain).result();
  const hash = createHash("sha256").update(source).digest("hex");
  const draft = { file, front: readYaml(front[1] ?? "", 2, complain), opening, steps, hash };
  return { draft, problems };
}

/** What two editors may write differently without meaning it. */
const normalised = (text: string): string =>
  `${text
    .replace(/^\uFEFF/, "")
    .normalize("NFC")
    .replaceAll(/\r\n?/g, "\n")
    .replaceAll(/[ \t]+$/gm, "")
    .trimEnd()}\n`;

type Piece = ReturnType<typeof fromMarkdown>["children"][number];
interface OpenStep {
  readonly title: string;
  readonly phase: Phase;
  readonly line: number;
  block?: Block;
  readonly prose: Prose[number][];
}

class Walk {
  private readonly opening: Prose[number][] = [];
  private readonly steps: OpenStep[] = [];
  private place: "opening" | Phase | "reading" = "opening";
  private phase: Phase | undefined;
  private step: OpenStep | undefined;
  private readonly body: string;
  private readonly complain: Complain;

  constructor(body: string, complain: Complain) {
    this.body = body;
    this.complain = complain;
    for (const piece of fromMarkdown(body).children) this.take(piece, piece.position?.start.line ?? 1);
  }

  result(): { opening: Prose; steps: DraftStep[] } {
    const steps = this.steps.flatMap((step) => {
      if (step.block) return [{ ...step, block: step.block }];
      this.complain(
        step.line,
        `the step "${step.title}" has no block`,
        "give it a fenced block that begins with ```yaml step",
      );
      return [];
    });
    return { opening: this.opening, steps };
  }

  private take(piece: Piece, line: number): void {
    if (piece.type === "heading" && piece.depth === 1)
      this.complain(
        line,
        "it has a heading of the first rank",
        "take it out; the title is in the front matter",
      );
    else if (piece.type === "heading" && piece.depth === 2) this.begin(this.textOf(piece), line);
    else if (piece.type === "code" && isStepBlock(piece)) this.block(piece.value, line);
    else if (this.place === "reading") return;
    else if (piece.type === "heading" && piece.depth === 3) this.beginStep(this.textOf(piece), line);
    else if (this.place === "opening") this.opening.push(this.proseOf(piece, line));
    else if (this.step) this.step.prose.push(this.proseOf(piece, line));
    else
      this.complain(
        line,
        `text stands between "## ${this.place}" and its first step`,
        "move it into a step; nobody would be shown it",
      );
  }

  private begin(title: string, line: number): void {
    this.step = undefined;
    const phase = PHASES.find((one) => one === title);
    const before = this.phase === undefined ? -1 : PHASES.indexOf(this.phase);
    if (phase && PHASES.indexOf(phase) <= before)
      this.complain(
        line,
        `the phase ${phase} stands after ${this.phase}`,
        `keep this order, each once: ${PHASES.join(", ")}`,
      );
    this.phase = phase ?? this.phase;
    this.place = phase ?? "reading";
  }

  private beginStep(title: string, line: number): void {
    if (this.place === "opening" || this.place === "reading") {
      this.complain(
        line,
        `the step "${title}" stands before any phase`,
        `put it under one of: ${PHASES.join(", ")}`,
      );
      return;
    }
    this.step = { title, phase: this.place, line, prose: [] };
    this.steps.push(this.step);
  }

  private block(yaml: string, line: number): void {
    if (!this.step)
      this.complain(
        line,
        "a step block stands outside of any step",
        'put it under a "###" heading in a phase',
      );
    else if (this.step.block)
      this.complain(line, `the step "${this.step.title}" has a second block`, "give it a heading of its own");
    else this.step.block = readYaml(yaml, line + 1, this.complain);
  }

  private proseOf(piece: Piece, line: number): Prose[number] {
    const { start, end } = piece.position ?? {};
    const text = this.body.slice(start?.offset, end?.offset);
    // Tables are an extension to this parser, and so is the front matter: to it they are paragraphs.
    const isTable = piece.type === "paragraph" && /^\s*\|.*\|\s*$/m.test(text);
    return { line, type: isTable ? "table" : (hidden(piece) ?? piece.type), text };
  }

  private textOf = (piece: Piece): string =>
    this.body
      .slice(piece.position?.start.offset, piece.position?.end.offset)
      .replace(/^#+\s*/, "")
      .trim();
}

const isStepBlock = ({
  lang,
  meta,
}: {
  lang?: string | null | undefined;
  meta?: string | null | undefined;
}) => /^ya?ml$/i.test(lang ?? "") && (meta ?? "").trim() === "step";

/** HTML and pictures stand within paragraphs as well. */
function hidden(piece: { type: string; children?: { type: string }[] }): string | undefined {
  if (piece.type === "html" || piece.type === "image") return piece.type;
  for (const child of piece.children ?? []) {
    const found = hidden(child);
    if (found !== undefined) return found;
  }
  return undefined;
}
