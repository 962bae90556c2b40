#include <gtest/gtest.h>

#include <set>

#include "serve/hms/errors.h"
#include "serve/hms/reply_cache.h"

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

std::string message(thrift::MessageKind kind, int32_t sequence, int16_t field) {
  std::string bytes;
  thrift::Writer out(bytes);
  out.header({kind, "get_table", sequence});
  out.member(field, std::string("text"));
  out.stop();
  return bytes;
}

TEST(HmsRepliesTest, OnlyMethodsThatAreThereAreRepeated) {
  for (std::string_view name : method_names()) {
    if (is_repeatable(name)) EXPECT_TRUE(name.starts_with("get_")) << name;
  }
  EXPECT_TRUE(is_repeatable("get_table"));
  EXPECT_FALSE(is_repeatable("get_next_notification"));
}

TEST(HmsRepliesTest, AReplyEndsWithItsVersion) {
  ReplyCache replies(1000);
  auto reply = std::make_shared<std::string>("reply");
  EXPECT_EQ(replies.find(7, "question"), nullptr);
  replies.keep(7, "question", reply);
  EXPECT_EQ(replies.find(7, "question"), reply);
  EXPECT_EQ(replies.find(8, "question"), nullptr);
  replies.keep(7, "question", reply);  // read before the store went on
  EXPECT_EQ(replies.find(8, "question"), nullptr);
}

TEST(HmsRepliesTest, ItHoldsNoMoreThanItMay) {
  ReplyCache replies(1000);
  EXPECT_EQ(replies.find(1, ""), nullptr);
  for (int i = 0; i < 100; ++i)
    replies.keep(1, std::to_string(i), std::make_shared<std::string>(100, 'x'));
  int kept = 0;
  for (int i = 0; i < 100; ++i) kept += replies.find(1, std::to_string(i)) != nullptr;
  EXPECT_GT(kept, 0);
  EXPECT_LT(kept, 10);
}

TEST(HmsRepliesTest, ExceptionsAndLooseHeadersAreNotKept) {
  using enum thrift::MessageKind;
  EXPECT_TRUE(may_be_kept(message(reply, 9, 0)));
  EXPECT_FALSE(may_be_kept(message(reply, 9, 1))) << "a declared exception";
  EXPECT_FALSE(may_be_kept(message(exception, 9, 0)));
  std::string question = message(thrift::MessageKind::call, 9, 0);
  EXPECT_EQ(load_big<int32_t>(question.data() + sequence_offset(question)), 9);
  EXPECT_EQ(sequence_offset(std::string("\0\0\0\x09get_table\x01", 14)), 0u);
  EXPECT_EQ(sequence_offset(std::string("\x80\x01\0\x01\x7f\0\0\0get", 11)), 0u);
}

}  // namespace
}  // namespace aichemy::serve::hms
