// Jest's matchers are of type `any`; here they are values that nobody may look into.
export const anyText: unknown = expect.any(String);

export const containing = (text: string): unknown => expect.stringContaining(text);

export const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern);
