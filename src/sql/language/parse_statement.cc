// Statements other than queries.
#include <fmt/format.h>

#include "sql/language/parse_state.h"
#include "sql/language/parser.h"

namespace aichemy::sql {

Status Parser::property_list(std::vector<std::pair<Identifier, ExpressionPtr>>& properties) {
  RETURN_IF_ERROR(need_symbol("("));
  while (!at_symbol(")")) {
    ASSIGN_OR_RETURN(Identifier name, identifier());
    RETURN_IF_ERROR(need_symbol("="));
    ExpressionPtr value;
    if (!take_word("DEFAULT")) {
      ASSIGN_OR_RETURN(value, expression());
    }
    properties.emplace_back(std::move(name), std::move(value));
    if (!take_symbol(",")) break;
  }
  return need_symbol(")");
}

Result<std::unique_ptr<Statement>> Parser::create() {
  auto made = make(StatementKind::create_table, peek().at);
  ++next_;
  if (take_words({"OR", "REPLACE"})) made->replace = true;
  if (take_word("TABLE")) return create_table(std::move(made));
  if (take_word("VIEW")) return create_view(std::move(made));
  if (take_words({"MATERIALIZED", "VIEW"})) return create_materialized(std::move(made));
  if (!made->replace && take_word("SCHEMA")) {
    made->kind = StatementKind::create_schema;
    made->if_exists = take_words({"IF", "NOT", "EXISTS"});
    ASSIGN_OR_RETURN(made->name, qualified_name());
    if (take_word("AUTHORIZATION")) {
      made->alter = std::make_unique<AlterClause>();
      made->alter->kind = AlterClause::Kind::schema_authorization;
      ASSIGN_OR_RETURN(made->alter->principal, principal());
    }
    if (take_word("WITH")) RETURN_IF_ERROR(property_list(made->properties));
    return made;
  }
  if (!made->replace && take_word("ROLE")) return role(std::move(made), false);
  if (take_word("BRANCH")) return create_branch(std::move(made));
  if (at_word("FUNCTION")) return routine(std::move(made), false);
  if (at_word("CATALOG")) {
    made->kind = StatementKind::refused;
    made->sql = "CREATE CATALOG";
    next_ = tokens_.size() - 1;
    return made;
  }
  return unexpected_token(
      "'BRANCH', 'CATALOG', 'FUNCTION', 'MATERIALIZED', 'OR', 'ROLE', 'SCHEMA', 'TABLE', 'VIEW'");
}

// After the name: the type and what follows it, in any order.
Status Parser::column_definition(ColumnDefinition& column) {
  column.type_at = peek().at;
  ASSIGN_OR_RETURN(column.type_text, type_text());
  while (true) {
    if (take_words({"NOT", "NULL"})) {
      column.nullable = false;
    } else if (take_word("COMMENT")) {
      ASSIGN_OR_RETURN(column.comment, string_text());
    } else if (take_word("WITH")) {
      RETURN_IF_ERROR(property_list(column.properties));
    } else if (take_word("DEFAULT")) {
      size_t begin = peek().begin;
      ASSIGN_OR_RETURN(column.default_value, concatenation());
      column.default_text = std::string(sql_.substr(begin, tokens_[next_ - 1].end - begin));
    } else {
      return {};
    }
  }
}

Status Parser::column_definitions(Statement& made) {
  RETURN_IF_ERROR(need_symbol("("));
  do {
    ColumnDefinition column;
    if (take_word("LIKE")) {
      ASSIGN_OR_RETURN(column.like, qualified_name());
      if (take_words({"INCLUDING", "PROPERTIES"}))
        column.including_properties = true;
      else
        take_words({"EXCLUDING", "PROPERTIES"});
      made.columns.push_back(std::move(column));
      continue;
    }
    ASSIGN_OR_RETURN(column.name, identifier());
    RETURN_IF_ERROR(column_definition(column));
    made.columns.push_back(std::move(column));
  } while (take_symbol(","));
  return need_symbol(")");
}

Result<std::unique_ptr<Statement>> Parser::create_table(std::unique_ptr<Statement> made) {
  made->if_exists = take_words({"IF", "NOT", "EXISTS"});
  ASSIGN_OR_RETURN(made->name, qualified_name());
  bool names_only = at_symbol("(") && at_identifier(1) && (at_symbol(",", 2) || at_symbol(")", 2));
  if (names_only) {
    ASSIGN_OR_RETURN(made->column_names, identifier_list());
  } else if (at_symbol("(") && !at_query_start(1)) {
    RETURN_IF_ERROR(column_definitions(*made));
  }
  if (take_word("COMMENT")) {
    ASSIGN_OR_RETURN(made->comment, string_text());
  }
  if (take_word("WITH")) RETURN_IF_ERROR(property_list(made->properties));
  if (made->columns.empty()) {
    made->kind = StatementKind::create_table_as;
    RETURN_IF_ERROR(need_word("AS"));

    RETURN_IF_ERROR(query_text(*made));

    if (take_words({"WITH", "NO", "DATA"}))
      made->with_data = false;
    else
      take_words({"WITH", "DATA"});
  }
  return made;
}

Result<std::unique_ptr<Statement>> Parser::create_view(std::unique_ptr<Statement> made) {
  made->kind = StatementKind::create_view;
  ASSIGN_OR_RETURN(made->name, qualified_name());
  if (take_word("COMMENT")) {
    ASSIGN_OR_RETURN(made->comment, string_text());
  }
  if (take_word("SECURITY")) {
    if (at_word("DEFINER") || at_word("INVOKER"))
      made->mode = peek().upper;
    else
      return unexpected_token("'DEFINER', 'INVOKER'");
    ++next_;
  }
  RETURN_IF_ERROR(need_word("AS"));
  RETURN_IF_ERROR(query_text(*made));
  return made;
}

Result<std::unique_ptr<Statement>> Parser::drop() {
  auto made = make(StatementKind::drop_table, peek().at);
  ++next_;
  if (take_words({"MATERIALIZED", "VIEW"}))
    return named_materialized(StatementKind::drop_materialized_view);
  if (take_word("TABLE"))
    made->kind = StatementKind::drop_table;
  else if (take_word("VIEW"))
    made->kind = StatementKind::drop_view;
  else if (take_word("SCHEMA"))
    made->kind = StatementKind::drop_schema;
  else {
    if (take_word("ROLE")) return role(std::move(made), true);
    if (take_word("BRANCH")) return drop_branch(std::move(made));
    if (at_word("FUNCTION")) return routine(std::move(made), true);
    if (at_word("CATALOG")) {
      made->kind = StatementKind::refused;
      made->sql = "DROP CATALOG";
      next_ = tokens_.size() - 1;
      return made;
    }
    return unexpected_token(
        "'BRANCH', 'CATALOG', 'FUNCTION', 'MATERIALIZED', 'ROLE', 'SCHEMA', 'TABLE', 'VIEW'");
  }
  made->if_exists = take_words({"IF", "EXISTS"});
  ASSIGN_OR_RETURN(made->name, qualified_name());
  if (made->kind == StatementKind::drop_schema) {
    made->cascade = take_word("CASCADE");
    if (!made->cascade) take_word("RESTRICT");
  }
  return made;
}

Result<std::unique_ptr<Statement>> Parser::insert() {
  auto made = make(StatementKind::insert, peek().at);
  ++next_;
  RETURN_IF_ERROR(need_word("INTO"));
  ASSIGN_OR_RETURN(made->name, qualified_name());
  ASSIGN_OR_RETURN(made->branch, target_branch());
  if (at_symbol("(") && !at_query_start(1)) {
    ASSIGN_OR_RETURN(made->column_names, identifier_list());
  }
  RETURN_IF_ERROR(query_text(*made));
  return made;
}

Status Parser::like_pattern(Statement& made) {
  if (!take_word("LIKE")) return {};
  ASSIGN_OR_RETURN(made.pattern, string_text());
  if (take_word("ESCAPE")) {
    ASSIGN_OR_RETURN(made.escape, string_text());
  }
  return {};
}

Result<std::unique_ptr<Statement>> Parser::show() {
  auto made = make(StatementKind::show_catalogs, peek().at);
  ++next_;
  auto from = [&]() -> Status {
    if (take_word("FROM") || take_word("IN")) {
      ASSIGN_OR_RETURN(made->name, qualified_name());
    }
    return {};
  };
  if (take_word("CATALOGS")) {
    RETURN_IF_ERROR(like_pattern(*made));
  } else if (take_word("SCHEMAS")) {
    made->kind = StatementKind::show_schemas;
    RETURN_IF_ERROR(from());
    RETURN_IF_ERROR(like_pattern(*made));
  } else if (take_word("TABLES")) {
    made->kind = StatementKind::show_tables;
    RETURN_IF_ERROR(from());
    RETURN_IF_ERROR(like_pattern(*made));
  } else if (take_word("COLUMNS")) {
    made->kind = StatementKind::show_columns;
    RETURN_IF_ERROR(from());
    RETURN_IF_ERROR(like_pattern(*made));
  } else if (take_word("FUNCTIONS")) {
    made->kind = StatementKind::show_functions;
    RETURN_IF_ERROR(from());
    RETURN_IF_ERROR(like_pattern(*made));
  } else if (take_word("SESSION")) {
    made->kind = StatementKind::show_session;
    RETURN_IF_ERROR(like_pattern(*made));
  } else if (take_word("CREATE")) {
    made->kind = StatementKind::show_create;
    bool materialized = take_words({"MATERIALIZED", "VIEW"});
    if (!materialized && !at_word("TABLE") && !at_word("VIEW") && !at_word("SCHEMA") &&
        !at_word("FUNCTION")) {
      return unexpected_token("'FUNCTION', 'MATERIALIZED', 'SCHEMA', 'TABLE', 'VIEW'");
    }
    made->sql = materialized ? "MATERIALIZED VIEW" : peek().upper;
    if (!materialized) ++next_;
    ASSIGN_OR_RETURN(made->name, qualified_name());
  } else if (at_word("STATS") || at_word("BRANCHES")) {
    return show_stats(std::move(made));
  } else if (at_word("ROLES") || at_word("ROLE") || at_word("CURRENT") || at_word("GRANTS")) {
    return show_access(std::move(made));
  } else {
    return unexpected_token(
        "'BRANCHES', 'CATALOGS', 'COLUMNS', 'CREATE', 'CURRENT', 'FUNCTIONS', 'GRANTS', 'ROLE', "
        "'ROLES', 'SCHEMAS', 'SESSION', 'STATS', 'TABLES'");
  }
  return made;
}

Result<std::unique_ptr<Statement>> Parser::describe() {
  auto made = make(StatementKind::show_columns, peek().at);
  ++next_;
  if (at_word("INPUT") && at_identifier(1)) made->kind = StatementKind::describe_input;
  if (at_word("OUTPUT") && at_identifier(1)) made->kind = StatementKind::describe_output;
  if (made->kind != StatementKind::show_columns) {
    ++next_;
    ASSIGN_OR_RETURN(Identifier name, identifier());
    made->name.push_back(std::move(name));
    return made;
  }
  ASSIGN_OR_RETURN(made->name, qualified_name());
  return made;
}

Result<std::unique_ptr<Statement>> Parser::explain() {
  Nest nest(nesting_);
  RETURN_IF_ERROR(check_nesting());
  auto made = make(StatementKind::explain, peek().at);
  ++next_;
  made->analyze = take_word("ANALYZE");
  if (made->analyze) take_word("VERBOSE");
  made->mode = "DISTRIBUTED";
  made->format = "TEXT";
  bool options = at_word("TYPE", 1) || at_word("FORMAT", 1);
  if (!made->analyze && at_symbol("(") && options) {
    ++next_;
    do {
      bool type = at_word("TYPE");
      if (!type && !at_word("FORMAT")) return unexpected_token("'FORMAT', 'TYPE'");
      ++next_;
      const char* values =
          type ? "'DISTRIBUTED', 'IO', 'LOGICAL', 'VALIDATE'" : "'GRAPHVIZ', 'JSON', 'TEXT'";
      bool known = false;
      for (const char* value : {"DISTRIBUTED", "IO", "LOGICAL", "VALIDATE"})
        known = known || (type && at_word(value));
      for (const char* value : {"GRAPHVIZ", "JSON", "TEXT"})
        known = known || (!type && at_word(value));
      if (!known) return unexpected_token(values);
      (type ? made->mode : made->format) = peek().upper;
      ++next_;
    } while (take_symbol(","));
    RETURN_IF_ERROR(need_symbol(")"));
  }
  made->query_begin = peek().begin;
  ASSIGN_OR_RETURN(made->inner, statement());
  return made;
}

Result<std::unique_ptr<Statement>> Parser::set_or_reset() {
  auto made = make(StatementKind::set_session, peek().at);
  bool reset = at_word("RESET");
  ++next_;
  if (take_words({"SESSION", "AUTHORIZATION"})) {
    made->kind = reset ? StatementKind::reset_authorization : StatementKind::set_authorization;
    if (reset) return made;
    if (peek().kind == TokenKind::string) {
      made->sql = peek().text;
      ++next_;
      return made;
    }
    ASSIGN_OR_RETURN(Identifier user, identifier());
    made->sql = user.text;
    return made;
  }
  if (take_word("SESSION")) {
    if (reset) made->kind = StatementKind::reset_session;
    ASSIGN_OR_RETURN(made->name, qualified_name());
    if (reset) return made;
    RETURN_IF_ERROR(need_symbol("="));
    ASSIGN_OR_RETURN(made->value, expression());
    return made;
  }
  if (!reset && take_words({"TIME", "ZONE"})) {
    made->kind = StatementKind::set_time_zone;
    if (take_word("LOCAL")) return made;
    ASSIGN_OR_RETURN(made->value, expression());
    return made;
  }
  if (!reset && take_word("PATH")) {
    made->kind = StatementKind::set_path;
    size_t begin = peek().begin;
    RETURN_IF_ERROR(path());
    made->sql = std::string(sql_.substr(begin, tokens_[next_ - 1].end - begin));
    return made;
  }
  if (!reset && take_word("ROLE")) {
    made->kind = StatementKind::set_role;
    ASSIGN_OR_RETURN(Identifier role, identifier());
    made->sql = role.text;
    if (take_word("IN")) {
      ASSIGN_OR_RETURN(Identifier catalog, identifier());
      made->name.push_back(std::move(catalog));
    }
    return made;
  }
  return unexpected_token(reset ? "'SESSION'" : "'PATH', 'ROLE', 'SESSION', 'TIME'");
}

Result<std::unique_ptr<Statement>> Parser::prepared() {
  auto made = make(StatementKind::prepare, peek().at);
  bool execute = at_word("EXECUTE");
  bool deallocate = at_word("DEALLOCATE");
  ++next_;
  if (deallocate) {
    made->kind = StatementKind::deallocate;
    RETURN_IF_ERROR(need_word("PREPARE"));
  }
  if (execute && at_word("IMMEDIATE") && peek(1).kind == TokenKind::string) {
    ++next_;
    made->kind = StatementKind::execute_immediate;
    made->value = make_expression(ExpressionKind::string_literal, peek().at);
    ASSIGN_OR_RETURN(made->value->text, string_text());
  } else {
    ASSIGN_OR_RETURN(Identifier name, identifier());
    made->name.push_back(std::move(name));
    if (execute) made->kind = StatementKind::execute;
  }
  if (execute && take_word("USING")) {
    do {
      ASSIGN_OR_RETURN(ExpressionPtr argument, expression());
      made->args.push_back(std::move(argument));
    } while (take_symbol(","));
  }
  if (execute || deallocate) return made;
  RETURN_IF_ERROR(need_word("FROM"));
  made->query_begin = peek().begin;
  ASSIGN_OR_RETURN(made->inner, statement());
  made->query_end = tokens_[next_ - 1].end;
  return made;
}

Result<std::unique_ptr<Statement>> Parser::transaction() {
  Position at = peek().at;
  if (take_word("COMMIT") || at_word("ROLLBACK")) {
    auto made = make(at_word("ROLLBACK") ? StatementKind::rollback : StatementKind::commit, at);
    take_word("ROLLBACK");
    take_word("WORK");
    return made;
  }
  auto made = make(StatementKind::start_transaction, at);
  ++next_;
  RETURN_IF_ERROR(need_word("TRANSACTION"));
  while (peek().kind == TokenKind::word ||
         at_symbol(",")) {  // isolation and access modes: accepted
    static constexpr std::string_view kModes[] = {"ISOLATION",   "LEVEL",      "READ",
                                                  "ONLY",        "WRITE",      "COMMITTED",
                                                  "UNCOMMITTED", "REPEATABLE", "SERIALIZABLE"};
    bool known = at_symbol(",");
    for (auto mode : kModes) known = known || at_word(mode);
    if (!known) return unexpected_token("'ISOLATION', 'READ'");
    ++next_;
  }
  return made;
}

Result<std::unique_ptr<Statement>> Parser::call() {
  auto made = make(StatementKind::call, peek().at);
  ++next_;
  ASSIGN_OR_RETURN(made->name, qualified_name());
  RETURN_IF_ERROR(call_arguments(*made));
  return made;
}

// (a, b) or (x => a, y => b); a mix is told by the number of names.
Status Parser::call_arguments(Statement& made) {
  RETURN_IF_ERROR(need_symbol("("));
  while (!at_symbol(")")) {
    if (at_identifier() && at_symbol("=>", 1)) {
      ASSIGN_OR_RETURN(Identifier name, identifier());
      made.column_names.push_back(std::move(name));
      ++next_;
    }
    ASSIGN_OR_RETURN(ExpressionPtr argument, expression());
    made.args.push_back(std::move(argument));
    if (!take_symbol(",")) break;
  }
  return need_symbol(")");
}

}  // namespace aichemy::sql
