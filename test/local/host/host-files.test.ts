import { parseLenientJson } from "../../../local/host/lenient-json";
import { LogLevels } from "../../../local/host/log-level";
import { elementsOf } from "../../../local/host/output-values";
import { isDisabled } from "../../../local/host/settings";

it.each([
  ['\uFEFF{"a":1}', { a: 1 }],
  ['{"a":"// no comment", /* one */ "b":2, // another\n}', { a: "// no comment", b: 2 }],
  ['{"a":["x,]", 1, ], "b":"\\",}"}', { a: ["x,]", 1], b: '",}' }],
])("reads %s as the tools do", (text, expected) => {
  expect(parseLenientJson(text)).toEqual(expected);
});

it.each(["{", '{"a":1,,}', "{a:1}"])("does not read %s", (text) => {
  expect(() => parseLenientJson(text)).toThrow();
});

const levels = new LogLevels({ default: "Warning", Function: "Information", "Function.noisy": "None" });

it.each([
  ["information", "Host.Startup", false],
  ["warning", "Host.Startup", true],
  ["information", "Function.quiet", true],
  ["debug", "Function.quiet", false],
  ["error", "Function.noisy.User", false],
  ["information", "Function.noisyToo", true],
])("%s of %s is shown: %s", (level, category, expected) => {
  expect(levels.isShown(level, category)).toBe(expected);
});

it.each([
  [{ "AzureWebJobs.f.Disabled": "true" }, true],
  [{ AzureWebJobs__f__Disabled: "1" }, true],
  [{ "AzureWebJobs.f.Disabled": "false" }, false],
  [{ "AzureWebJobs.g.Disabled": "true" }, false],
])("%j disables f: %s", (settings, expected) => {
  expect(isDisabled("f", settings)).toBe(expected);
});

it.each([
  [{ string: "a" }, ["a"], ["text/plain"]],
  [{ json: '{"a":1}' }, ['{"a":1}'], ["application/json"]],
  [{ json: '["a",{"b":2},null]' }, ["a", '{"b":2}'], ["text/plain", "application/json"]],
  [{ bytes: Buffer.from("x") }, ["x"], ["application/octet-stream"]],
  [{ json: JSON.stringify([Buffer.from("y")]) }, ["y"], ["application/octet-stream"]],
  [{ int: 7 }, ["7"], ["text/plain"]],
])("makes messages of %j", (data, texts, types) => {
  const elements = elementsOf(data);

  expect(elements.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(texts);
  expect(elements.map(({ contentType }) => contentType)).toEqual(types);
});
