#include "tables/iceberg_update.h"

#include <gtest/gtest.h>

namespace aichemy::tables::iceberg {
namespace {

TableMetadata table() {
  NewTable request;
  request.location = "s3://b/t/";
  request.uuid = "uuid-1";
  request.schema.fields = {
      {.id = 7, .name = "id", .type = primitive(TypeKind::int64)},
      {.id = 8, .name = "tags", .type = list_type(9, primitive(TypeKind::string), false)},
      {.id = 10, .name = "ts", .type = primitive(TypeKind::timestamp)}};
  request.spec.fields = {{.source_id = 10, .name = "day", .transform = {TransformKind::day}}};
  request.now_millis = 1000;
  auto made = new_table_metadata(request);
  EXPECT_TRUE(made) << made.error().message;
  return *made;
}

Update update(const char* json) {
  auto parsed = update_from_json(*Json::parse(json));
  EXPECT_TRUE(parsed) << json << ": " << parsed.error().message;
  return parsed.value_or(Update{});
}

Result<TableMetadata> apply(const TableMetadata& base, std::vector<const char*> updates) {
  std::vector<Update> parsed;
  for (const char* json : updates) parsed.push_back(update(json));
  return apply_updates(&base, parsed, {2000, "s3://b/t/metadata/00000-x.metadata.json"});
}

TEST(NewTableTest, IdsAreGivenLevelByLevel) {
  TableMetadata made = table();
  EXPECT_EQ(made.location, "s3://b/t");
  EXPECT_EQ(made.current_schema().find("id")->id, 1);
  EXPECT_EQ(made.current_schema().find("ts")->id, 3);
  EXPECT_EQ(made.current_schema().find("tags.element")->id, 4);
  EXPECT_EQ(made.last_column_id, 4);
  EXPECT_EQ(made.default_spec().fields[0].source_id, 3);
  EXPECT_EQ(made.default_spec().fields[0].field_id, 1000);
  EXPECT_EQ(made.last_partition_id, 1000);
}

TEST(RequirementTest, EachIsCheckedAndNamed) {
  TableMetadata base = table();
  struct Row {
    const char* json;
    bool holds;
  };
  const Row rows[] = {
      {R"({"type":"assert-table-uuid","uuid":"uuid-1"})", true},
      {R"({"type":"assert-table-uuid","uuid":"other"})", false},
      {R"({"type":"assert-create"})", false},
      {R"({"type":"assert-ref-snapshot-id","ref":"main","snapshot-id":null})", true},
      {R"({"type":"assert-ref-snapshot-id","ref":"main","snapshot-id":5})", false},
      {R"({"type":"assert-last-assigned-field-id","last-assigned-field-id":4})", true},
      {R"({"type":"assert-last-assigned-field-id","last-assigned-field-id":3})", false},
      {R"({"type":"assert-current-schema-id","current-schema-id":0})", true},
      {R"({"type":"assert-last-assigned-partition-id","last-assigned-partition-id":999})", false},
      {R"({"type":"assert-default-spec-id","default-spec-id":0})", true},
      {R"({"type":"assert-default-sort-order-id","default-sort-order-id":1})", false},
  };
  for (const Row& row : rows) {
    auto requirement = requirement_from_json(*Json::parse(row.json));
    ASSERT_TRUE(requirement) << row.json;
    auto met = check_requirements(&base, {*requirement});
    EXPECT_EQ(met.has_value(), row.holds) << row.json;
    if (!met) {
      EXPECT_TRUE(met.error().is("requirement_failed"));
    }
  }
  EXPECT_FALSE(requirement_from_json(*Json::parse(R"({"type":"assert-moon-phase"})")));
  EXPECT_TRUE(check_requirements(nullptr, {Requirement{}}));
}

TEST(UpdateTest, SchemasAndSpecsEvolve) {
  TableMetadata base = table();
  auto next = apply(base, {R"j({"action":"add-schema","schema":{"type":"struct","fields":[
          {"id":1,"name":"id","required":false,"type":"long"},
          {"id":3,"name":"ts","required":false,"type":"timestamp"},
          {"id":5,"name":"extra","required":false,"type":"decimal(9,2)","doc":"d"}]}})j",
                           R"({"action":"set-current-schema","schema-id":-1})",
                           R"({"action":"add-spec","spec":{"spec-id":4,"fields":[
          {"source-id":3,"name":"day","transform":"day"},
          {"source-id":1,"name":"id_bucket","transform":"bucket[4]"}]}})",
                           R"({"action":"set-default-spec","spec-id":-1})",
                           R"({"action":"set-properties","updates":{"a":"1"}})"});
  ASSERT_TRUE(next) << next.error().message;
  EXPECT_EQ(next->current_schema_id, 1);
  EXPECT_EQ(next->last_column_id, 5);
  EXPECT_EQ(next->default_spec_id, 1);
  EXPECT_EQ(next->default_spec().fields[0].field_id, 1000);  // the same field keeps its id
  EXPECT_EQ(next->default_spec().fields[1].field_id, 1001);
  EXPECT_EQ(next->metadata_log.size(), 1u);
  EXPECT_EQ(next->last_updated_millis, 2000);
  // Adding what is there already changes nothing.
  Json schema = schema_to_json(next->current_schema());
  Update again;
  again.kind = Update::Kind::add_schema;
  again.schema = next->current_schema();
  auto same = apply_updates(&*next, {again}, {3000, ""});
  ASSERT_TRUE(same);
  EXPECT_EQ(same->schemas.size(), next->schemas.size());
}

TEST(UpdateTest, SnapshotsAndRefs) {
  TableMetadata base = table();
  auto one = apply(
      base,
      {
          R"({"action":"add-snapshot","snapshot":{"snapshot-id":11,"sequence-number":1,"timestamp-ms":1500,
          "manifest-list":"s3://b/l","summary":{"operation":"append"},"schema-id":0}})",
          R"({"action":"set-snapshot-ref","ref-name":"main","type":"branch","snapshot-id":11})",
          R"({"action":"set-snapshot-ref","ref-name":"v1","type":"tag","snapshot-id":11,"max-ref-age-ms":5})"});
  ASSERT_TRUE(one) << one.error().message;
  EXPECT_EQ(one->current_snapshot_id, 11);
  EXPECT_EQ(one->snapshot_log.size(), 1u);
  EXPECT_EQ(one->refs.at("v1").max_ref_age_millis, 5);
  auto stale = apply(
      *one,
      {
          R"({"action":"add-snapshot","snapshot":{"snapshot-id":12,"sequence-number":1,"timestamp-ms":1600,
          "manifest-list":"s3://b/l2","summary":{"operation":"append"}}})"});
  ASSERT_FALSE(stale);
  EXPECT_EQ(stale.error().code, Code::conflict);
  auto gone = apply(*one, {R"({"action":"remove-snapshots","snapshot-ids":[11]})"});
  ASSERT_TRUE(gone);
  EXPECT_FALSE(gone->current_snapshot_id);
  EXPECT_TRUE(gone->refs.empty());
  EXPECT_TRUE(gone->snapshot_log.empty());
  EXPECT_FALSE(apply(
      *one, {R"({"action":"set-snapshot-ref","ref-name":"x","type":"tag","snapshot-id":99})"}));
}

TEST(UpdateTest, NonsenseIsRefused) {
  TableMetadata base = table();
  for (const char* json : {R"({"action":"upgrade-format-version","format-version":1})",
                           R"({"action":"upgrade-format-version","format-version":4})",
                           R"({"action":"set-current-schema","schema-id":8})",
                           R"({"action":"set-default-spec","spec-id":-1})",
                           R"({"action":"assign-uuid","uuid":"another"})",
                           R"({"action":"remove-schemas","schema-ids":[0]})",
                           R"({"action":"add-schema","schema":{"type":"struct","fields":[]}})"}) {
    std::vector<Update> updates = {update(json)};
    if (updates[0].kind == Update::Kind::add_schema) {
      Update current;
      current.kind = Update::Kind::set_current_schema;
      current.number = -1;
      updates.push_back(current);  // the spec's source column would be lost
    }
    EXPECT_FALSE(apply_updates(&base, updates, {2000, ""})) << json;
  }
  for (const char* json : {R"({"action":"fly"})", R"({"action":"add-snapshot"})", R"({})",
                           R"({"action":"set-location"})"}) {
    auto parsed = update_from_json(*Json::parse(json));
    ASSERT_FALSE(parsed) << json;
    EXPECT_EQ(parsed.error().code, Code::invalid);
  }
}

TEST(MetadataTest, UnknownMembersSurvive) {
  Json json = metadata_to_json(table());
  json.set("x-custom", "kept");
  auto read = metadata_from_json(json);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(metadata_to_json(*read)["x-custom"].as_string(), "kept");
}

TEST(MetadataTest, VersionOneIsRead) {
  auto read = metadata_from_bytes(R"({"format-version":1,"table-uuid":"u","location":"s3://b/old",
      "last-updated-ms":5,"last-column-id":1,
      "schema":{"type":"struct","fields":[{"id":1,"name":"x","required":true,"type":"int"}]},
      "partition-spec":[{"source-id":1,"name":"x","transform":"identity"}],
      "properties":{},"current-snapshot-id":-1,"snapshots":[]})");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->default_spec().fields[0].field_id, 1000);
  EXPECT_FALSE(read->current_snapshot_id);
  EXPECT_EQ(read->default_sort_order().id, 0);
}

TEST(MetadataTest, VersionThreeHandsOutRowIds) {
  TableMetadata base = table();
  ASSERT_TRUE(apply(base, {R"({"action":"upgrade-format-version","format-version":3})"}));
  base = *apply(base, {R"({"action":"upgrade-format-version","format-version":3})"});
  EXPECT_EQ(metadata_to_json(base)["next-row-id"].as_int(-1), 0);
  EXPECT_EQ(metadata_to_json(base).find("current-snapshot-id"), nullptr);
  auto snapshot = [](int id, const char* more) {
    return R"({"action":"add-snapshot","snapshot":{"snapshot-id":)" + std::to_string(id) +
           R"(,"sequence-number":)" + std::to_string(id) +
           R"(,"timestamp-ms":5,"manifest-list":"s3://b/l","summary":{"operation":"append"})" +
           more + "}}";
  };
  EXPECT_FALSE(apply(base, {snapshot(1, "").c_str()}));
  auto first = apply(base, {snapshot(1, R"(,"first-row-id":0,"added-rows":10)").c_str()});
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->next_row_id, 10);
  auto behind = apply(*first, {snapshot(2, R"(,"first-row-id":9,"added-rows":1)").c_str()});
  ASSERT_FALSE(behind);
  EXPECT_EQ(behind.error().code, Code::conflict);
  auto read = metadata_from_json(metadata_to_json(*first));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->next_row_id, 10);
  EXPECT_EQ(read->snapshots[0].added_rows, 10);
  Json encrypted = metadata_to_json(*first);
  Json keys = Json::array();
  keys.push(Json().set("key-id", "k"));
  encrypted.set("encryption-keys", std::move(keys));
  EXPECT_EQ(metadata_from_json(encrypted).error().code, Code::unsupported);
}

TEST(MetadataTest, BrokenIsCorruptNewerIsUnsupported) {
  EXPECT_EQ(metadata_from_bytes(R"({"format-version":4})").error().code, Code::unsupported);
  for (const char* text : {"", "{", "[]", "{}", R"({"format-version":2})",
                           R"({"format-version":3})", "\x1f\x8bgarbage"}) {
    auto read = metadata_from_bytes(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, Code::corrupt) << text;
  }
  // A cycle of parents ends.
  TableMetadata base = table();
  base.snapshots = {Snapshot{.id = 1, .parent_id = 2}, Snapshot{.id = 2, .parent_id = 1}};
  base.current_snapshot_id = 1;
  EXPECT_EQ(base.find_by_summary("a", "b"), nullptr);
}

TEST(MetadataTest, FileNamesCountUp) {
  TableMetadata base = table();
  EXPECT_EQ(metadata_location(base, "", "u1"), "s3://b/t/metadata/00000-u1.metadata.json");
  EXPECT_EQ(metadata_location(base, "s3://b/t/metadata/00041-u0.metadata.json", "u1"),
            "s3://b/t/metadata/00042-u1.metadata.json");
  EXPECT_EQ(metadata_location(base, "s3://b/t/metadata/v7.metadata.json", "u1"),
            "s3://b/t/metadata/00000-u1.metadata.json");
}

TEST(TypesTest, JsonRoundTripsAndNonsenseIsRefused) {
  const char* text =
      R"j({"type":"struct","schema-id":3,"fields":[)j"
      R"j({"id":1,"name":"a","required":true,"type":"decimal(9, 2)"},)j"
      R"j({"id":2,"name":"m","required":false,"type":{"type":"map","key-id":3,"key":"string",)j"
      R"j("value-id":4,"value":{"type":"list","element-id":5,"element":"fixed[16]",)j"
      R"j("element-required":true},"value-required":false},"doc":"d"}],)j"
      R"j("identifier-field-ids":[1]})j";
  auto schema = schema_from_json(*Json::parse(text));
  ASSERT_TRUE(schema) << schema.error().message;
  EXPECT_EQ(schema_to_json(*schema).dump(), text);
  EXPECT_EQ(schema->path_of(5), "m.value.element");
  EXPECT_EQ(schema->find("M.VALUE.element", true)->id, 5);
  EXPECT_EQ(schema->find("M", false), nullptr);
  for (const char* broken :
       {R"j({"fields":[{"id":1,"name":"a","type":"int"},{"id":1,"name":"b","type":"int"}]})j",
        R"j({"fields":[{"id":1,"name":"a","type":"decimal(99,2)"}]})j",
        R"j({"fields":[{"id":1,"name":"a"}]})j", R"j({"fields":[{"name":"a","type":"int"}]})j",
        R"j({"fields":[{"id":1,"name":"a","type":"geometry"}]})j", R"j({})j"}) {
    EXPECT_FALSE(schema_from_json(*Json::parse(broken))) << broken;
  }
}

}  // namespace
}  // namespace aichemy::tables::iceberg
