// Words that the terminal completes: keywords, functions, catalogs, schemas, tables, columns. Names
// are asked of the server when they are first needed, and again after a statement that may have
// changed them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/client_session.h"

namespace aichemy::app {

class SqlCompletion {
 public:
  // A session of its own: completing must not disturb the one that runs statements.
  explicit SqlCompletion(const SqlLogin& login) : client_(login), login_(login) {}

  // What may stand for `word` in `line`, with what stands before its last dot; sorted.
  std::vector<std::string> complete(std::string_view line, std::string_view word);
  // After a statement: names are asked again; catalog and schema are those of `login`.
  void forget(const SqlLogin& login);

 private:
  SqlClient client_;
  SqlLogin login_;
  bool loaded_ = false;
  std::vector<std::string> functions_, tables_, catalogs_;
  std::vector<std::pair<std::string, std::string>> columns_;  // table, column of the schema

  void load();
  std::vector<std::string> list(const std::string& statement);
  std::vector<std::string> qualified(const std::string& qualifier);
};

}  // namespace aichemy::app
