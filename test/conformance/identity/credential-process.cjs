/* Run as a process of its own: credentials read the environment, and Node its extra authorities, when a process starts. */
const identity = require("@azure/identity");

const { kind, options, scope } = JSON.parse(process.argv[2]);
new identity[kind](options)
  .getToken(scope)
  .then(({ token }) => process.stdout.write(token))
  .catch((error) => {
    process.stderr.write(`${error.name}: ${error.message}\n`);
    process.exitCode = 1;
  });
