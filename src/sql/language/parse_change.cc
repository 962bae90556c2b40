// DELETE, UPDATE, MERGE, TRUNCATE.
#include "sql/language/parse_state.h"

namespace aichemy::sql {

Result<std::unique_ptr<Statement>> Parser::truncate() {
  auto made = make(StatementKind::truncate_table, peek().at);
  ++next_;
  RETURN_IF_ERROR(need_word("TABLE"));
  ASSIGN_OR_RETURN(made->name, qualified_name());
  return made;
}

// @ branch, after the name of a table to write to.
Result<std::string> Parser::target_branch() {
  if (!take_symbol("@")) return std::string();
  ASSIGN_OR_RETURN(Identifier branch, identifier());
  return branch.text;
}

Result<std::unique_ptr<Statement>> Parser::row_change() {
  auto made = make(StatementKind::delete_rows, peek().at);
  made->change = std::make_unique<ChangeSyntax>();
  made->change->target.kind = Relation::Kind::table;
  if (take_word("DELETE")) {
    RETURN_IF_ERROR(delete_rows(*made));
  } else if (take_word("UPDATE")) {
    made->kind = StatementKind::update_rows;
    RETURN_IF_ERROR(update_rows(*made));
  } else {
    ++next_;
    made->kind = StatementKind::merge_rows;
    RETURN_IF_ERROR(merge_rows(*made));
  }
  made->name = made->change->target.name;
  return made;
}

Status Parser::delete_rows(Statement& made) {
  ChangeSyntax& change = *made.change;
  RETURN_IF_ERROR(need_word("FROM"));
  change.target.at = peek().at;
  ASSIGN_OR_RETURN(change.target.name, qualified_name());
  ASSIGN_OR_RETURN(made.branch, target_branch());
  ChangeCase& row = change.cases.emplace_back();
  row.kind = ChangeCase::Kind::remove;
  row.at = change.target.at;
  if (take_word("WHERE")) {
    ASSIGN_OR_RETURN(row.condition, expression());
  }
  return {};
}

Status Parser::update_rows(Statement& made) {
  ChangeSyntax& change = *made.change;
  change.target.at = peek().at;
  ASSIGN_OR_RETURN(change.target.name, qualified_name());
  ASSIGN_OR_RETURN(made.branch, target_branch());
  ChangeCase& row = change.cases.emplace_back();
  row.kind = ChangeCase::Kind::update;
  row.at = peek().at;
  RETURN_IF_ERROR(need_word("SET"));
  RETURN_IF_ERROR(assignments(row));
  if (take_word("WHERE")) {
    ASSIGN_OR_RETURN(row.condition, expression());
  }
  return {};
}

Status Parser::assignments(ChangeCase& to) {
  do {
    ASSIGN_OR_RETURN(Identifier column, identifier());
    RETURN_IF_ERROR(need_symbol("="));
    ASSIGN_OR_RETURN(ExpressionPtr value, expression());
    to.columns.push_back(std::move(column));
    to.values.push_back(std::move(value));
  } while (take_symbol(","));
  return {};
}

Status Parser::merge_rows(Statement& made) {
  ChangeSyntax& change = *made.change;
  RETURN_IF_ERROR(need_word("INTO"));
  change.target.at = peek().at;
  ASSIGN_OR_RETURN(change.target.name, qualified_name());
  ASSIGN_OR_RETURN(made.branch, target_branch());
  bool named = take_word("AS");
  if (named || (at_identifier() && !at_word("USING"))) {
    ASSIGN_OR_RETURN(change.target.alias, identifier());
  }
  RETURN_IF_ERROR(need_word("USING"));
  ASSIGN_OR_RETURN(change.source, relation());
  RETURN_IF_ERROR(need_word("ON"));
  ASSIGN_OR_RETURN(change.on, expression());
  do {
    ASSIGN_OR_RETURN(ChangeCase row, merge_case());
    change.cases.push_back(std::move(row));
  } while (at_word("WHEN"));
  return {};
}

Result<ChangeCase> Parser::merge_case() {
  ChangeCase row;
  row.at = peek().at;
  RETURN_IF_ERROR(need_word("WHEN"));
  bool matched = !take_word("NOT");
  RETURN_IF_ERROR(need_word("MATCHED"));
  if (take_word("AND")) {
    ASSIGN_OR_RETURN(row.condition, expression());
  }
  RETURN_IF_ERROR(need_word("THEN"));
  if (matched && take_word("DELETE")) return row;
  if (matched) {
    if (!take_words({"UPDATE", "SET"})) return unexpected_token("'DELETE', 'UPDATE'");
    row.kind = ChangeCase::Kind::update;
    RETURN_IF_ERROR(assignments(row));
    return row;
  }
  row.kind = ChangeCase::Kind::insert;
  RETURN_IF_ERROR(need_word("INSERT"));
  if (at_symbol("(")) {
    ASSIGN_OR_RETURN(row.columns, identifier_list());
  }
  RETURN_IF_ERROR(need_word("VALUES"));
  RETURN_IF_ERROR(need_symbol("("));
  do {
    ASSIGN_OR_RETURN(ExpressionPtr value, expression());
    row.values.push_back(std::move(value));
  } while (take_symbol(","));
  RETURN_IF_ERROR(need_symbol(")"));
  return row;
}

}  // namespace aichemy::sql
