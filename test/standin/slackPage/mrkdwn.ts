/**
 * Slack's markup as spans, for whoever draws it; nothing in here makes HTML. What Slack would show as a mention or as a link
 * is one here as well, so that text from outside that was not defused is seen to be so. Pure; the page loads this very file.
 */

export type Span =
  | { readonly kind: "text" | "code" | "pre"; readonly text: string }
  | { readonly kind: "bold" | "italic" | "strike" | "quote"; readonly spans: readonly Span[] }
  | { readonly kind: "link"; readonly href: string; readonly text: string }
  /** `@U1`, `#C1`, `@channel`: the page knows the names. */
  | { readonly kind: "mention"; readonly text: string }
  | { readonly kind: "emoji"; readonly name: string };

export function parseMrkdwn(text: string): readonly Span[] {
  // The odd pieces stood between fences.
  return text
    .split(/```\n?([\s\S]+?)```\n?/)
    .flatMap((piece, at) =>
      at % 2 === 1 ? [{ kind: "pre" as const, text: unescaped(piece) }] : lines(piece),
    );
}

/** Only emoji have a meaning there. */
export function parsePlain(text: string): readonly Span[] {
  return text
    .split(/:([a-z0-9_+-]+):/)
    .map((piece, at): Span => (at % 2 === 1 ? { kind: "emoji", name: piece } : { kind: "text", text: piece }))
    .filter((span) => span.kind !== "text" || span.text !== "");
}

function lines(text: string): readonly Span[] {
  const spans: Span[] = [];
  let quoted: string[] = [];
  let plain: string[] = [];
  const endQuote = () => {
    if (quoted.length > 0) spans.push({ kind: "quote", spans: inline(quoted.join("\n")) });
    quoted = [];
  };
  const endPlain = () => {
    spans.push(...inline(plain.join("\n")));
    plain = [];
  };
  for (const line of text.split("\n")) {
    const quote = /^(?:&gt;|>) ?(.*)$/.exec(line)?.[1];
    if (quote === undefined) {
      endQuote();
      plain.push(line);
    } else {
      endPlain();
      quoted.push(quote);
    }
  }
  endPlain();
  endQuote();
  return spans;
}

const WITHIN = (mark: string) => String.raw`(?=[^\s${mark}])([^${mark}\n]*[^\s${mark}])`;
const TOKENS = new RegExp(
  [
    "`([^`\\n]+)`",
    "<([^<>\\n]+)>",
    `(?<!\\w)\\*${WITHIN("*")}\\*(?!\\w)`,
    `(?<!\\w)_${WITHIN("_")}_(?!\\w)`,
    `(?<!\\w)~${WITHIN("~")}~(?!\\w)`,
    ":([a-z0-9_+-]{1,64}):",
    "(https?://[^\\s<>]+)",
  ].join("|"),
  "g",
);

function inline(text: string): readonly Span[] {
  const spans: Span[] = [];
  let from = 0;
  for (const found of text.matchAll(TOKENS)) {
    const before = text.slice(from, found.index);
    if (before !== "") spans.push({ kind: "text", text: unescaped(before) });
    spans.push(spanOf(found));
    from = found.index + found[0].length;
  }
  const rest = text.slice(from);
  if (rest !== "") spans.push({ kind: "text", text: unescaped(rest) });
  return spans;
}

function spanOf([all, code, angled, bold, italic, strike, emoji, url]: RegExpExecArray): Span {
  if (code !== undefined) return { kind: "code", text: unescaped(code) };
  if (angled !== undefined) return angledSpan(angled);
  if (bold !== undefined) return { kind: "bold", spans: inline(bold) };
  if (italic !== undefined) return { kind: "italic", spans: inline(italic) };
  if (strike !== undefined) return { kind: "strike", spans: inline(strike) };
  if (emoji !== undefined) return { kind: "emoji", name: emoji };
  return { kind: "link", href: unescaped(url ?? all), text: unescaped(url ?? all) };
}

function angledSpan(content: string): Span {
  const [target = "", label] = content.split("|", 2);
  const said = label === undefined ? undefined : unescaped(label);
  if (/^[@#]/.test(target)) return { kind: "mention", text: said ? `${target.slice(0, 1)}${said}` : target };
  if (target.startsWith("!date^")) return { kind: "text", text: said ?? "" };
  if (target.startsWith("!")) return { kind: "mention", text: `@${target.slice(1)}` };
  // No other scheme is a link, least of all javascript:.
  if (/^(https?:\/\/|mailto:)/i.test(target)) {
    return { kind: "link", href: unescaped(target), text: said ?? unescaped(target) };
  }
  return { kind: "text", text: unescaped(`<${content}>`) };
}

const SIGNS: Readonly<Record<string, string>> = { "&lt;": "<", "&gt;": ">", "&amp;": "&" };

const unescaped = (text: string) => text.replace(/&(?:lt|gt|amp);/g, (found) => SIGNS[found] ?? found);
