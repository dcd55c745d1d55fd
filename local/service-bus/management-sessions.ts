import { types } from "rhea";
import { badRequest, ok, sessionIdOf, sessionLost, type Body, type Operations } from "./management-reply";
import type { MessageQueue } from "./message-queue";
import type { AmqpReply } from "./request-links";
import type { ServerParts } from "./server-parts";

const stringCode = 0xb1;
/** Later than any session: the caller asks for those with messages, whenever they came. */
const anyTime = Date.UTC(3000, 0);

export const sessionOperations: Operations = {
  "renew-session-lock": { right: "Listen", run: renewSession },
  "get-session-state": { right: "Listen", run: getState },
  "set-session-state": { right: "Listen", run: setState },
  "get-message-sessions": { right: "Listen", run: listSessions },
};

const noSessions = badRequest("The entity does not require sessions.");

function renewSession(queue: MessageQueue, body: Body, { now }: ServerParts): AmqpReply {
  const id = sessionIdOf(body);
  if (!queue.sessions || id === undefined) return noSessions;
  const until = queue.sessions.renew(id, now());
  return until === undefined ? sessionLost : ok({ expiration: types.wrap_timestamp(until) });
}

/** Only who holds a session may read or write its state. */
function getState(queue: MessageQueue, body: Body, { now }: ServerParts): AmqpReply {
  const id = sessionIdOf(body);
  if (!queue.sessions || id === undefined) return noSessions;
  if (!queue.sessions.lockOf(id, now())) return sessionLost;
  const state = queue.sessions.stateOf(id);
  return ok({ "session-state": state ? types.wrap_binary(state) : null });
}

function setState(queue: MessageQueue, body: Body, { now }: ServerParts): AmqpReply {
  const id = sessionIdOf(body);
  if (!queue.sessions || id === undefined) return noSessions;
  if (!queue.sessions.lockOf(id, now())) return sessionLost;
  const state = body["session-state"];
  queue.setSessionState(id, Buffer.isBuffer(state) ? Buffer.from(state) : undefined, now());
  return ok();
}

function listSessions(queue: MessageQueue, body: Body): AmqpReply {
  if (!queue.sessions) return noSessions;
  const since = body["last-updated-time"];
  const time = since instanceof Date ? since.getTime() : Number(since);
  const skip = Math.max(0, Number(body["skip"]));
  const found = queue.shelf.sessionsSince(time >= anyTime ? 0 : time).slice(skip, skip + Number(body["top"]));
  if (found.length === 0) return { status: 204, description: "There are no sessions." };
  return ok({
    skip: types.wrap_int(skip + found.length),
    "sessions-ids": types.wrap_array(found, stringCode, undefined),
  });
}
