// Statements on materialized views.
#include "sql/language/parse_state.h"

namespace aichemy::sql {

// After CREATE [OR REPLACE] MATERIALIZED VIEW.
Result<std::unique_ptr<Statement>> Parser::create_materialized(std::unique_ptr<Statement> made) {
  made->kind = StatementKind::create_materialized_view;
  made->if_exists = take_words({"IF", "NOT", "EXISTS"});
  ASSIGN_OR_RETURN(made->name, qualified_name());
  if (take_words({"GRACE", "PERIOD"})) {
    if (!take_word("INTERVAL")) return unexpected_token("'INTERVAL'");
    --next_;
    ASSIGN_OR_RETURN(made->value, interval_literal());
  }
  if (take_words({"WHEN", "STALE"})) {
    if (!at_word("INLINE") && !at_word("FAIL")) return unexpected_token("'FAIL', 'INLINE'");
    made->mode = peek().upper;
    ++next_;
  }
  if (take_word("COMMENT")) {
    ASSIGN_OR_RETURN(made->comment, string_text());
  }
  if (take_word("WITH")) RETURN_IF_ERROR(property_list(made->properties));
  RETURN_IF_ERROR(need_word("AS"));
  RETURN_IF_ERROR(query_text(*made));
  return made;
}

// DROP and REFRESH, after their words.
Result<std::unique_ptr<Statement>> Parser::named_materialized(StatementKind kind) {
  auto made = make(kind, tokens_[0].at);
  if (kind == StatementKind::drop_materialized_view) made->if_exists = take_words({"IF", "EXISTS"});
  ASSIGN_OR_RETURN(made->name, qualified_name());
  return made;
}

Result<std::unique_ptr<Statement>> Parser::alter_materialized() {
  auto made = make(StatementKind::alter_materialized_view, peek().at);
  RETURN_IF_ERROR(need_word("ALTER"));
  RETURN_IF_ERROR(need_word("MATERIALIZED"));
  RETURN_IF_ERROR(need_word("VIEW"));
  made->if_exists = take_words({"IF", "EXISTS"});
  ASSIGN_OR_RETURN(made->name, qualified_name());
  if (take_words({"RENAME", "TO"})) {
    ASSIGN_OR_RETURN(made->target, qualified_name());
    return made;
  }
  if (!take_words({"SET", "PROPERTIES"})) return unexpected_token("'RENAME', 'SET'");
  do {
    ASSIGN_OR_RETURN(Identifier name, identifier());
    RETURN_IF_ERROR(need_symbol("="));
    ASSIGN_OR_RETURN(ExpressionPtr value, expression());
    made->properties.emplace_back(std::move(name), std::move(value));
  } while (take_symbol(","));
  return made;
}

}  // namespace aichemy::sql
