#include "tables/iceberg_scan.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <map>
#include <set>

#include "objectstore/memory_store.h"
#include "tables/iceberg_append.h"

namespace aichemy::tables::iceberg {
namespace {

// A table whose snapshots hold manifests that the test writes entry by entry.
class ScanTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(store_.create_bucket({}, "b"));
    NewTable table;
    table.location = "s3://b/t";
    table.uuid = "u";
    table.schema.fields = {{.id = 1, .name = "id", .type = primitive(TypeKind::int64)},
                           {.id = 2, .name = "part", .type = primitive(TypeKind::string)}};
    table.spec.fields = {{.source_id = 2, .name = "part"}};
    auto metadata = new_table_metadata(table);
    ASSERT_TRUE(metadata) << metadata.error().message;
    metadata_ = std::move(*metadata);
  }

  static ManifestEntry entry(const std::string& path, Value partition,
                             FileContent content = FileContent::data) {
    ManifestEntry made;
    made.path = path;
    made.partition = {std::move(partition)};
    made.record_count = 10;
    made.size = 1000;
    made.content = content;
    return made;
  }

  void add_manifest(bool deletes, int64_t sequence, std::vector<ManifestEntry> entries) {
    auto bytes =
        encode_manifest(metadata_.current_schema(), metadata_.default_spec(), deletes, entries, {});
    ASSERT_TRUE(bytes) << bytes.error().message;
    ManifestFile row =
        summarize_manifest(metadata_.current_schema(), metadata_.default_spec(), entries);
    row.path = "s3://b/t/m" + std::to_string(manifests_.size()) + ".avro";
    row.length = static_cast<int64_t>(bytes->size());
    row.holds_deletes = deletes;
    row.sequence_number = sequence;
    row.added_snapshot_id = 1;
    ASSERT_TRUE(files_.write_new({}, row.path, *bytes));
    manifests_.push_back(std::move(row));
  }

  Result<ScanPlan> plan(Predicate predicate = {}, bool certain = false) {
    auto bytes = encode_manifest_list(manifests_, {.snapshot_id = 1, .sequence_number = 1});
    if (!bytes) return std::unexpected(bytes.error());
    std::string path = "s3://b/t/list" + std::to_string(lists_++) + ".avro";
    RETURN_IF_ERROR(files_.write_new({}, path, *bytes));
    metadata_.snapshots = {Snapshot{.id = 1, .manifest_list = path}};
    metadata_.current_snapshot_id = 1;
    ScanRequest request;
    request.predicate = std::move(predicate);
    request.certain = certain;
    return plan_scan({}, files_, cache_, metadata_, request);
  }

  // path -> paths of the deletes that apply to it
  static std::map<std::string, std::set<std::string>> deletes_of(const ScanPlan& plan) {
    std::map<std::string, std::set<std::string>> out;
    for (const DataFile& file : plan.files) {
      auto& paths = out[file.path];
      for (uint32_t index : file.deletes) paths.insert(plan.delete_files[index].path);
    }
    return out;
  }

  FakeClock clock_;
  objectstore::MemoryStore store_{clock_};
  FileIo files_{store_};
  ManifestCache cache_{256 << 20};
  TableMetadata metadata_;
  std::vector<ManifestFile> manifests_;
  int lists_ = 0;
};

TEST_F(ScanTest, DeletesApplyBySequenceAndPartition) {
  add_manifest(false, 1, {entry("old.a", "a"), entry("old.b", "b")});
  add_manifest(false, 3, {entry("new.a", "a")});
  auto equality = entry("eq.a", "a", FileContent::equality_deletes);
  equality.equality_ids = {1};
  auto named = entry("pos.named", "b", FileContent::position_deletes);
  named.referenced_data_file = "old.b";
  add_manifest(true, 3, {entry("pos.a", "a", FileContent::position_deletes), equality, named});
  add_manifest(true, 2, {entry("pos.older", "a", FileContent::position_deletes)});
  auto planned = plan();
  ASSERT_TRUE(planned) << planned.error().message;
  auto deletes = deletes_of(*planned);
  using Paths = std::set<std::string>;
  EXPECT_EQ(deletes["old.a"], (Paths{"pos.a", "eq.a", "pos.older"}));
  EXPECT_EQ(deletes["old.b"], (Paths{"pos.named"}));
  // Position deletes reach files of their own commit, equality deletes only older ones.
  EXPECT_EQ(deletes["new.a"], (Paths{"pos.a"}));
  EXPECT_EQ(planned->delete_files.size(), 4u);
  EXPECT_FALSE(planned->exact_count());
}

TEST_F(ScanTest, DeletedEntriesAndForeignPartitionsAreLeftOut) {
  auto gone = entry("gone", "a");
  gone.status = EntryStatus::deleted;
  gone.snapshot_id = gone.sequence_number = gone.file_sequence_number = 1;
  add_manifest(false, 1, {gone, entry("a", "a"), entry("b", "b")});
  add_manifest(false, 2, {entry("c", "c")});
  auto planned = plan(Predicate::compare(2, CompareOp::eq, Value("a")));
  ASSERT_TRUE(planned) << planned.error().message;
  ASSERT_EQ(planned->files.size(), 1u);
  EXPECT_EQ(planned->files[0].path, "a");
  EXPECT_EQ(planned->manifests_read, 1u);  // the second was left out by its summary
  EXPECT_EQ(planned->manifests_total, 2u);
  EXPECT_EQ(planned->files[0].sequence_number, 1);
}

// What a DELETE removes without reading: wrong certainty would lose rows.
TEST_F(ScanTest, CertaintyNeedsBoundsWithoutNulls) {
  auto bounded = [](const char* path, int64_t low, int64_t high, int64_t nulls) {
    ManifestEntry made = entry(path, Value("x"));
    made.columns = {{.field_id = 1,
                     .value_count = 10,
                     .null_count = nulls,
                     .lower = value_to_binary(Value(low), primitive(TypeKind::int64)),
                     .upper = value_to_binary(Value(high), primitive(TypeKind::int64))}};
    return made;
  };
  add_manifest(false, 1,
               {bounded("inside", 1, 9, 0), bounded("across", 5, 15, 0), bounded("nulls", 1, 9, 1),
                entry("unknown", Value("x")), entry("null", Value())});
  auto certain = [&](Predicate predicate) {
    auto planned = plan(std::move(predicate), true);
    EXPECT_TRUE(planned) << planned.error().message;
    std::set<std::string> paths;
    for (const DataFile& file : planned->files) {
      if (file.all_match) paths.insert(file.path);
    }
    return paths;
  };
  using Paths = std::set<std::string>;
  Predicate below = Predicate::compare(1, CompareOp::lt, Value(int64_t{10}));
  EXPECT_EQ(certain({}).size(), 5u);
  EXPECT_EQ(certain(below), Paths{"inside"});
  EXPECT_EQ(certain(Predicate::compare(1, CompareOp::eq, Value(int64_t{5}))), Paths{});
  EXPECT_EQ(certain(Predicate::compare(2, CompareOp::eq, Value("x"))),
            (Paths{"inside", "across", "nulls", "unknown"}));
  EXPECT_EQ(certain(Predicate::is_null(2)), Paths{"null"});
  EXPECT_EQ(certain(Predicate::not_null(1)), (Paths{"inside", "across"}));
  EXPECT_EQ(certain(Predicate::all({below, Predicate::in(2, {Value("x"), Value("y")})})),
            Paths{"inside"});
}

TEST_F(ScanTest, BrokenFilesAreNamedNotCrashed) {
  add_manifest(false, 1, {entry("a", "a")});
  std::string bytes = *files_.read({}, manifests_[0].path);
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    auto decoded = decode_manifest(std::string_view(bytes).substr(0, cut));
    if (!decoded) {
      EXPECT_EQ(decoded.error().code, Code::corrupt) << decoded.error().message;
    }
  }
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x55);
    auto decoded = decode_manifest(damaged);  // must answer, whatever it says
    (void)decoded;
  }
  ASSERT_TRUE(store_.put({}, "b", "t/m0.avro", "Obj\1garbage"));
  auto planned = plan();
  ASSERT_FALSE(planned);
  EXPECT_EQ(planned.error().code, Code::corrupt);
  EXPECT_NE(planned.error().message.find("m0.avro"), std::string::npos);
}

TEST_F(ScanTest, AHundredThousandFilesArePlannedQuickly) {
  constexpr int kFiles = 100'000;
  std::vector<ManifestEntry> entries;
  for (int i = 0; i < kFiles; ++i) {
    ManifestEntry made = entry("s3://b/t/data/part-" + std::to_string(i) + ".parquet",
                               "p" + std::to_string(i % 100));
    made.columns = {
        {.field_id = 1,
         .value_count = 10,
         .null_count = 0,
         .lower = value_to_binary(Value(int64_t{i} * 10), primitive(TypeKind::int64)),
         .upper = value_to_binary(Value(int64_t{i} * 10 + 9), primitive(TypeKind::int64))}};
    entries.push_back(std::move(made));
  }
  add_manifest(false, 1, entries);
  auto time = [&](Predicate predicate, size_t expected) {
    auto start = std::chrono::steady_clock::now();
    auto planned = plan(std::move(predicate));
    auto took = std::chrono::steady_clock::now() - start;
    EXPECT_TRUE(planned) << planned.error().message;
    EXPECT_EQ(planned->files.size(), expected);
    return std::chrono::duration_cast<std::chrono::microseconds>(took).count();
  };
  auto cold = time(Predicate::compare(1, CompareOp::eq, Value(55'555)), 1);
  auto warm = time(Predicate::compare(1, CompareOp::eq, Value(55'555)), 1);
  auto parted = time(Predicate::compare(2, CompareOp::eq, Value("p7")), 1000);
  auto all = time({}, kFiles);
  RecordProperty("cold_us", static_cast<int>(cold));
  std::printf("plan of %d files: cold %ld us, warm %ld us, by partition %ld us, all %ld us\n",
              kFiles, static_cast<long>(cold), static_cast<long>(warm), static_cast<long>(parted),
              static_cast<long>(all));
}

}  // namespace
}  // namespace aichemy::tables::iceberg
