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
 * download; otherwise both come from the estate's image account with the machine identity and must match their hashes. At each boot,
 * before the agent runs, containers are cut off from the metadata service and the host's own address; only those on the network
 * `corral-identity`, where the agent puts jobs that ask for the machine's identity, reach the former.
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
cat > /opt/corral/isolate.sh <<'ISOLATE'
docker network inspect corral-identity > /dev/null 2>&1 ||
  docker network create --opt com.docker.network.bridge.name=br-corral-id corral-identity
for rule in '-d 169.254.169.254 -j DROP' '-d 168.63.129.16 -j DROP' '-i br-corral-id -d 169.254.169.254 -j RETURN'; do
  read -ra words <<< "$rule"
  iptables -C DOCKER-USER "\${words[@]}" 2> /dev/null || iptables -I DOCKER-USER "\${words[@]}"
done
ISOLATE
cat > /etc/systemd/system/corral-agent.service <<'UNIT'
[Unit]
Description=Corral agent
After=network-online.target docker.service
Wants=network-online.target
[Service]
ExecStartPre=/bin/bash -euo pipefail /opt/corral/isolate.sh
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
