import { Agent } from "./agent";
import { createServiceClient } from "./api";
import { openContainer } from "./blob";
import { runCommand } from "./command";
import { openDisk } from "./disk";
import { createDocker } from "./docker";
import { createMetadata } from "./metadata";
import { createProbes } from "./probes";
import { createRegistration } from "./registration";
import { readSettings } from "./settings";

/** The program of a GPU VM: takes jobs from the service and runs them as containers. Its service manager starts it again whenever it ends. */
async function main(): Promise<never> {
  const log = (line: string): void => void process.stderr.write(`${line}\n`);
  const settings = readSettings();
  const { apiUrl, stateFolder, commandEnvironment, graceMs, retryBaseMs } = settings;
  const disk = openDisk(stateFolder);
  const metadata = createMetadata(settings.metadataUrl);
  const token = metadata.token.bind(metadata);
  const service = createServiceClient({ apiUrl, token });
  const engine = createDocker({ environment: commandEnvironment, stateFolder });
  const [powerOffFile = "", ...powerOffArgs] = settings.powerOffCommand;
  return new Agent({
    service,
    metadata,
    registration: createRegistration({ settings, service, metadata, disk, log }),
    disk,
    probes: createProbes(commandEnvironment),
    run: {
      engine,
      stateFolder,
      openContainer: (url) => openContainer(url, { token, retryBaseMs }),
      graceMs,
      retryBaseMs,
      log,
    },
    osBootId: settings.osBootId,
    powerOff: async () => {
      const { code, stderr } = await runCommand(powerOffFile, powerOffArgs, { env: commandEnvironment });
      if (code !== 0) log(`${powerOffFile}: exit ${code}: ${stderr.trim()}`);
    },
  }).run();
}

main().catch((error: unknown) => {
  process.stderr.write(`the agent ends: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(1);
});
