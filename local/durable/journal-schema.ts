// History rows lie in the order of writing: side by side with those of their instance, a commit for fifty instances would
// write fifty pages instead of a few.
export const SCHEMA = `
CREATE TABLE IF NOT EXISTS instances (
  iid INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, version TEXT NOT NULL, execution TEXT NOT NULL,
  status TEXT NOT NULL, input TEXT NOT NULL, output TEXT, customStatus TEXT, createdAt INTEGER NOT NULL, updatedAt INTEGER NOT NULL,
  episodes INTEGER NOT NULL, parentIid INTEGER, parentId TEXT, parentExecution TEXT, parentTask INTEGER);
CREATE INDEX IF NOT EXISTS instances_created ON instances (createdAt);
CREATE TABLE IF NOT EXISTS history (row INTEGER PRIMARY KEY, iid INTEGER NOT NULL, episode INTEGER NOT NULL, events TEXT NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS history_instance ON history (iid, episode);
CREATE TABLE IF NOT EXISTS activities (
  wid INTEGER PRIMARY KEY, iid INTEGER NOT NULL, execution TEXT NOT NULL, task INTEGER NOT NULL, instanceId TEXT NOT NULL,
  name TEXT NOT NULL, input TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS timers (
  iid INTEGER NOT NULL, task INTEGER NOT NULL, execution TEXT NOT NULL, fireAt INTEGER NOT NULL, PRIMARY KEY (iid, task)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS inbox (seq INTEGER PRIMARY KEY, iid INTEGER NOT NULL, execution TEXT, event TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS inbox_instance ON inbox (iid);
`;
