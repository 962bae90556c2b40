// Reads tables written by pyiceberg (tests/golden/iceberg) and plans the scans that pyiceberg
// planned.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>

#include "objectstore/memory_store.h"
#include "tables/calendar.h"
#include "tables/iceberg_scan.h"

namespace aichemy::tables::iceberg {
namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

struct FilterCase {
  const char* name;
  std::function<Predicate(const Schema&)> make;
};

int id_of(const Schema& schema, const char* name) {
  const Field* field = schema.find(name);
  EXPECT_NE(field, nullptr) << name;
  return field ? field->id : 0;
}

Predicate on(const Schema& schema, const char* name, CompareOp op, Value value) {
  return Predicate::compare(id_of(schema, name), op, std::move(value));
}

const FilterCase kFilters[] = {
    {"all", [](const Schema&) { return Predicate::always_true(); }},
    {"id = 3", [](const Schema& s) { return on(s, "id", CompareOp::eq, Value(3)); }},
    {"id > 25", [](const Schema& s) { return on(s, "id", CompareOp::gt, Value(25)); }},
    {"id in (1, 21)",
     [](const Schema& s) { return Predicate::in(id_of(s, "id"), {Value(1), Value(21)}); }},
    {"section = 'net'",
     [](const Schema& s) { return on(s, "section", CompareOp::eq, Value("net")); }},
    {"section is null", [](const Schema& s) { return Predicate::is_null(id_of(s, "section")); }},
    {"section is not null",
     [](const Schema& s) { return Predicate::not_null(id_of(s, "section")); }},
    {"section like 'ne%'",
     [](const Schema& s) { return Predicate::starts_with(id_of(s, "section"), "ne"); }},
    {"ts < 2024-01-03",
     [](const Schema& s) {
       return on(s, "ts", CompareOp::lt, Value(*timestamp_from_text("2024-01-03T00:00:00", false)));
     }},
    {"day >= 1970-01-10",
     [](const Schema& s) {
       return on(s, "day", CompareOp::ge, Value(*date_from_text("1970-01-10")));
     }},
    {"price < 2.5 or id > 30",
     [](const Schema& s) {
       return Predicate::any({on(s, "price", CompareOp::lt, Value(Int128{250})),
                              on(s, "id", CompareOp::gt, Value(30))});
     }},
    {"not (id > 10)",
     [](const Schema& s) { return Predicate::negate(on(s, "id", CompareOp::gt, Value(10))); }},
    {"id > 5 and section <> 'net'",
     [](const Schema& s) {
       // To pyiceberg null is unequal to everything.
       return Predicate::all({on(s, "id", CompareOp::gt, Value(5)),
                              Predicate::any({on(s, "section", CompareOp::ne, Value("net")),
                                              Predicate::is_null(id_of(s, "section"))})});
     }},
};

class GoldenTest : public testing::Test {
 protected:
  void SetUp() override {
    auto root = std::filesystem::path(AICHEMY_GOLDEN_DIR) / "iceberg";
    auto parsed = Json::parse(read_file(root / "expected.json"));
    ASSERT_TRUE(parsed) << parsed.error().message;
    expected_ = std::move(*parsed);
    ASSERT_TRUE(store_.create_bucket({}, "golden"));
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(root / "objects" / "golden")) {
      if (!entry.is_regular_file()) continue;
      std::string key =
          std::filesystem::relative(entry.path(), root / "objects" / "golden").string();
      ASSERT_TRUE(store_.put({}, "golden", key, read_file(entry.path())));
    }
  }

  Result<TableMetadata> load(const Json& table) {
    ASSIGN_OR_RETURN(std::string bytes,
                     files_.read({}, std::string(table["metadata"].as_string())));
    return metadata_from_bytes(bytes);
  }

  FakeClock clock_;
  objectstore::MemoryStore store_{clock_};
  FileIo files_{store_};
  ManifestCache cache_{64 << 20};
  Json expected_;
};

TEST_F(GoldenTest, PlansWhatPyicebergPlans) {
  ASSERT_EQ(expected_.as_object().size(), 3u);
  for (const auto& [name, table] : expected_.as_object()) {
    auto metadata = load(table);
    ASSERT_TRUE(metadata) << name << ": " << metadata.error().message;
    for (const FilterCase& filter : kFilters) {
      const Json* files = table["plans"].find(filter.name);
      ASSERT_NE(files, nullptr) << filter.name;
      std::set<std::string> theirs;
      for (const Json& path : files->as_array()) theirs.insert(std::string(path.as_string()));
      ScanRequest request;
      request.predicate = filter.make(metadata->current_schema());
      auto plan = plan_scan({}, files_, cache_, *metadata, request);
      ASSERT_TRUE(plan) << plan.error().message;
      std::set<std::string> ours;
      for (const DataFile& file : plan->files) ours.insert(file.path);
      EXPECT_EQ(ours, theirs) << name << " where " << filter.name;
    }
  }
}

TEST_F(GoldenTest, FilesHaveTheirSizesAndBounds) {
  for (const auto& [name, table] : expected_.as_object()) {
    auto metadata = load(table);
    ASSERT_TRUE(metadata) << metadata.error().message;
    auto plan = plan_scan({}, files_, cache_, *metadata, {});
    ASSERT_TRUE(plan) << plan.error().message;
    int id = id_of(metadata->current_schema(), "id");
    for (const DataFile& file : plan->files) {
      const Json& known = table["files"][file.path];
      EXPECT_EQ(static_cast<int64_t>(file.record_count), known["records"].as_int());
      EXPECT_EQ(static_cast<int64_t>(file.size), known["size"].as_int());
      bool bounded = false;
      for (const ColumnBounds& bounds : file.bounds) {
        if (bounds.field_id != id) continue;
        bounded = true;
        EXPECT_LE(bounds.lower.compare(bounds.upper), 0);
        EXPECT_EQ(bounds.null_count, 0);
      }
      EXPECT_TRUE(bounded) << file.path;
    }
    EXPECT_EQ(plan->files.size(), table["files"].as_object().size());
  }
}

TEST_F(GoldenTest, MetadataIsWrittenBackAsItWas) {
  for (const auto& [name, table] : expected_.as_object()) {
    auto bytes = files_.read({}, std::string(table["metadata"].as_string()));
    ASSERT_TRUE(bytes);
    auto before = metadata_from_bytes(*bytes);
    ASSERT_TRUE(before);
    auto again = metadata_from_json(metadata_to_json(*before));
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(metadata_to_json(*again).dump(), metadata_to_json(*before).dump());
    auto original = Json::parse(*bytes);
    Json written = metadata_to_json(*before);
    for (const auto& [key, value] : original->as_object()) {
      if (value.is_null() || key == "schemas") continue;
      ASSERT_NE(written.find(key), nullptr) << key;
      if (!value.is_object() && !value.is_array()) {
        EXPECT_EQ(*written.find(key), value) << key;
      }
    }
  }
}

TEST_F(GoldenTest, ManifestsSurviveReencoding) {
  for (const auto& [name, table] : expected_.as_object()) {
    auto metadata = load(table);
    ASSERT_TRUE(metadata);
    auto list = read_manifests({}, files_, cache_, *metadata, *metadata->current_snapshot());
    ASSERT_TRUE(list) << list.error().message;
    for (const ManifestFile& row : (*list)->manifests) {
      auto manifest = cache_.manifest({}, files_, row.path);
      ASSERT_TRUE(manifest) << manifest.error().message;
      std::vector<ManifestEntry> entries;
      for (size_t i = 0; i < (*manifest)->size(); ++i) entries.push_back((*manifest)->entry(i));
      ManifestFile summary =
          summarize_manifest(metadata->current_schema(), *metadata->spec(row.spec_id), entries);
      EXPECT_EQ(summary.added_rows, row.added_rows);
      EXPECT_EQ(summary.existing_files, row.existing_files);
      ASSERT_EQ(summary.partitions.size(), row.partitions.size());
      for (size_t i = 0; i < row.partitions.size(); ++i) {
        EXPECT_EQ(summary.partitions[i].lower, row.partitions[i].lower);
        EXPECT_EQ(summary.partitions[i].upper, row.partitions[i].upper);
        EXPECT_EQ(summary.partitions[i].contains_null, row.partitions[i].contains_null);
      }
      for (AvroCodec codec :
           {AvroCodec::null, AvroCodec::deflate, AvroCodec::zstandard, AvroCodec::snappy}) {
        auto bytes = encode_manifest(metadata->current_schema(), *metadata->spec(row.spec_id),
                                     row.holds_deletes, entries, {.codec = codec});
        ASSERT_TRUE(bytes) << bytes.error().message;
        auto back = decode_manifest(*bytes);
        ASSERT_TRUE(back) << back.error().message;
        ASSERT_EQ(back->size(), entries.size());
        for (size_t i = 0; i < entries.size(); ++i) {
          ManifestEntry entry = back->entry(i);
          EXPECT_EQ(entry.path, entries[i].path);
          EXPECT_EQ(entry.partition, entries[i].partition);
          EXPECT_EQ(entry.columns.size(), entries[i].columns.size());
          EXPECT_EQ(entry.sequence_number, entries[i].sequence_number);
          EXPECT_EQ(entry.split_offsets, entries[i].split_offsets);
        }
      }
    }
  }
}

}  // namespace
}  // namespace aichemy::tables::iceberg
