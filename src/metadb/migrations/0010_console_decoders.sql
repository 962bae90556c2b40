-- What people gave the console to read a topic's messages with. schema_id is the number in the messages' frame, -1 for
-- messages without a frame; definition is the text of an Avro schema, or a FileDescriptorSet in base64.
CREATE TABLE console_decoders (
  id TEXT NOT NULL PRIMARY KEY,
  topic TEXT NOT NULL,
  format TEXT NOT NULL,
  schema_id BIGINT NOT NULL,
  message_type TEXT NOT NULL,
  definition TEXT NOT NULL,
  changed_millis BIGINT NOT NULL,
  changed_by TEXT NOT NULL
);
CREATE INDEX console_decoders_by_topic ON console_decoders (topic);
