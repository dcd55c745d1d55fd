import { parseJsonBody } from "../http/wire";

/** The body of a request to ARM: JSON, or what ARM takes for it. Of a text that is neither, the strict reader says why. */
export function parseArmBody(body: Buffer): ReturnType<typeof parseJsonBody> {
  const strict = parseJsonBody(body);
  if (strict.ok) return strict;
  const json = toStrictJson(body.toString("utf8"));
  const lenient = json === undefined ? strict : parseJsonBody(Buffer.from(json));
  return lenient.ok ? lenient : strict;
}

/**
 * ARM reads more than JSON: comments, names without quotes, single quotes, line ends in strings, a comma too many
 * (Newtonsoft's reader). `az deployment` relies on it: it sends `template:` without quotes, and the file's comments.
 * Rewrites such a text to JSON; `undefined` where a comment or a string has no end. Linear in the text's length.
 */
export function toStrictJson(text: string): string | undefined {
  const parts: string[] = [];
  let at = 0;
  // A comma waits until it is known that something follows it.
  let comma = false;
  while (at < text.length) {
    const piece = readPiece(text, at);
    if (!piece) return undefined;
    at = piece.end;
    if (piece.json === " ") {
      parts.push(" ");
      continue;
    }
    if (comma && piece.json !== "}" && piece.json !== "]") parts.push(",");
    comma = piece.json === ",";
    if (!comma) parts.push(piece.json);
  }
  return parts.join("");
}

interface Piece {
  readonly json: string;
  readonly end: number;
}

const NAME = /[A-Za-z_$][\w$]*/y;

function readPiece(text: string, at: number): Piece | undefined {
  const letter = text.charAt(at);
  if (/\s/.test(letter)) return { json: " ", end: at + 1 };
  if (letter === '"' || letter === "'") return readString(text, at, letter);
  if (letter === "/") return skipComment(text, at);
  NAME.lastIndex = at;
  const word = NAME.exec(text)?.[0];
  if (!word) return { json: letter, end: at + 1 };
  const end = at + word.length;
  return { json: isName(text, end) ? JSON.stringify(word) : word, end };
}

/** Only a name may stand without quotes; of a value the strict reader says that it is none. */
const isName = (text: string, end: number): boolean => /^\s{0,100}:/.test(text.slice(end, end + 101));

function readString(text: string, start: number, quote: string): Piece | undefined {
  const parts: string[] = [];
  let copiedTo = start + 1;
  const rewrite = (at: number, length: number, json: string): void => {
    parts.push(text.slice(copiedTo, at), json);
    copiedTo = at + length;
  };
  for (let at = start + 1; at < text.length; at += 1) {
    const letter = text.charAt(at);
    if (letter === quote) return { json: `"${parts.join("")}${text.slice(copiedTo, at)}"`, end: at + 1 };
    if (letter === "\\") {
      if (text.charAt(at + 1) === "'") rewrite(at, 2, "'");
      at += 1;
    } else if (letter < " " || letter === '"') rewrite(at, 1, JSON.stringify(letter).slice(1, -1));
  }
  return undefined;
}

function skipComment(text: string, at: number): Piece | undefined {
  const mark = text.slice(at, at + 2);
  const close = mark === "//" ? "\n" : "*/";
  if (mark !== "//" && mark !== "/*") return undefined;
  const found = text.indexOf(close, at + 2);
  if (found < 0) return mark === "//" ? { json: " ", end: text.length } : undefined;
  return { json: " ", end: found + close.length };
}
