/* Run as a process of its own: the credential starts `az` with the environment of its process. */
const { AzureCliCredential } = require("@azure/identity");

new AzureCliCredential({ processTimeoutInMs: 60_000 })
  .getToken("https://management.azure.com/.default")
  .then(({ token }) => process.stdout.write(token))
  .catch((error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exitCode = 1;
  });
