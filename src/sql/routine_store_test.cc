#include "sql/routine_store.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace aichemy::sql {
namespace {

StoredRoutine routine(const char* schema, const char* name, const char* signature) {
  StoredRoutine made;
  made.catalog = "iceberg";
  made.schema = schema;
  made.name = name;
  made.signature = signature;
  made.sql = std::string("FUNCTION ") + name;
  made.path = "iceberg.s";
  return made;
}

std::string names(const RoutineStore& store, const char* schema, const char* name = "") {
  std::string made;
  for (const auto& one : store.find("iceberg", schema, name))
    made += one.name + one.signature + " ";
  return made;
}

TEST(RoutineStore, FindsBySchemaAndName) {
  auto store = RoutineStore::open(nullptr);
  ASSERT_TRUE(store);
  for (const auto& one : {routine("s", "f", "(varchar)"), routine("s", "f", "(bigint)"),
                          routine("s", "fa", "()"), routine("t", "f", "()")})
    ASSERT_TRUE((*store)->put(one, false));
  EXPECT_EQ(names(**store, "s"), "f(bigint) f(varchar) fa() ");
  EXPECT_EQ(names(**store, "s", "f"), "f(bigint) f(varchar) ");
  EXPECT_EQ(names(**store, "u"), "");
  ASSERT_TRUE((*store)->remove(routine("s", "f", "(bigint)")));
  EXPECT_EQ(names(**store, "s", "f"), "f(varchar) ");
}

// R1: the durable ones are there again.
TEST(RoutineStore, KeepsWhatIsDurable) {
  std::string path = testing::TempDir() + "/routines.db";
  std::filesystem::remove(path);
  for (bool again : {false, true}) {
    auto database = metadb::Database::open_sqlite({.path = path});
    ASSERT_TRUE(database) << database.error().message;
    auto store = RoutineStore::open(database->get());
    ASSERT_TRUE(store) << store.error().message;
    if (again) {
      EXPECT_EQ(names(**store, "s"), "");
      EXPECT_EQ(names(**store, "there"), "kept() ");
      StoredRoutine kept = (*store)->find("iceberg", "there", "kept")[0];
      EXPECT_EQ(kept.sql, "FUNCTION other");
      EXPECT_EQ(kept.path, "iceberg.s");
      EXPECT_EQ(kept.owner, "ann");
      ASSERT_TRUE((*store)->forget("iceberg", "there"));
      EXPECT_EQ(names(**store, "there"), "");
      continue;
    }
    ASSERT_TRUE((*store)->put(routine("s", "light", "()"), false));
    ASSERT_TRUE((*store)->put(routine("s", "gone", "()"), true));
    StoredRoutine kept = routine("s", "kept", "()");
    ASSERT_TRUE((*store)->put(kept, true));
    kept.sql = "FUNCTION other";
    kept.owner = "ann";
    ASSERT_TRUE((*store)->put(kept, true));
    ASSERT_TRUE((*store)->remove(routine("s", "gone", "()")));
    ASSERT_TRUE((*store)->rename("iceberg", "s", "there"));
    EXPECT_EQ(names(**store, "there"), "kept() light() ");
  }
}

}  // namespace
}  // namespace aichemy::sql
