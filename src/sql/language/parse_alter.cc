// ALTER, COMMENT, ANALYZE, SHOW STATS and the statements on branches.
#include "sql/language/parse_state.h"

namespace aichemy::sql {

using Kind = AlterClause::Kind;

// [USER | ROLE] name
Result<Principal> Parser::principal() {
  Principal made;
  if (at_word("USER") && at_identifier(1)) {
    made.kind = Principal::Kind::user;
    ++next_;
  } else if (at_word("ROLE") && at_identifier(1)) {
    made.kind = Principal::Kind::role;
    ++next_;
  }
  ASSIGN_OR_RETURN(made.name, identifier());
  return made;
}

Result<std::unique_ptr<Statement>> Parser::alter() {
  auto made = make(StatementKind::alter, peek().at);
  ++next_;
  made->alter = std::make_unique<AlterClause>();
  if (take_word("TABLE")) {
    RETURN_IF_ERROR(alter_table(*made));
  } else if (take_word("SCHEMA")) {
    RETURN_IF_ERROR(alter_schema(*made));
  } else if (take_word("VIEW")) {
    RETURN_IF_ERROR(alter_view(*made));
  } else if (take_word("BRANCH")) {
    RETURN_IF_ERROR(alter_branch(*made));
  } else {
    return unexpected_token("'BRANCH', 'MATERIALIZED', 'SCHEMA', 'TABLE', 'VIEW'");
  }
  return made;
}

Status Parser::alter_table(Statement& made) {
  AlterClause& clause = *made.alter;
  made.if_exists = take_words({"IF", "EXISTS"});
  ASSIGN_OR_RETURN(made.name, qualified_name());
  if (take_words({"RENAME", "TO"})) {
    clause.kind = Kind::rename_table;
    ASSIGN_OR_RETURN(clause.target, qualified_name());
    return {};
  }
  if (take_words({"RENAME", "COLUMN"})) {
    clause.kind = Kind::rename_column;
    clause.if_part = take_words({"IF", "EXISTS"});
    ASSIGN_OR_RETURN(clause.path, qualified_name());
    RETURN_IF_ERROR(need_word("TO"));
    ASSIGN_OR_RETURN(clause.new_name, identifier());
    return {};
  }
  if (take_words({"ADD", "COLUMN"})) {
    clause.kind = Kind::add_column;
    clause.if_part = take_words({"IF", "NOT", "EXISTS"});
    ASSIGN_OR_RETURN(clause.path, qualified_name());
    clause.definition.name = clause.path.back();
    RETURN_IF_ERROR(column_definition(clause.definition));
    if (at_word("FIRST") || at_word("LAST") || at_word("AFTER")) {
      clause.position = peek().upper;
      ++next_;
    }
    if (clause.position == "AFTER") {
      ASSIGN_OR_RETURN(clause.after, identifier());
    }
    return {};
  }
  if (take_words({"DROP", "COLUMN"})) {
    clause.kind = Kind::drop_column;
    clause.if_part = take_words({"IF", "EXISTS"});
    ASSIGN_OR_RETURN(clause.path, qualified_name());
    return {};
  }
  if (take_words({"ALTER", "COLUMN"})) return alter_column(made);
  if (take_word("SET")) return alter_table_set(made);
  if (take_word("EXECUTE")) {
    clause.kind = Kind::execute;
    ASSIGN_OR_RETURN(clause.new_name, identifier());
    if (at_symbol("(")) RETURN_IF_ERROR(call_arguments(made));
    if (take_word("WHERE")) {
      ASSIGN_OR_RETURN(made.value, expression());
    }
    return {};
  }
  return unexpected_token("'.', 'ADD', 'ALTER', 'DROP', 'EXECUTE', 'RENAME', 'SET'");
}

Status Parser::alter_column(Statement& made) {
  AlterClause& clause = *made.alter;
  ASSIGN_OR_RETURN(clause.path, qualified_name());
  if (take_words({"SET", "DATA", "TYPE"})) {
    clause.kind = Kind::set_column_type;
    clause.definition.type_at = peek().at;
    ASSIGN_OR_RETURN(clause.definition.type_text, type_text());
    return {};
  }
  if (take_words({"SET", "DEFAULT"})) {
    clause.kind = Kind::set_default;
    size_t begin = peek().begin;
    ASSIGN_OR_RETURN(clause.definition.default_value, expression());
    clause.definition.default_text =
        std::string(sql_.substr(begin, tokens_[next_ - 1].end - begin));
    return {};
  }
  if (take_words({"DROP", "DEFAULT"})) {
    clause.kind = Kind::drop_default;
    return {};
  }
  if (take_words({"DROP", "NOT", "NULL"})) {
    clause.kind = Kind::drop_not_null;
    return {};
  }
  return unexpected_token("'.', 'DROP', 'SET'");
}

Status Parser::alter_table_set(Statement& made) {
  AlterClause& clause = *made.alter;
  if (take_word("AUTHORIZATION")) {
    clause.kind = Kind::set_authorization;
    ASSIGN_OR_RETURN(clause.principal, principal());
    return {};
  }
  RETURN_IF_ERROR(need_word("PROPERTIES"));
  clause.kind = Kind::set_properties;
  do {
    ASSIGN_OR_RETURN(Identifier name, identifier());
    RETURN_IF_ERROR(need_symbol("="));
    ExpressionPtr value;
    if (!take_word("DEFAULT")) {
      ASSIGN_OR_RETURN(value, expression());
    }
    made.properties.emplace_back(std::move(name), std::move(value));
  } while (take_symbol(","));
  return {};
}

Status Parser::alter_schema(Statement& made) {
  AlterClause& clause = *made.alter;
  ASSIGN_OR_RETURN(made.name, qualified_name());
  if (take_words({"RENAME", "TO"})) {
    clause.kind = Kind::rename_schema;
    ASSIGN_OR_RETURN(clause.new_name, identifier());
    return {};
  }
  if (take_words({"SET", "AUTHORIZATION"})) {
    clause.kind = Kind::schema_authorization;
    ASSIGN_OR_RETURN(clause.principal, principal());
    return {};
  }
  return unexpected_token("'.', 'RENAME', 'SET'");
}

Status Parser::alter_view(Statement& made) {
  AlterClause& clause = *made.alter;
  ASSIGN_OR_RETURN(made.name, qualified_name());
  if (take_words({"RENAME", "TO"})) {
    clause.kind = Kind::rename_view;
    ASSIGN_OR_RETURN(clause.target, qualified_name());
    return {};
  }
  if (take_words({"SET", "AUTHORIZATION"})) {
    clause.kind = Kind::view_authorization;
    ASSIGN_OR_RETURN(clause.principal, principal());
    return {};
  }
  if (take_word("REFRESH")) {
    clause.kind = Kind::refresh_view;
    return {};
  }
  return unexpected_token("'.', 'REFRESH', 'RENAME', 'SET'");
}

// ALTER BRANCH a IN TABLE t FAST FORWARD TO b
Status Parser::alter_branch(Statement& made) {
  AlterClause& clause = *made.alter;
  clause.kind = Kind::fast_forward;
  ASSIGN_OR_RETURN(clause.new_name, identifier());
  RETURN_IF_ERROR(need_word("IN"));
  RETURN_IF_ERROR(need_word("TABLE"));
  ASSIGN_OR_RETURN(made.name, qualified_name());
  for (const char* word : {"FAST", "FORWARD", "TO"}) RETURN_IF_ERROR(need_word(word));
  ASSIGN_OR_RETURN(clause.source, identifier());
  return {};
}

Result<std::unique_ptr<Statement>> Parser::create_branch(std::unique_ptr<Statement> made) {
  made->kind = StatementKind::alter;
  made->alter = std::make_unique<AlterClause>();
  AlterClause& clause = *made->alter;
  clause.kind = Kind::create_branch;
  clause.if_part = take_words({"IF", "NOT", "EXISTS"});
  ASSIGN_OR_RETURN(clause.new_name, identifier());
  if (take_word("WITH")) RETURN_IF_ERROR(property_list(made->properties));
  RETURN_IF_ERROR(need_word("IN"));
  RETURN_IF_ERROR(need_word("TABLE"));
  ASSIGN_OR_RETURN(made->name, qualified_name());
  if (take_word("FROM")) {
    ASSIGN_OR_RETURN(clause.source, identifier());
  }
  return made;
}

Result<std::unique_ptr<Statement>> Parser::drop_branch(std::unique_ptr<Statement> made) {
  made->kind = StatementKind::alter;
  made->alter = std::make_unique<AlterClause>();
  made->alter->kind = Kind::drop_branch;
  made->alter->if_part = take_words({"IF", "EXISTS"});
  ASSIGN_OR_RETURN(made->alter->new_name, identifier());
  RETURN_IF_ERROR(need_word("IN"));
  RETURN_IF_ERROR(need_word("TABLE"));
  ASSIGN_OR_RETURN(made->name, qualified_name());
  return made;
}

Result<std::unique_ptr<Statement>> Parser::comment_on() {
  auto made = make(StatementKind::alter, peek().at);
  made->alter = std::make_unique<AlterClause>();
  AlterClause& clause = *made->alter;
  next_ += 2;
  if (take_word("TABLE"))
    clause.kind = Kind::comment_table;
  else if (take_word("VIEW"))
    clause.kind = Kind::comment_view;
  else if (take_word("COLUMN"))
    clause.kind = Kind::comment_column;
  else
    return unexpected_token("'COLUMN', 'TABLE', 'VIEW'");
  ASSIGN_OR_RETURN(made->name, qualified_name());
  if (clause.kind == Kind::comment_column) {
    clause.path.push_back(std::move(made->name.back()));
    made->name.pop_back();
  }
  RETURN_IF_ERROR(need_word("IS"));
  if (take_word("NULL")) return made;
  ASSIGN_OR_RETURN(clause.comment, string_text());
  return made;
}

Result<std::unique_ptr<Statement>> Parser::analyze_table() {
  auto made = make(StatementKind::analyze, peek().at);
  ++next_;
  ASSIGN_OR_RETURN(made->name, qualified_name());
  if (take_word("WITH")) RETURN_IF_ERROR(property_list(made->properties));
  return made;
}

// SHOW STATS FOR t, SHOW STATS FOR (query), SHOW BRANCHES FROM TABLE t
Result<std::unique_ptr<Statement>> Parser::show_stats(std::unique_ptr<Statement> made) {
  if (take_word("BRANCHES")) {
    made->kind = StatementKind::alter;
    made->alter = std::make_unique<AlterClause>();
    made->alter->kind = Kind::show_branches;
    if (!take_word("FROM")) RETURN_IF_ERROR(need_word("IN"));
    RETURN_IF_ERROR(need_word("TABLE"));
    ASSIGN_OR_RETURN(made->name, qualified_name());
    return made;
  }
  made->kind = StatementKind::show_stats;
  ++next_;
  RETURN_IF_ERROR(need_word("FOR"));
  if (!at_symbol("(")) {
    ASSIGN_OR_RETURN(made->name, qualified_name());
    return made;
  }
  ++next_;
  RETURN_IF_ERROR(query_text(*made));
  RETURN_IF_ERROR(need_symbol(")"));
  return made;
}

}  // namespace aichemy::sql
