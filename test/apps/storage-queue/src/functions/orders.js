// An order comes over HTTP, is put on a queue, handled from there, and its receipt goes to a second queue.
const { app, output } = require("@azure/functions");

const connection = "AzureWebJobsStorage";
const orders = output.storageQueue({ queueName: "%ORDERS%", connection });
const receipts = output.storageQueue({ queueName: "%ORDERS%-receipts", connection });

app.http("order", {
  methods: ["POST"],
  extraOutputs: [orders],
  handler: async (request, context) => {
    context.extraOutputs.set(orders, await request.json());
    return { status: 202 };
  },
});

let underWay = 0;
let most = 0;
const seen = [];

app.storageQueue("takeOrder", {
  queueName: "%ORDERS%",
  connection,
  return: receipts,
  handler: async (order, context) => {
    const { id, dequeueCount, insertionTime, queueTrigger } = context.triggerMetadata;
    seen.push({ order, dequeueCount, id: typeof id, insertionTime, queueTrigger });
    underWay += 1;
    most = Math.max(most, underWay);
    await new Promise((resolve) => setTimeout(resolve, order.waitMs ?? 0));
    underWay -= 1;
    if (order.fails) throw new Error(`order ${order.n} cannot be taken`);
    if (order.silent) return undefined;
    return order.lines ? order.lines.map((line) => ({ n: order.n, line })) : { n: order.n, taken: true };
  },
});

const lost = [];
app.storageQueue("lostOrder", {
  queueName: "%ORDERS%-poison",
  connection,
  handler: (order) => void lost.push(order),
});

app.http("seen", { methods: ["GET"], handler: () => ({ jsonBody: { seen, lost, most } }) });
