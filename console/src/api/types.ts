// Made by tools/api_types.mjs from docs/api/openapi.json: not edited by hand.

export interface Problem {
  /** a URI reference that names the kind of problem */
  type: string
  title: string
  status: number
  /** what happened, to what, and what to do */
  detail: string
  /** a stable word */
  code: string
  /** id of the request, as in the log */
  instance?: string | null
  /** position in a statement, from 1 */
  line?: number | null
  column?: number | null
}

export interface Credentials {
  user: string
  password: string
}

export interface Address {
  name: string
  title: string
  address: string
}

export interface Session {
  user: string
  role: string
  /** for X-CSRF-Token */
  csrf: string
  version: string
  /** page of this port */
  home: string
  /** whether streaming jobs are on */
  jobs: boolean
  addresses: Address[]
}

export interface Drive {
  path: string
  online: boolean
  problem: string
  free_bytes: number
  healing_objects: number
}

export interface Trouble {
  /** error or warn */
  level: string
  text: string
  link: string
}

export interface FlowTopic {
  name: string
  messages: number
  /** messages a second */
  rate: number
  bytes: number
}

export interface FlowJob {
  id: string
  name: string
  state: string
  topics: string[]
  table: string
  rate: number
  lag: number
  dead_records: number
}

export interface FlowTable {
  /** schema.table */
  name: string
  /** none: the table does not say */
  rows?: number | null
  updated_millis: number
}

export interface Overview {
  version: string
  now_millis: number
  uptime_seconds: number
  memory_bytes: number
  topics_total: number
  groups_total: number
  messages_rate: number
  queries_running: number
  /** of the last hundred */
  queries_failed: number
  drives: Drive[]
  /** the busiest, and all that jobs read */
  topics: FlowTopic[]
  jobs: FlowJob[]
  /** that jobs write */
  tables: FlowTable[]
  troubles: Trouble[]
}

export interface NewQuery {
  sql: string
  catalog?: string | null
  schema?: string | null
  /** parquet: the rows go to a file, and its page has none */
  format?: string | null
}

export interface QueryId {
  id: string
}

export interface ResultColumn {
  name: string
  type: string
}

export interface PlanStep {
  id: number
  /** the operator that takes its rows; none: the output */
  parent?: number | null
  name: string
  about: Record<string, string | null>
  details: string[]
  rows_estimated?: number | null
  /** given to the parent; only when the statement was run */
  rows?: number | null
  /** of a scan, before its filters */
  rows_read?: number | null
  bytes?: number | null
  /** in all threads together, without its inputs */
  seconds?: number | null
}

export interface QueryPage {
  id: string
  page: number
  /** no page follows */
  done: boolean
  columns: ResultColumn[]
  /** arrays of values in the order of the columns */
  rows: unknown
  update_type?: string | null
  update_count?: number | null
  /** the statement was USE */
  set_catalog?: string | null
  set_schema?: string | null
  /** of EXPLAIN: the operators, from the output down */
  plan?: PlanStep[] | null
  elapsed_millis: number
}

export interface QueryProgress {
  /** negative: unknown */
  percentage: number
  rows_read: number
  peak_memory_bytes: number
}

export interface Query {
  id: string
  user: string
  source: string
  sql: string
  state: string
  query_type: string
  /** that unqualified names mean; empty for none */
  catalog: string
  schema: string
  resource_group: string
  created_millis: number
  /** its planning began */
  started_millis?: number | null
  /** its rows began */
  executing_millis?: number | null
  ended_millis?: number | null
  rows: number
  /** read from files */
  bytes: number
  error_name?: string | null
  error?: string | null
}

export interface QueryList {
  queries: Query[]
}

export interface SqlFunction {
  name: string
  result: string
  arguments: string
  kind: string
}

export interface SqlWords {
  functions: SqlFunction[]
}

export interface SavedQuery {
  id: string
  owner: string
  name: string
  sql: string
  /** that unqualified names mean; empty for none */
  schema: string
  shared: boolean
  version: number
  changed_millis: number
  changed_by: string
}

export interface SavedQueryList {
  queries: SavedQuery[]
}

export interface NewSavedQuery {
  name: string
  sql: string
  schema?: string | null
  /** all who sign in may read it; needs the role operator */
  shared?: boolean | null
}

export interface SavedQueryChange {
  name: string
  sql: string
  schema?: string | null
  shared?: boolean | null
  /** the one the change was made from */
  version: number
}

export interface Schema {
  catalog: string
  name: string
  tables: number
}

export interface SchemaList {
  schemas: Schema[]
}

export interface Relation {
  name: string
  /** table or view */
  kind: string
}

export interface RelationList {
  relations: Relation[]
}

export interface Column {
  name: string
  type: string
  nullable: boolean
  comment: string
}

export interface Snapshot {
  /** 64 bits: more than a number of JavaScript holds */
  id: string
  parent_id?: string | null
  timestamp_millis: number
  operation: string
  current: boolean
  summary: Record<string, string | null>
}

export interface TableDetail {
  catalog: string
  schema: string
  name: string
  kind: string
  comment: string
  columns: Column[]
  ddl: string
  format?: string | null
  location?: string | null
  partitioning: string[]
  /** newest first */
  snapshots: Snapshot[]
  /** branches and tags, to snapshot ids */
  refs: Record<string, string | null>
  properties: Record<string, string | null>
  rows?: number | null
  files?: number | null
  bytes?: number | null
  /** topics that jobs read into this table */
  sources: string[]
}

export interface DataFile {
  path: string
  rows: number
  bytes: number
  partition: string
}

export interface DataFileList {
  files: DataFile[]
  total: number
}

export interface Rollback {
  snapshot_id: string
}

export interface Bucket {
  name: string
  created_millis: number
}

export interface BucketList {
  buckets: Bucket[]
}

export interface NewBucket {
  name: string
}

export interface ObjectEntry {
  key: string
  size: number
  etag: string
  modified_millis: number
}

export interface ObjectPage {
  folders: string[]
  objects: ObjectEntry[]
  /** give it as `after` for the next page */
  next_after?: string | null
}

export interface ObjectDetail {
  key: string
  size: number
  etag: string
  modified_millis: number
  content_type: string
  metadata: Record<string, string | null>
  tags: Record<string, string | null>
  checksums: Record<string, string | null>
  parts: number
}

export interface ParquetPreview {
  rows: number
  row_groups: number
  /** with the engine's types */
  columns: ResultColumn[]
  /** up to 50 arrays of text or null, cells cut at 300 characters */
  first_rows: unknown
  /** why there are none of a file that has some */
  no_rows: string
}

export interface ObjectTags {
  key: string
  /** up to ten, in the place of all before */
  tags: Record<string, string | null>
}

export interface Upload {
  upload_id: string
}

export interface Part {
  number: number
  etag: string
  size: number
}

export interface PartList {
  parts: Part[]
}

export interface Link {
  url: string
}

export interface NewLink {
  key: string
  /** up to 604800 */
  seconds: number
}

export interface KeyList {
  keys: string[]
}

export interface Removed {
  removed: number
}

export interface Topic {
  name: string
  internal: boolean
  partitions: number
  copies: number
  /** offsets between start and end */
  messages: number
  bytes: number
  /** all copies are in sync */
  healthy: boolean
}

export interface TopicList {
  topics: Topic[]
  /** that match */
  total: number
}

export interface NewTopic {
  name: string
  partitions?: number | null
  copies?: number | null
  config?: Record<string, string | null> | null
}

export interface TopicPartition {
  partition: number
  leader: number
  replicas: string
  in_sync: string
  start: number
  end: number
  bytes: number
}

export interface TopicSetting {
  name: string
  value: string
  fallback: string
  is_set: boolean
  allowed: string
  about: string
}

export interface GroupLag {
  group: string
  state: string
  lag: number
}

export interface TopicDetail {
  topic: Topic
  partitions: TopicPartition[]
  settings: TopicSetting[]
  groups: GroupLag[]
}

export interface TopicChange {
  /** null resets a setting */
  config?: Record<string, string | null> | null
  /** the new total */
  partitions?: number | null
}

export interface MessageHeader {
  key: string
  value?: string | null
  /** text or base64 */
  encoding: string
}

export interface Message {
  partition: number
  offset: number
  timestamp_millis: number
  key?: string | null
  /** text or base64 */
  key_encoding: string
  /** the first bytes of it when truncated */
  value?: string | null
  value_encoding: string
  value_bytes: number
  truncated: boolean
  headers: MessageHeader[]
}

export interface MessagePage {
  messages: Message[]
  scanned: number
  /** give it back to go on; none: the end was reached */
  cursor?: string | null
}

export interface NewMessage {
  /** none: by key, else round robin */
  partition?: number | null
  key?: string | null
  /** none: a tombstone */
  value?: string | null
  /** text or base64, of key and value; none: text */
  encoding?: string | null
  /** of the key alone */
  key_encoding?: string | null
  value_encoding?: string | null
  headers?: MessageHeader[] | null
}

export interface Produced {
  partition: number
  offset: number
}

export interface NewDecoder {
  /** avro or protobuf */
  format: string
  /** in the messages' frame; none: for messages without a frame */
  schema_id?: number | null
  /** of Protobuf; none: the frame says it */
  message_type?: string | null
  /** an Avro schema, or a FileDescriptorSet in base64 */
  definition: string
}

export interface Decoder {
  id: string
  format: string
  schema_id?: number | null
  message_type: string
  definition: string
  changed_millis: number
  changed_by: string
}

export interface DecoderList {
  /** those for messages without a frame first */
  decoders: Decoder[]
}

export interface Group {
  name: string
  state: string
  members: number
  topics: number
  lag: number
}

export interface GroupList {
  groups: Group[]
}

export interface GroupMember {
  id: string
  client: string
  host: string
}

export interface GroupOffset {
  topic: string
  partition: number
  committed: number
  start: number
  end: number
  lag: number
}

export interface GroupDetail {
  group: Group
  protocol: string
  members: GroupMember[]
  offsets: GroupOffset[]
}

export interface OffsetReset {
  topic: string
  /** earliest, latest, offset or timestamp */
  to: string
  /** the offset, or milliseconds since 1970 */
  value?: number | null
  /** none: all */
  partition?: number | null
}

export interface Broker {
  id: number
  path: string
  online: boolean
  free_bytes: number
}

export interface BrokerList {
  brokers: Broker[]
  cluster_id: string
}

export interface Job {
  id: string
  name: string
  state: string
  error: string
  created_millis: number
  epoch: number
  records: number
  dead_records: number
  lag: number
  topics: string[]
  table: string
  dead_table: string
}

export interface JobList {
  jobs: Job[]
}

export interface JobOperator {
  /** source, transform, sink, or aside: records that do not fit */
  id: string
  /** topics, or a table */
  name: string
  /** the operator whose records it takes */
  input?: string | null
  /** this and the others: since the platform started */
  records_in: number
  records_out: number
  /** of record batches, as the topic keeps them */
  bytes_in?: number | null
  /** of data files */
  bytes_out?: number | null
  files_out?: number | null
}

export interface JobDetail {
  job: Job
  source: string
  insert: string
  operators: JobOperator[]
  /** handed over since the platform started */
  epochs: number
  /** epochs that failed since then */
  failures: number
  /** that the last epoch took */
  epoch_millis: number
  /** when it was; none since the platform started */
  handed_over_millis?: number | null
}

export interface DeadLetter {
  topic: string
  partition: number
  offset: number
  timestamp_millis?: number | null
  key?: string | null
  /** text or base64 */
  key_encoding: string
  /** its first 4,098 bytes */
  value?: string | null
  value_encoding: string
  value_bytes: number
  /** why it does not fit */
  error: string
}

export interface DeadLetterList {
  /** newest first */
  letters: DeadLetter[]
  total: number
}

export interface LetterPlace {
  topic: string
  partition: number
  offset: number
}

export interface LetterPlaces {
  /** up to 200 */
  letters: LetterPlace[]
}

export interface LettersSent {
  sent: number
}

export interface Script {
  text: string
}

export interface Misfit {
  topic: string
  partition: number
  offset: number
  error: string
}

export interface JobPreview {
  columns: ResultColumn[]
  /** the first, arrays of values in the order of the columns */
  rows: unknown
  /** rows that the records make */
  total: number
  /** read: the newest of the topics */
  records: number
  /** records that do not fit the source table */
  put_aside: number
  /** the first 20 of them */
  misfits: Misfit[]
  /** why the job could not be started; empty: it could */
  problem: string
}

export interface ScriptResult {
  results: unknown
}

export interface ConfigKey {
  name: string
  value: string
  fallback: string
  kind: string
  about: string
}

export interface ConfigList {
  keys: ConfigKey[]
}

export interface RuleFile {
  key: string
  path: string
  text: string
}

export interface RuleFiles {
  /** none: everybody may do in SQL what the role allows */
  files: RuleFile[]
}

export interface User {
  name: string
  role: string
}

export interface AccessKey {
  id: string
  user: string
}

export interface UserList {
  users: User[]
  access_keys: AccessKey[]
}

export interface UserChange {
  password?: string | null
  role?: string | null
}

export interface NewAccessKey {
  id: string
  secret: string
}

export interface MetricsText {
  /** Prometheus' text format */
  text: string
}

export interface LogLine {
  time: string
  level: string
  event: string
  fields: Record<string, string | null>
}

export interface LogList {
  /** newest first */
  lines: LogLine[]
}

export interface AuditLine {
  number: number
  at_millis: number
  user: string
  operation: string
  target: string
  /** the body, without secrets and without data */
  detail: string
  /** empty: done; else the problem's code */
  outcome: string
  request: string
}

export interface AuditPage {
  /** newest first */
  lines: AuditLine[]
  /** give it as `before` for older lines */
  next_before?: number | null
}

export interface Operations {
  /** begins a session: its cookie comes back (nobody) */
  signIn: {
    path: Record<string, never>
    query: Record<string, never>
    body: Credentials
    answer: undefined
  }
  /** ends the session (viewer) */
  signOut: {
    path: Record<string, never>
    query: Record<string, never>
    body: undefined
    answer: undefined
  }
  /** who is signed in (viewer) */
  getSession: {
    path: Record<string, never>
    query: Record<string, never>
    body: undefined
    answer: Session
  }
  /** the platform at a glance (viewer) */
  getOverview: {
    path: Record<string, never>
    query: Record<string, never>
    body: undefined
    answer: Overview
  }
  /** the same, each second (viewer) */
  streamOverview: {
    path: Record<string, never>
    query: Record<string, never>
    body: undefined
    answer: undefined
  }
  /** running and last statements (viewer) */
  listQueries: {
    path: Record<string, never>
    query: Record<string, never>
    body: undefined
    answer: QueryList
  }
  /** takes a statement (viewer) */
  startQuery: {
    path: Record<string, never>
    query: Record<string, never>
    body: NewQuery
    answer: QueryId
  }
  /** waits for the page; the one before it is forgotten (viewer) */
  getPage: {
    path: { id: string; page: string }
    query: Record<string, never>
    body: undefined
    answer: QueryPage
  }
  /** the rows as a Parquet file, once its page was read; then it is forgotten (viewer) */
  downloadResult: {
    path: { id: string }
    query: Record<string, never>
    body: undefined
    answer: undefined
  }
  /** how far it is (viewer) */
  getProgress: {
    path: { id: string }
    query: Record<string, never>
    body: undefined
    answer: QueryProgress
  }
  /** cancels it, if it is one's own, from whatever client it came (viewer) */
  cancelQuery: {
    path: { id: string }
    query: Record<string, never>
    body: undefined
    answer: undefined
  }
  /** one of the running and last statements, its text whole (viewer) */
  getQuery: {
    path: { id: string }
    query: Record<string, never>
    body: undefined
    answer: Query
  }
  /** functions, for completion (viewer) */
  getWords: {
    path: Record<string, never>
    query: Record<string, never>
    body: undefined
    answer: SqlWords
  }
  /** kept statements: one's own and the shared ones (viewer) */
  listSavedQueries: {
    path: Record<string, never>
    query: Record<string, never>
    body: undefined
    answer: SavedQueryList
  }
  /** keeps a statement (viewer) */
  saveQuery: {
    path: Record<string, never>
    query: Record<string, never>
    body: NewSavedQuery
    answer: SavedQuery
  }
  /** by its owner, or an admin when it is shared (viewer) */
  changeSavedQuery: {
    path: { id: string }
    query: Record<string, never>
    body: SavedQueryChange
    answer: SavedQuery
  }
  /** by its owner, or an admin when it is shared (viewer) */
  removeSavedQuery: {
    path: { id: string }
    query: Record<string, never>
    body: undefined
    answer: undefined
  }
  /** schemas of all catalogs (viewer) */
  listSchemas: {
    path: Record<string, never>
    query: Record<string, never>
    body: undefined
    answer: SchemaList
  }
  /** tables and views (viewer) */
  listRelations: {
    path: { catalog: string; schema: string }
    query: Record<string, never>
    body: undefined
    answer: RelationList
  }
  /** columns, snapshots, DDL (viewer) */
  getTable: {
    path: { catalog: string; schema: string; table: string }
    query: Record<string, never>
    body: undefined
    answer: TableDetail
  }
  /** data files of the current snapshot, the first 1,000 (viewer) */
  listFiles: {
    path: { catalog: string; schema: string; table: string }
    query: Record<string, never>
    body: undefined
    answer: DataFileList
  }
  /** makes a snapshot the current one again (operator) */
  rollbackTable: {
    path: { catalog: string; schema: string; table: string }
    query: Record<string, never>
    body: Rollback
    answer: undefined
  }
  /** buckets (viewer) */
  listBuckets: {
    path: Record<string, never>
    query: Record<string, never>
    body: undefined
    answer: BucketList
  }
  /** makes a bucket (operator) */
  createBucket: {
    path: Record<string, never>
    query: Record<string, never>
    body: NewBucket
    answer: undefined
  }
  /** removes an empty bucket (operator) */
  deleteBucket: {
    path: { bucket: string }
    query: Record<string, never>
    body: undefined
    answer: undefined
  }
  /** one folder (viewer) */
  listObjects: {
    path: { bucket: string }
    query: { prefix?: string; after?: string; limit?: number }
    body: undefined
    answer: ObjectPage
  }
  /** what is known of an object (viewer) */
  getObject: {
    path: { bucket: string }
    query: { key: string }
    body: undefined
    answer: ObjectDetail
  }
  /** columns and first rows of a Parquet file (viewer) */
  previewObject: {
    path: { bucket: string }
    query: { key: string }
    body: undefined
    answer: ParquetPreview
  }
  /** gives an object its tags (operator) */
  tagObject: {
    path: { bucket: string }
    query: Record<string, never>
    body: ObjectTags
    answer: undefined
  }
  /** removes objects; a key that ends with / is a folder (operator) */
  removeObjects: {
    path: { bucket: string }
    query: Record<string, never>
    body: KeyList
    answer: Removed
  }
  /** a link that reads an object without signing in (operator) */
  shareObject: {
    path: { bucket: string }
    query: Record<string, never>
    body: NewLink
    answer: Link
  }
  /** its bytes (viewer) */
  downloadObject: {
    path: { bucket: string }
    query: { key: string; inline?: boolean; bytes?: number }
    body: undefined
    answer: undefined
  }
  /** the body becomes an object (operator) */
  uploadObject: {
    path: { bucket: string }
    query: { key: string }
    body: undefined
    answer: ObjectEntry
  }
  /** an upload in parts (operator) */
  startUpload: {
    path: { bucket: string }
    query: { key: string; content_type?: string }
    body: undefined
    answer: Upload
  }
  /** parts that arrived (operator) */
  listParts: {
    path: { bucket: string; upload: string }
    query: { key: string }
    body: undefined
    answer: PartList
  }
  /** makes the object of its parts (operator) */
  finishUpload: {
    path: { bucket: string; upload: string }
    query: { key: string }
    body: PartList
    answer: undefined
  }
  /** forgets the parts (operator) */
  abortUpload: {
    path: { bucket: string; upload: string }
    query: { key: string }
    body: undefined
    answer: undefined
  }
  /** the body becomes a part (operator) */
  uploadPart: {
    path: { bucket: string; upload: string; number: string }
    query: { key: string }
    body: undefined
    answer: Part
  }
  /** brokers (viewer) */
  listBrokers: {
    path: Record<string, never>
    query: Record<string, never>
    body: undefined
    answer: BrokerList
  }
  /** topics (viewer) */
  listTopics: {
    path: Record<string, never>
    query: { search?: string; internal?: boolean; limit?: number; offset?: number }
    body: undefined
    answer: TopicList
  }
  /** makes a topic (operator) */
  createTopic: {
    path: Record<string, never>
    query: Record<string, never>
    body: NewTopic
    answer: undefined
  }
  /** partitions, settings, who reads it (viewer) */
  getTopic: {
    path: { topic: string }
    query: Record<string, never>
    body: undefined
    answer: TopicDetail
  }
  /** settings, more partitions (operator) */
  changeTopic: {
    path: { topic: string }
    query: Record<string, never>
    body: TopicChange
    answer: undefined
  }
  /** removes a topic (operator) */
  deleteTopic: {
    path: { topic: string }
    query: Record<string, never>
    body: undefined
    answer: undefined
  }
  /** removes every message (operator) */
  purgeTopic: {
    path: { topic: string }
    query: Record<string, never>
    body: undefined
    answer: undefined
  }
  /** from: latest (newest first), earliest, offset or timestamp; search is a substring; in: any, key, value or headers (viewer) */
  listMessages: {
    path: { topic: string }
    query: { from?: string; value?: number; partition?: number; limit?: number; search?: string; in?: string; cursor?: string }
    body: undefined
    answer: MessagePage
  }
  /** appends a message (operator) */
  produceMessage: {
    path: { topic: string }
    query: Record<string, never>
    body: NewMessage
    answer: Produced
  }
  /** messages as they arrive (viewer) */
  streamMessages: {
    path: { topic: string }
    query: { partition?: number; search?: string; in?: string }
    body: undefined
    answer: undefined
  }
  /** one message, whole unless `bytes` says less (viewer) */
  getMessage: {
    path: { topic: string; partition: string; offset: string }
    query: { bytes?: number }
    body: undefined
    answer: Message
  }
  /** schemas to read its messages with (viewer) */
  listDecoders: {
    path: { topic: string }
    query: Record<string, never>
    body: undefined
    answer: DecoderList
  }
  /** keeps a schema for the topic (operator) */
  addDecoder: {
    path: { topic: string }
    query: Record<string, never>
    body: NewDecoder
    answer: Decoder
  }
  /** forgets a schema (operator) */
  removeDecoder: {
    path: { topic: string; id: string }
    query: Record<string, never>
    body: undefined
    answer: undefined
  }
  /** consumer groups (viewer) */
  listGroups: {
    path: Record<string, never>
    query: Record<string, never>
    body: undefined
    answer: GroupList
  }
  /** members and lag (viewer) */
  getGroup: {
    path: { group: string }
    query: Record<string, never>
    body: undefined
    answer: GroupDetail
  }
  /** removes a group without members (operator) */
  deleteGroup: {
    path: { group: string }
    query: Record<string, never>
    body: undefined
    answer: undefined
  }
  /** moves a group without members (operator) */
  resetOffsets: {
    path: { group: string }
    query: Record<string, never>
    body: OffsetReset
    answer: undefined
  }
  /** streaming jobs (viewer) */
  listJobs: {
    path: Record<string, never>
    query: Record<string, never>
    body: undefined
    answer: JobList
  }
  /** runs a script of Flink SQL (operator) */
  runScript: {
    path: Record<string, never>
    query: Record<string, never>
    body: Script
    answer: ScriptResult
  }
  /** what a script's first INSERT makes of the newest records; nothing is written (operator) */
  previewJob: {
    path: Record<string, never>
    query: Record<string, never>
    body: Script
    answer: JobPreview
  }
  /** one job (viewer) */
  getJob: {
    path: { job: string }
    query: Record<string, never>
    body: undefined
    answer: JobDetail
  }
  /** pauses it (operator) */
  pauseJob: {
    path: { job: string }
    query: Record<string, never>
    body: undefined
    answer: undefined
  }
  /** goes on (operator) */
  resumeJob: {
    path: { job: string }
    query: Record<string, never>
    body: undefined
    answer: undefined
  }
  /** ends it for good (operator) */
  stopJob: {
    path: { job: string }
    query: Record<string, never>
    body: undefined
    answer: undefined
  }
  /** records that it put aside (viewer) */
  listLetters: {
    path: { job: string }
    query: { limit?: number }
    body: undefined
    answer: DeadLetterList
  }
  /** sends them to their topic again, and takes them out of the table (operator) */
  replayLetters: {
    path: { job: string }
    query: Record<string, never>
    body: LetterPlaces
    answer: LettersSent
  }
  /** keys in force (admin) */
  getConfig: {
    path: Record<string, never>
    query: Record<string, never>
    body: undefined
    answer: ConfigList
  }
  /** files of SQL's access rules, as they are now (admin) */
  getAccessRules: {
    path: Record<string, never>
    query: Record<string, never>
    body: undefined
    answer: RuleFiles
  }
  /** users and access keys (admin) */
  listUsers: {
    path: Record<string, never>
    query: Record<string, never>
    body: undefined
    answer: UserList
  }
  /** adds or changes a user (admin) */
  changeUser: {
    path: { user: string }
    query: Record<string, never>
    body: UserChange
    answer: undefined
  }
  /** removes a user (admin) */
  removeUser: {
    path: { user: string }
    query: Record<string, never>
    body: undefined
    answer: undefined
  }
  /** adds or changes an S3 access key (admin) */
  addAccessKey: {
    path: Record<string, never>
    query: Record<string, never>
    body: NewAccessKey
    answer: undefined
  }
  /** removes an S3 access key (admin) */
  removeAccessKey: {
    path: { id: string }
    query: Record<string, never>
    body: undefined
    answer: undefined
  }
  /** figures of the process (viewer) */
  getMetrics: {
    path: Record<string, never>
    query: Record<string, never>
    body: undefined
    answer: MetricsText
  }
  /** the last lines of the log (admin) */
  getLogs: {
    path: Record<string, never>
    query: { search?: string; level?: string; limit?: number }
    body: undefined
    answer: LogList
  }
  /** who changed what, of the last 100,000 changes (admin) */
  getAudit: {
    path: Record<string, never>
    query: { search?: string; user?: string; before?: number; limit?: number }
    body: undefined
    answer: AuditPage
  }
}

export const operations = {
  signIn: ['POST', '/api/v1/session'],
  signOut: ['DELETE', '/api/v1/session'],
  getSession: ['GET', '/api/v1/session'],
  getOverview: ['GET', '/api/v1/overview'],
  streamOverview: ['GET', '/api/v1/overview/live'],
  listQueries: ['GET', '/api/v1/queries'],
  startQuery: ['POST', '/api/v1/queries'],
  getPage: ['GET', '/api/v1/queries/{id}/pages/{page}'],
  downloadResult: ['GET', '/api/v1/queries/{id}/file'],
  getProgress: ['GET', '/api/v1/queries/{id}'],
  cancelQuery: ['DELETE', '/api/v1/queries/{id}'],
  getQuery: ['GET', '/api/v1/queries/{id}/info'],
  getWords: ['GET', '/api/v1/sql/words'],
  listSavedQueries: ['GET', '/api/v1/saved-queries'],
  saveQuery: ['POST', '/api/v1/saved-queries'],
  changeSavedQuery: ['PUT', '/api/v1/saved-queries/{id}'],
  removeSavedQuery: ['DELETE', '/api/v1/saved-queries/{id}'],
  listSchemas: ['GET', '/api/v1/catalog'],
  listRelations: ['GET', '/api/v1/catalog/{catalog}/{schema}'],
  getTable: ['GET', '/api/v1/catalog/{catalog}/{schema}/{table}'],
  listFiles: ['GET', '/api/v1/catalog/{catalog}/{schema}/{table}/files'],
  rollbackTable: ['POST', '/api/v1/catalog/{catalog}/{schema}/{table}/rollback'],
  listBuckets: ['GET', '/api/v1/buckets'],
  createBucket: ['POST', '/api/v1/buckets'],
  deleteBucket: ['DELETE', '/api/v1/buckets/{bucket}'],
  listObjects: ['GET', '/api/v1/buckets/{bucket}/objects'],
  getObject: ['GET', '/api/v1/buckets/{bucket}/object'],
  previewObject: ['GET', '/api/v1/buckets/{bucket}/preview'],
  tagObject: ['PUT', '/api/v1/buckets/{bucket}/tags'],
  removeObjects: ['POST', '/api/v1/buckets/{bucket}/remove'],
  shareObject: ['POST', '/api/v1/buckets/{bucket}/link'],
  downloadObject: ['GET', '/api/v1/buckets/{bucket}/content'],
  uploadObject: ['PUT', '/api/v1/buckets/{bucket}/content'],
  startUpload: ['POST', '/api/v1/buckets/{bucket}/uploads'],
  listParts: ['GET', '/api/v1/buckets/{bucket}/uploads/{upload}'],
  finishUpload: ['POST', '/api/v1/buckets/{bucket}/uploads/{upload}'],
  abortUpload: ['DELETE', '/api/v1/buckets/{bucket}/uploads/{upload}'],
  uploadPart: ['PUT', '/api/v1/buckets/{bucket}/uploads/{upload}/{number}'],
  listBrokers: ['GET', '/api/v1/brokers'],
  listTopics: ['GET', '/api/v1/topics'],
  createTopic: ['POST', '/api/v1/topics'],
  getTopic: ['GET', '/api/v1/topics/{topic}'],
  changeTopic: ['PATCH', '/api/v1/topics/{topic}'],
  deleteTopic: ['DELETE', '/api/v1/topics/{topic}'],
  purgeTopic: ['POST', '/api/v1/topics/{topic}/purge'],
  listMessages: ['GET', '/api/v1/topics/{topic}/messages'],
  produceMessage: ['POST', '/api/v1/topics/{topic}/messages'],
  streamMessages: ['GET', '/api/v1/topics/{topic}/live'],
  getMessage: ['GET', '/api/v1/topics/{topic}/partitions/{partition}/messages/{offset}'],
  listDecoders: ['GET', '/api/v1/topics/{topic}/decoders'],
  addDecoder: ['POST', '/api/v1/topics/{topic}/decoders'],
  removeDecoder: ['DELETE', '/api/v1/topics/{topic}/decoders/{id}'],
  listGroups: ['GET', '/api/v1/groups'],
  getGroup: ['GET', '/api/v1/groups/{group}'],
  deleteGroup: ['DELETE', '/api/v1/groups/{group}'],
  resetOffsets: ['POST', '/api/v1/groups/{group}/offsets'],
  listJobs: ['GET', '/api/v1/jobs'],
  runScript: ['POST', '/api/v1/jobs'],
  previewJob: ['POST', '/api/v1/jobs/preview'],
  getJob: ['GET', '/api/v1/jobs/{job}'],
  pauseJob: ['POST', '/api/v1/jobs/{job}/pause'],
  resumeJob: ['POST', '/api/v1/jobs/{job}/resume'],
  stopJob: ['POST', '/api/v1/jobs/{job}/stop'],
  listLetters: ['GET', '/api/v1/jobs/{job}/letters'],
  replayLetters: ['POST', '/api/v1/jobs/{job}/letters/replay'],
  getConfig: ['GET', '/api/v1/admin/config'],
  getAccessRules: ['GET', '/api/v1/admin/access-rules'],
  listUsers: ['GET', '/api/v1/admin/users'],
  changeUser: ['PUT', '/api/v1/admin/users/{user}'],
  removeUser: ['DELETE', '/api/v1/admin/users/{user}'],
  addAccessKey: ['POST', '/api/v1/admin/access-keys'],
  removeAccessKey: ['DELETE', '/api/v1/admin/access-keys/{id}'],
  getMetrics: ['GET', '/api/v1/admin/metrics'],
  getLogs: ['GET', '/api/v1/admin/logs'],
  getAudit: ['GET', '/api/v1/admin/audit'],
} as const satisfies Record<keyof Operations, readonly [string, string]>
