// `corral`: a client of the HTTP API.
process.stderr.write("not yet\n");
