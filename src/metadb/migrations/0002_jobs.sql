-- Streaming jobs; one row of job_epochs is one committed epoch: where the input stood, and what still has to be
-- handed to sinks.
CREATE TABLE jobs (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  state TEXT NOT NULL,
  definition TEXT NOT NULL,
  created_millis BIGINT NOT NULL,
  updated_millis BIGINT NOT NULL
);

CREATE TABLE job_epochs (
  job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  epoch BIGINT NOT NULL,
  offsets TEXT NOT NULL,
  outbox TEXT NOT NULL,
  created_millis BIGINT NOT NULL,
  PRIMARY KEY (job_id, epoch)
);
