const { app } = require("@azure/functions");

const answer = (name) => (request) => ({ jsonBody: { name, params: { ...request.params } } });
const get = (name, route) => app.http(name, { route, methods: ["GET"], handler: answer(name) });

get("product", "products/{category:alpha}/{id:int?}");
get("productWord", "products/{category}/{word}");
get("featured", "products/featured/{id:int?}");
get("guid", "things/{id:guid}");
get("range", "pages/{n:range(1,9)}");
get("length", "codes/{code:length(3)}");
get("regex", "plates/{plate:regex(^[[a-z]]{{2}}\\d+$)}");
get("date", "days/{day:datetime}");
get("flag", "flags/{on:bool}");
get("decimal", "prices/{price:decimal}");
get("rest", "files/{*path}");
get("defaulted", "greet/{who=world}");

app.http("readThing", { route: "thing/{id}", methods: ["GET"], handler: answer("readThing") });
app.http("writeThing", { route: "thing/{id}", methods: ["PUT", "DELETE"], handler: answer("writeThing") });
app.get("short", (request) => ({ body: request.method }));
app.http("defaultMethods", { handler: answer("defaultMethods") });
