// What a catalog offers to SQL. One Connector per catalog; implementations live beside their tables
// (Iceberg: iceberg_connector.cc). Blocking, thread safe: statements run concurrently on the sql
// pool. Names arrive lower case. Errors: Code with `what` as given at each method; the executor
// turns them into Trino's words.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "runtime/call.h"
#include "sql/connectors/hive_layout.h"
#include "sql/types/type.h"

namespace aichemy::sql {

struct TableName {
  std::string schema;
  std::string table;
  auto operator<=>(const TableName&) const = default;
};

// Table, schema or column properties, as text; arrays and maps in JSON text.
using Properties = std::map<std::string, std::string>;

struct ColumnInfo {
  std::string name;
  Type type;
  bool nullable = true;
  std::string comment;
  bool hidden = false;                       // not in SELECT * ("$path")
  std::optional<std::string> default_value;  // what INSERT takes for it, as JSON of the protocol
  Properties properties;                     // what SHOW CREATE TABLE prints in WITH (...)
};

// A value in a pushed-down predicate: date = days, time and timestamps = microseconds (tz: UTC),
// decimal = its text, varchar = text, varbinary = bytes, uuid = text.
using Value = std::variant<bool, int64_t, double, std::string>;

enum class Compare : uint8_t { eq, ne, lt, le, gt, ge, in, is_null, is_not_null };

// All conjuncts hold for every row that matters; the connector may use them to skip files and must
// not rely on being given any. The engine filters again.
struct Conjunct {
  size_t column = 0;  // index in Table::columns
  Compare op = Compare::eq;
  std::vector<Value> values;  // one; several for `in`; none for is_null
};

// A resolved table at one snapshot: what the analyzer needs and what scans and inserts refer back
// to.
class Table {
 public:
  virtual ~Table() = default;
  TableName name;
  std::vector<ColumnInfo> columns;
  std::string comment;
  std::string owner;      // "": nobody has been named
  Properties properties;  // what SHOW CREATE TABLE prints in WITH (...)
  std::string version;    // of its rows; empty when that cannot be told
};
using TableRef = std::shared_ptr<const Table>;

inline constexpr const char* kViewPath = "trino.path";  // in View::kept: of Session::path

struct View {
  std::string sql;                  // text of the query
  std::string catalog, schema;      // defaults its names resolve against
  std::vector<ColumnInfo> columns;  // names and types it promised when it was made
  std::string comment;
  std::string owner;
  bool run_as_invoker = false;
  Properties kept;  // with it, for whoever made it; not shown
};

// A scan the engine can read: the renderer writes function('<handle>'). The relation has ALL
// columns of Table::columns in order, named c0, c1, ... in physical form (row fields f0, f1, ...
// inside), the engine prunes unused ones itself. `keep` releases the registration when the
// statement is over.
struct EngineScan {
  std::string handle;
  std::shared_ptr<void> keep;
  std::string function = "lake_scan";  // the engine's table function that knows the handle
};
// Or rows made on the spot (information_schema, system tables, tests): rendered as VALUES. A cell
// is text that casts to the column's type, or none for NULL.
struct RowScan {
  std::vector<std::vector<std::optional<std::string>>> rows;
};
using Scan = std::variant<EngineScan, RowScan>;

// FOR VERSION AS OF and FOR TIMESTAMP AS OF: one of them is set.
struct TableVersion {
  std::optional<int64_t> id;
  std::string ref;  // a branch or a tag
  std::optional<int64_t> at_millis;
};

class Change;
struct ScanRequest {
  std::vector<size_t> columns;  // those the query reads; may be empty (count(*))
  std::vector<Conjunct> conjuncts;
  Change* change = nullptr;  // the scan of its target
};

// ---- writing ----

// Iceberg field ids in the shape of a type: array 1 child, map 2, row n.
struct FieldId {
  int32_t id = 0;
  std::vector<FieldId> children;
};

struct WriteColumn {
  std::string name;
  Type type;
  FieldId field_id;
  bool required = false;
};

struct PartitionField {
  size_t column = 0;      // index in InsertTarget::columns
  std::string transform;  // identity, year, month, day, hour, bucket[16], truncate[4], void
  std::string name;
  int32_t field_id = 0;
};

// A key of the order that the rows of a file have, as Iceberg compares values.
struct SortKey {
  std::vector<std::string> column;  // of InsertTarget::columns, then the fields on the way
  Type type;                        // of what the path leads to
  std::string transform;            // as PartitionField's
  bool descending = false;
  bool nulls_first = false;
};

struct InsertTarget {
  std::string location;  // folder the data files go to, no slash at the end
  std::vector<WriteColumn>
      columns;  // the SELECT yields these, in this order, with these names and types
  std::vector<PartitionField> partition;
  // A Hive table's. Then there are no field ids and no `partition`, WrittenFile::partition has the
  // keys' texts, and the rows are all told with the first file.
  std::optional<HiveLayout> hive;
  std::string compression = "zstd";
  uint64_t file_bytes_max = 512ull << 20;
  std::vector<SortKey> sort;  // rows of each file ascend by these; empty: in no order
  int sort_order_id = 0;      // with `sort`, of each WrittenFile
  // Small files are not put but given to finish_insert() or RowChanger::finish(), which put them
  // with the commit that names them: WrittenFile::held.
  bool holds_small_files = false;
};

// From COPY ... RETURN_STATS; min and max are DuckDB's text forms.
struct WrittenColumn {
  int32_t field_id = 0;
  uint64_t bytes = 0;
  std::optional<uint64_t> null_count;
  std::optional<std::string> min, max;
  bool has_nan = false;
};
struct WrittenFile {
  std::string path;
  uint64_t rows = 0, bytes = 0;
  std::vector<std::optional<std::string>>
      partition;  // transformed values as DuckDB text, per PartitionField
  std::vector<WrittenColumn> columns;
  std::vector<int64_t> split_offsets;
  std::optional<int> sort_order_id;         // its rows have the target's order
  std::shared_ptr<const std::string> held;  // all its bytes, which nobody has put yet
};

// metric_name and metric_value of a procedure.
using ProcedureMetrics = std::vector<std::pair<std::string, int64_t>>;

// One insert under way. Destroying it without finish_insert abandons it.
class Insert {
 public:
  virtual ~Insert() = default;
  InsertTarget target;
  // Entries added to the commit's summary (job id, epoch).
  std::map<std::string, std::string> summary;
  // Of a rewrite (begin_rewrite): the data files it reads, which the written ones take the place
  // of.
  std::vector<std::string> files;
  // Of a rewrite: its scan of them, with the table's columns and, behind them, those of
  // lineage.h.
  std::optional<EngineScan> rewritten;
  ProcedureMetrics metrics;  // of a rewrite, filled by finish_insert
  // finish_insert() takes files that are held; whoever calls it right after the write may set
  // InsertTarget::holds_small_files.
  bool takes_held_files = false;
  // When set, finish_insert commits only if no earlier commit has this summary entry, and succeeds
  // either way: a repeated epoch lands exactly once.
  std::optional<std::pair<std::string, std::string>> once;
};

struct NewTable {
  TableName name;
  std::vector<ColumnInfo> columns;
  Properties properties;
  std::string comment;
  std::string owner;
  bool replace = false;  // CREATE OR REPLACE: its history stays
};

struct TableChange;  // table_change.h, with the following
struct BranchInfo;
struct BranchChange;
struct Procedure;
struct ProcedureCall;
struct TableStatistics;
struct RewriteRequest;
struct DistinctHashes;
// Rows of one data file by their positions, ascending.
struct FilePositions {
  std::string path;
  std::vector<uint64_t> positions;
};
// A file that holds the positions that are deleted from one data file.
struct PositionFile {
  std::string data_file;
  std::string path;
  uint64_t rows = 0, bytes = 0;
  std::shared_ptr<const std::string> held;  // as WrittenFile's
};

// One DELETE, UPDATE or MERGE under way. Destroying it without finish() abandons it.
class Change {
 public:
  enum class Kind : uint8_t { remove, update, merge };
  virtual ~Change() = default;
  InsertTarget target;
  Kind kind = Kind::merge;
  // The conjuncts on the target's scan say all there is to say about which rows are deleted: files
  // of which every row matches need not be read.
  bool exact = false;
  // The statement reads the target elsewhere too: what is added to it anywhere matters.
  bool reads_all = false;
  // Columns of updated rows are still to be read: arrange() gives a scan of them.
  bool reads_later = false;
  uint64_t removed_unread = 0;  // rows of the files that the scan left out because they go
};

// What is left to do once it is known which rows go.
struct ChangeWork {
  // Files to be written anew without their deleted rows: a scan with the columns of the table's.
  std::optional<EngineScan> rewritten;
  // With Change::reads_later: the rows at the positions that go, as they were.
  std::optional<EngineScan> changed;
  // Files, by index in what was given, for which a file of positions is to be written.
  std::vector<size_t> position_files;
};
struct ChangedFiles {
  std::vector<FilePositions> deleted;
  std::vector<WrittenFile> added;
  std::vector<PositionFile> position_files;
};

// Tables whose rows change. The order of calls: begin(), plan_scan() with the change, arrange(),
// finish().
class RowChanger {
 public:
  virtual ~RowChanger() = default;
  virtual Result<std::unique_ptr<Change>> begin(const Call& call, const TableRef& table,
                                                Change::Kind kind) = 0;
  virtual Result<ChangeWork> arrange(const Call& call, Change& change,
                                     const std::vector<FilePositions>& deleted) = 0;
  // conflict ("rows_changed") when others have changed what the statement read: begin again. Any
  // error but internal ("commit_unknown"): nothing has happened.
  virtual Status finish(const Call& call, Change& change, ChangedFiles files) = 0;
  virtual Status truncate(const Call& call, const TableRef& table) = 0;
};

// A view whose rows are kept in a table.
struct MaterializedView {
  View view;
  Properties properties;  // of the storage table
  std::optional<int64_t> grace_seconds;
  bool fails_when_stale = false;
  std::string storage;  // name of the table, in the view's schema
  // Of the last refresh, none before: the versions of what was read, "schema.table" to version,
  // empty for tables elsewhere; and when its query began.
  std::optional<std::map<std::string, std::string>> sources;
  int64_t refreshed_millis = 0;
};

// Unknown: the view reads something whose changes cannot be told.
struct ViewFreshness {
  enum class Kind : uint8_t { fresh, stale, unknown } kind = Kind::stale;
  std::optional<int64_t> last_fresh_millis;  // none when it has never been refreshed
};

class MaterializedViews {
 public:
  virtual ~MaterializedViews() = default;
  virtual Result<ViewFreshness> freshness(const Call& call, const MaterializedView& view) = 0;
  virtual Result<std::vector<std::string>> list(const Call& call, const std::string& schema) = 0;
  virtual Result<std::optional<MaterializedView>> get(const Call& call, const TableName& name) = 0;
  virtual Result<TableRef> storage(const Call& call, const TableName& name,
                                   const MaterializedView& view) = 0;
  virtual Status create(const Call& call, const TableName& name, const MaterializedView& view,
                        bool replace) = 0;
  virtual Status drop(const Call& call, const TableName& name) = 0;
  virtual Status rename(const Call& call, const TableName& from, const TableName& to) = 0;
  virtual Status set_properties(const Call& call, const TableName& name,
                                const Properties& properties) = 0;
  // The rows take the place of those of the storage table, in one commit.
  virtual Result<std::unique_ptr<Insert>> begin_refresh(
      const Call& call, const TableName& name, const MaterializedView& view,
      const std::map<std::string, std::string>& sources, int64_t began_millis) = 0;
  virtual Status finish_refresh(const Call& call, Insert& insert,
                                std::vector<WrittenFile> files) = 0;
};

// Where SQL routines in a catalog's schemas are kept.
enum class RoutineStorage : uint8_t { none, memory, durable };

// A property that a statement's WITH takes, for system.metadata.
struct PropertyInfo {
  std::string name, default_value, type, description;
};
enum class PropertyOf : uint8_t { table, schema, column, materialized_view, analyze };

class Connector {
 public:
  virtual ~Connector() = default;

  virtual RoutineStorage routine_storage() const { return RoutineStorage::none; }
  virtual std::vector<PropertyInfo> list_properties(PropertyOf) const { return {}; }

  virtual MaterializedViews* materialized_views() { return nullptr; }
  // nullptr: rows are not changed here.
  virtual RowChanger* row_changer() { return nullptr; }

  virtual Result<std::vector<std::string>> list_schemas(const Call& call) = 0;
  virtual Result<bool> schema_exists(const Call& call, const std::string& schema) = 0;
  // exists ("schema_exists"), not_found ("schema_not_found"), conflict ("schema_not_empty").
  virtual Status create_schema(const Call& call, const std::string& schema, const Properties&) = 0;
  virtual Status drop_schema(const Call& call, const std::string& schema, bool cascade) = 0;

  // Tables and views; names only, sorted. not_found ("schema_not_found").
  virtual Result<std::vector<std::string>> list_tables(const Call& call,
                                                       const std::string& schema) = 0;
  virtual Result<std::vector<std::string>> list_views(const Call& call,
                                                      const std::string& schema) = 0;
  // nullptr when there is no such table (a view is not a table).
  virtual Result<TableRef> get_table(const Call& call, const TableName& name) = 0;
  // nullptr likewise; invalid ("INVALID_ARGUMENTS") when there is no such version.
  virtual Result<TableRef> get_table_at(const Call&, const TableName&, const TableVersion&) {
    return fail(Code::unsupported, "NOT_SUPPORTED",
                "This connector does not support versioned tables");
  }
  virtual Result<std::optional<View>> get_view(const Call& call, const TableName& name) = 0;

  virtual Result<Scan> plan_scan(const Call& call, const TableRef& table,
                                 const ScanRequest& request) = 0;

  // exists ("table_exists"), not_found ("schema_not_found"), invalid ("INVALID_TABLE_PROPERTY").
  virtual Status create_table(const Call& call, const NewTable& table) = 0;
  virtual Status drop_table(const Call& call,
                            const TableName& name) = 0;  // not_found ("table_not_found")
  virtual Status create_view(const Call& call, const TableName& name, const View& view,
                             bool replace) = 0;
  virtual Status drop_view(const Call& call, const TableName& name) = 0;

  // What a connector does not do answers unsupported ("NOT_SUPPORTED") in Trino's words; so does
  // every one of these that is not overridden.
  virtual Status change_table(const Call& call, const TableName& name, const TableChange& change);
  virtual Status change_view(const Call& call, const TableName& name, const TableChange& change);
  virtual Status rename_table(const Call& call, const TableName& from, const TableName& to);
  virtual Status rename_view(const Call& call, const TableName& from, const TableName& to);
  virtual Status rename_schema(const Call& call, const std::string& from, const std::string& to);
  virtual Status set_schema_owner(const Call& call, const std::string& schema,
                                  const std::string& owner, bool role);
  // User or role, "" when nobody has been named.
  virtual Result<std::string> schema_owner(const Call& call, const std::string& schema);
  virtual Result<std::vector<BranchInfo>> list_branches(const Call& call, const TableName& name);
  virtual Status change_branch(const Call& call, const TableName& name, const BranchChange& change);
  // Those of CALL and those of ALTER TABLE EXECUTE.
  virtual const std::vector<Procedure>& procedures() const;
  virtual Result<ProcedureMetrics> run_procedure(const Call& call, const ProcedureCall& procedure);
  // ALTER TABLE EXECUTE optimize: finish_insert() puts what is read by `rewritten` of the Insert in
  // the place of its `files`. nullptr: there is nothing to rewrite.
  virtual Result<std::unique_ptr<Insert>> begin_rewrite(const Call& call, const TableRef& table,
                                                        const RewriteRequest& request);
  virtual Result<TableStatistics> statistics(const Call& call, const TableRef& table);
  // ANALYZE: what is kept with the table's current state.
  virtual bool keeps_statistics() const { return false; }
  virtual Status store_distinct(const Call& call, const TableRef& table,
                                const std::vector<DistinctHashes>& columns);

  virtual Result<std::unique_ptr<Insert>> begin_insert(const Call& call, const TableRef& table) = 0;
  // CREATE TABLE AS: the table appears with its rows, at finish_insert, or not at all.
  virtual Result<std::unique_ptr<Insert>> begin_create_table_as(const Call& call,
                                                                const NewTable&) = 0;
  virtual Status finish_insert(const Call& call, Insert& insert,
                               std::vector<WrittenFile> files) = 0;
};

// The catalogs of the platform by name; filled by app before the first statement, not changed
// afterwards.
using Catalogs = std::map<std::string, Connector*, std::less<>>;

}  // namespace aichemy::sql
