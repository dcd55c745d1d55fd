/** JSON as the real host and its tools read their files: a byte order mark, comments and a comma before a bracket may stand in it. */
export function parseLenientJson(text: string): unknown {
  return JSON.parse(text.replace(/^\uFEFF/, "").replace(TOKEN, tokenText));
}

/** Strings are matched first, so that nothing inside one is taken for a comment. */
const TOKEN = /"(?:[^"\\]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\/|,(?=(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*[\]}])/g;

function tokenText(token: string): string {
  return token.startsWith('"') ? token : "";
}
