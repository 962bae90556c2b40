#include <gtest/gtest.h>

#include <set>

#include "serve/hms/errors.h"

namespace aichemy::serve::hms {
namespace {

TEST(HmsErrorsTest, EveryCodeHasARow) {
  for (int code = 0; code < kCodeCount; ++code) {
    bool found = false;
    for (const ErrorRow& row : error_rows())
      found = found || (static_cast<int>(row.code) == code && row.what.empty());
    EXPECT_TRUE(found) << code_name(static_cast<Code>(code));
  }
}

TEST(HmsErrorsTest, ThrowsWhatTheMethodDeclares) {
  Error missing{Code::not_found, "no_such_table", ""};
  EXPECT_EQ(thrown_field(*find_method("get_table"), missing), 2);
  EXPECT_EQ(thrown_field(*find_method("drop_table"), missing), 1);
  EXPECT_EQ(thrown_field(*find_method("alter_table"), missing), 1);
  EXPECT_EQ(thrown_field(*find_method("get_fields"), missing), 2);
  EXPECT_EQ(thrown_field(*find_method("alter_table"), {Code::conflict, "table_modified", ""}), 2);
  EXPECT_EQ(thrown_field(*find_method("unlock"), {Code::not_found, "no_such_lock", ""}), 1);
  EXPECT_EQ(thrown_field(*find_method("show_locks"), missing), 0);
}

TEST(HmsMethodsTest, EveryMethodIsNamedOnceAndRuns) {
  size_t rows = 0;
  for (const auto* table : {&table_methods(), &partition_methods(), &other_methods()}) {
    rows += table->size();
    for (const Method& method : *table) EXPECT_NE(method.run, nullptr) << method.name;
  }
  EXPECT_EQ(method_names().size(), rows);
  EXPECT_EQ(find_method("open_txns"), nullptr);
}

}  // namespace
}  // namespace aichemy::serve::hms
