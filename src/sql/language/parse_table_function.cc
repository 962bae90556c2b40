// TABLE(name(...)): table functions and their arguments.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "sql/language/parse_state.h"

namespace aichemy::sql {
namespace {

bool is_named(const TableArgument& argument, const QualifiedName& name) {
  if (!argument.table) return false;
  const Relation& table = *argument.table;
  if (table.alias) return name.size() == 1 && table.alias->lower() == name[0].lower();
  if (name.size() > table.name.size()) return false;
  return std::equal(name.rbegin(), name.rend(), table.name.rbegin(),
                    [](const auto& a, const auto& b) { return a.lower() == b.lower(); });
}

std::unexpected<Error> wrong(const QualifiedName& name, const std::string& why) {
  Position at = name[0].at;
  return fail(Code::invalid, "INVALID_COPARTITIONING",
              fmt::format("line {}:{}: {}", at.line, at.column, why));
}

// Each name of COPARTITION is another table argument.
Status check_copartition(const std::vector<TableArgument>& arguments,
                         const std::vector<QualifiedName>& names) {
  std::set<size_t> seen;
  for (const QualifiedName& name : names) {
    std::string shown;
    for (const auto& part : name) shown += (shown.empty() ? "" : ".") + part.lower();
    size_t found = 0;
    while (found < arguments.size() && !is_named(arguments[found], name)) ++found;
    if (found == arguments.size()) {
      return wrong(name, "No table argument found for name: " + shown);
    }
    if (!seen.insert(found).second) {
      return wrong(name,
                   fmt::format("Multiple references to table argument: {} in COPARTITION clause",
                               shown));
    }
  }
  return {};
}

}  // namespace

Result<RelationPtr> Parser::table_function() {
  auto made = std::make_unique<Relation>();
  made->at = peek().at;
  made->kind = Relation::Kind::table_function;
  next_ += 2;
  ASSIGN_OR_RETURN(made->name, qualified_name());
  RETURN_IF_ERROR(need_symbol("("));
  while (!at_symbol(")") && !at_word("COPARTITION")) {
    ASSIGN_OR_RETURN(TableArgument argument, table_argument());
    made->table_args.push_back(std::move(argument));
    if (!take_symbol(",")) break;
  }
  std::vector<QualifiedName> together;
  if (take_word("COPARTITION")) {
    do {
      RETURN_IF_ERROR(need_symbol("("));
      ASSIGN_OR_RETURN(QualifiedName first, qualified_name());
      together.push_back(std::move(first));
      RETURN_IF_ERROR(need_symbol(","));
      do {
        ASSIGN_OR_RETURN(QualifiedName name, qualified_name());
        together.push_back(std::move(name));
      } while (take_symbol(","));
      RETURN_IF_ERROR(need_symbol(")"));
    } while (take_symbol(","));
  }
  RETURN_IF_ERROR(need_symbol(")"));
  RETURN_IF_ERROR(need_symbol(")"));
  RETURN_IF_ERROR(check_copartition(made->table_args, together));
  return made;
}

Result<TableArgument> Parser::table_argument() {
  TableArgument made;
  made.at = peek().at;
  if (at_identifier() && at_symbol("=>", 1)) {
    ASSIGN_OR_RETURN(made.name, identifier());
    ++next_;
  }
  if (at_word("TABLE") && at_symbol("(", 1)) {
    RETURN_IF_ERROR(table_argument_rows(made));
    return made;
  }
  if (at_word("DESCRIPTOR") && at_symbol("(", 1)) {
    next_ += 2;
    made.descriptor.emplace();
    do {
      ASSIGN_OR_RETURN(Identifier column, identifier());
      made.descriptor->push_back(std::move(column));
      if (!at_symbol(",") && !at_symbol(")")) RETURN_IF_ERROR(type_text());
    } while (take_symbol(","));
    RETURN_IF_ERROR(need_symbol(")"));
    return made;
  }
  ASSIGN_OR_RETURN(made.value, expression());
  return made;
}

// TABLE(t) or TABLE(query), an alias, PARTITION BY, PRUNE or KEEP WHEN EMPTY, ORDER BY.
Status Parser::table_argument_rows(TableArgument& made) {
  made.table = std::make_unique<Relation>();
  Relation& table = *made.table;
  table.at = peek().at;
  bool is_query = at_query_start(2);
  next_ += 2;
  table.kind = is_query ? Relation::Kind::query : Relation::Kind::table;
  if (is_query) {
    ASSIGN_OR_RETURN(table.query, query());
  } else {
    ASSIGN_OR_RETURN(table.name, qualified_name());
  }
  RETURN_IF_ERROR(need_symbol(")"));
  bool clause = at_word("PARTITION") || at_word("PRUNE") || at_word("KEEP") || at_word("ORDER") ||
                at_word("COPARTITION");
  if (take_word("AS") || (!clause && at_identifier())) {
    ASSIGN_OR_RETURN(table.alias, identifier());
    if (at_symbol("(")) {
      ASSIGN_OR_RETURN(table.column_aliases, identifier_list());
    }
  }
  if (take_words({"PARTITION", "BY"})) {
    made.partition_by.emplace();
    bool listed = take_symbol("(");
    while (!listed || !at_symbol(")")) {
      ASSIGN_OR_RETURN(ExpressionPtr key, expression());
      made.partition_by->push_back(std::move(key));
      if (!listed || !take_symbol(",")) break;
    }
    if (listed) RETURN_IF_ERROR(need_symbol(")"));
  }
  if (at_word("PRUNE") || at_word("KEEP")) {
    made.when_empty = peek().upper;
    ++next_;
    if (!take_words({"WHEN", "EMPTY"})) return unexpected_token("'WHEN'");
  }
  if (!take_words({"ORDER", "BY"})) return {};
  if (take_symbol("(")) {
    RETURN_IF_ERROR(order_by(made.order_by));
    return need_symbol(")");
  }
  SortItem item;  // one: what follows a comma is the next argument
  ASSIGN_OR_RETURN(item.key, expression());
  item.descending = take_word("DESC");
  if (!item.descending) take_word("ASC");
  if (take_words({"NULLS", "FIRST"})) item.nulls_first = true;
  if (take_words({"NULLS", "LAST"})) item.nulls_first = false;
  made.order_by.push_back(std::move(item));
  return {};
}

}  // namespace aichemy::sql
