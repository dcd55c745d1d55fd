export interface XmlElement {
  /** Without a prefix. */
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: XmlElement[];
  text: string;
}

export class XmlError extends Error {
  override readonly name = "XmlError";
}

const token =
  /<\?[^>]*\?>|<!--[^]*?-->|<\/([\w:.-]+)\s*>|<([\w:.-]+)((?:\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(\/?)>|[^<]+/y;
const deepest = 20;

/** Reads the small documents of the management API: elements, attributes and text; no document types, no sections of data. */
export function parseXml(source: string): XmlElement {
  const root = element("", "");
  const open = [root];
  token.lastIndex = 0;
  while (token.lastIndex < source.length) {
    const at = token.lastIndex;
    const found = token.exec(source);
    if (!found) throw new XmlError(`The document is not understood at position ${at}.`);
    const [text, closing, opening, attributes = "", selfClosed] = found;
    const parent = open.at(-1) ?? root;
    if (closing !== undefined) {
      if (open.length === 1 || parent.name !== localName(closing)) throw new XmlError(`</${closing}> closes nothing.`);
      open.pop();
    } else if (opening !== undefined) {
      const child = element(localName(opening), attributes);
      parent.children.push(child);
      if (selfClosed === "") open.push(child);
      if (open.length > deepest) throw new XmlError("The document is nested too deeply.");
    } else if (!text.startsWith("<")) {
      parent.text += decodeText(text);
    }
  }
  const [document] = root.children;
  if (!document || root.children.length > 1 || open.length > 1)
    throw new XmlError("The document has no end, or more than one root.");
  return document;
}

export function childOf(parent: XmlElement | undefined, name: string): XmlElement | undefined {
  return parent?.children.find((child) => child.name === name);
}

/** Text as it may stand between tags and in attributes. */
export function escapeXml(text: string): string {
  return text.replace(/[<>&"']/g, (character) => `&${entityNames.get(character) ?? ""};`);
}

function element(name: string, attributes: string): XmlElement {
  const pairs = [...attributes.matchAll(/([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)].map(
    ([, key = "", double, single]) => [localName(key), decodeText(double ?? single ?? "")] as const,
  );
  return { name, attributes: new Map(pairs), children: [], text: "" };
}

function localName(name: string): string {
  return name.slice(name.indexOf(":") + 1);
}

const named = new Map([
  ["lt", "<"],
  ["gt", ">"],
  ["amp", "&"],
  ["quot", '"'],
  ["apos", "'"],
]);

/** Clients read the named ones only. */
const entityNames = new Map([...named].map(([name, character]) => [character, name]));

function decodeText(text: string): string {
  return text.replace(/&(?:#x([\da-f]+)|#(\d+)|(\w+));/gi, (whole, ...[hex, decimal, name]: (string | undefined)[]) => {
    if (name !== undefined) return named.get(name) ?? whole;
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
