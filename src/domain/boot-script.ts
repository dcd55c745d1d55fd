/** What a VM is told at its creation, and all it is told (design 5). Azure lets nobody change custom data later. */
export interface BootConfig {
  readonly apiUrl: string;
  readonly org: string;
  readonly machineId: string;
  readonly bootNonce: string;
  readonly agentUrl?: string;
  readonly agentSha256?: string;
  readonly runtimeUrl?: string;
  readonly runtimeSha256?: string;
}

/**
 * Custom data of a VM: the script that cloud-init runs at first boot. An image that has Node and the agent baked in skips the
 * download; otherwise both come from the estate's image account with the machine identity and must match their hashes.
 */
export function bootScriptOf(config: BootConfig): string {
  return `#!/bin/bash
set -euo pipefail
umask 077
mkdir -p /etc/corral /opt/corral /var/lib/corral
cat > /etc/corral/agent.json <<'CORRAL'
${JSON.stringify(config)}
CORRAL
setting() { sed -n "s/.*\\"$1\\":\\"\\([^\\"]*\\)\\".*/\\1/p" /etc/corral/agent.json; }
fetch() { # url sha256 file
  local token
  token=$(curl -fsS --retry 20 --retry-all-errors --retry-max-time 900 -H Metadata:true \\
    'http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fstorage.azure.com%2F' |
    sed -n 's/.*"access_token":"\\([^"]*\\)".*/\\1/p')
  curl -fsS --retry 20 --retry-all-errors --retry-max-time 900 -H "Authorization: Bearer $token" -H 'x-ms-version: 2021-08-06' -o "$3" "$1"
  echo "$2  $3" | sha256sum --check --quiet
}
if [ ! -x /opt/corral/node ]; then fetch "$(setting runtimeUrl)" "$(setting runtimeSha256)" /opt/corral/node; chmod 0755 /opt/corral/node; fi
if [ ! -f /opt/corral/agent.js ]; then fetch "$(setting agentUrl)" "$(setting agentSha256)" /opt/corral/agent.js; fi
cat > /etc/systemd/system/corral-agent.service <<'UNIT'
[Unit]
Description=Corral agent
After=network-online.target docker.service
Wants=network-online.target
[Service]
ExecStart=/opt/corral/node /opt/corral/agent.js
Restart=always
RestartSec=2
[Install]
WantedBy=multi-user.target
UNIT
systemctl daemon-reload
systemctl enable --now corral-agent.service
`;
}
