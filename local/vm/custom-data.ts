const CONFIG_START = "cat > /etc/corral/agent.json <<'CORRAL'";
const CONFIG_END = "CORRAL";

/** The agent's configuration in a VM's custom data: the JSON itself, or a boot script that writes it by a here-document. */
export function customDataConfig(text: string): string | undefined {
  const trimmed = text.trim();
  if (trimmed.startsWith("{")) return isJson(trimmed) ? trimmed : undefined;
  const lines = text.split(/\r?\n/);
  const start = lines.findIndex((line) => line.trim() === CONFIG_START);
  if (start < 0) return undefined;
  const end = lines.findIndex((line, index) => index > start && line.trim() === CONFIG_END);
  const config = lines
    .slice(start + 1, end < 0 ? undefined : end)
    .join("\n")
    .trim();
  return isJson(config) ? config : undefined;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}
