import type { WireReply } from "../http/wire";
import type { Principal } from "./directory";

const escape = (text: string): string => text.replace(/[&<>"']/g, (letter) => `&#${String(letter.charCodeAt(0))};`);

const hidden = (fields: Readonly<Record<string, string>>): string =>
  Object.entries(fields)
    .map(([name, value]) => `<input type="hidden" name="${escape(name)}" value="${escape(value)}">`)
    .join("\n");

interface Page {
  readonly title: string;
  /** Trusted HTML: whatever a stranger wrote in it was escaped. */
  readonly html: string;
  readonly status?: number;
}

export const page = ({ title, html, status = 200 }: Page): WireReply => ({
  status,
  headers: {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
  },
  text: `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escape(title)}</title>
<style>body{font:16px system-ui;margin:4rem auto;max-width:32rem}button{display:block;width:100%;margin:.5rem 0;padding:.6rem;text-align:left}</style>
</head><body><h1>${escape(title)}</h1>
${html}
</body></html>
`,
});

/** Nobody has a password here: whoever sits at the keyboard picks the user to be. */
export function userPicker({
  users,
  hint,
}: {
  readonly users: readonly Principal[];
  readonly hint: string | undefined;
}): string {
  const wanted = hint?.trim().toLowerCase();
  const hinted = users.filter(({ userPrincipalName }) => userPrincipalName?.toLowerCase() === wanted);
  const shown = hinted.length > 0 ? hinted : users;
  if (shown.length === 0) return "<p>The directory has no users.</p>";
  return shown
    .map(
      ({ displayName, userPrincipalName = "" }) =>
        `<button name="user" value="${escape(userPrincipalName)}">${escape(displayName)}<br><small>${escape(userPrincipalName)}</small></button>`,
    )
    .join("\n");
}

export function signInPage(
  clientName: string,
  { picker, fields }: { readonly picker: string; readonly fields: Readonly<Record<string, string>> },
): WireReply {
  return page({
    title: "Sign in to the local directory",
    html: `<p>${escape(clientName)} wants to act for you.</p>
<form method="post">
${hidden(fields)}
${picker}
<button name="decision" value="decline">Cancel</button>
</form>`,
  });
}

export function deviceCodePage({
  picker,
  userCode,
}: {
  readonly picker: string;
  readonly userCode: string;
}): WireReply {
  return page({
    title: "Enter the code that your device shows",
    html: `<form method="post">
<p><input name="user_code" value="${escape(userCode)}" autocomplete="off" autofocus required></p>
${picker}
<button name="decision" value="decline">Decline</button>
</form>`,
  });
}

export const notePage = (title: string, note: string, status = 200): WireReply =>
  page({ title, html: `<p>${escape(note)}</p>`, status });

/** Posts itself to the client, as `response_mode=form_post` wants it. */
export function formPostPage(redirectUri: string, fields: Readonly<Record<string, string>>): WireReply {
  return page({
    title: "Working...",
    html: `<form method="post" name="hiddenform" action="${escape(redirectUri)}">
${hidden(fields)}
<noscript><button>Continue</button></noscript>
</form><script>document.forms[0].submit()</script>`,
  });
}
