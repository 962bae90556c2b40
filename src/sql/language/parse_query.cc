#include "sql/language/parse_state.h"
#include "sql/language/parser.h"

namespace aichemy::sql {

// Whether a query begins here, looking through parentheses: ((SELECT 1)) is one, ((SELECT 1) + 1)
// is not. No backtracking: the matching parenthesis is known, and what may follow a parenthesised
// query is a short list.
bool Parser::at_query_start(size_t ahead) const {
  static constexpr std::string_view kAfter[] = {"UNION", "EXCEPT", "INTERSECT", "ORDER",
                                                "LIMIT", "OFFSET", "FETCH"};
  while (at_symbol("(", ahead)) {
    size_t index = next_ + ahead;
    if (index >= closing_.size() || closing_[index] == 0) return false;
    size_t after = closing_[index] + 1 - next_;
    bool fits = at_symbol(")", after);
    for (auto word : kAfter) fits = fits || at_word(word, after);
    if (!fits) return false;
    ++ahead;
  }
  return at_word("SELECT", ahead) || at_word("WITH", ahead) || at_word("VALUES", ahead) ||
         (at_word("TABLE", ahead) && !at_symbol("(", ahead + 1));
}

Result<QueryPtr> Parser::query() {
  Nest nest(nesting_);
  RETURN_IF_ERROR(check_nesting());
  if (at_words({"WITH", "SESSION"}) && !at_word("AS", 2) && !at_symbol("(", 2))
    return query_with_session();
  if (at_words({"WITH", "FUNCTION"}) && !at_word("AS", 2) && !at_symbol("(", 2))
    return query_with_functions();
  if (!at_word("WITH")) return query_no_with();
  Position at = peek().at;
  ++next_;
  bool recursive = take_word("RECURSIVE");
  std::vector<CommonTable> with;
  do {
    CommonTable table;
    ASSIGN_OR_RETURN(table.name, identifier());
    if (at_symbol("(")) {
      ASSIGN_OR_RETURN(table.columns, identifier_list());
    }
    RETURN_IF_ERROR(need_word("AS"));
    RETURN_IF_ERROR(need_symbol("("));
    ASSIGN_OR_RETURN(table.query, query());
    RETURN_IF_ERROR(need_symbol(")"));
    with.push_back(std::move(table));
  } while (take_symbol(","));
  ASSIGN_OR_RETURN(QueryPtr made, query_no_with());
  made->at = at;
  made->recursive = recursive;
  made->with = std::move(with);
  return made;
}

Result<QueryPtr> Parser::query_no_with() {
  auto made = std::make_unique<Query>();
  made->at = peek().at;
  ASSIGN_OR_RETURN(made->body, query_term());
  RETURN_IF_ERROR(order_limit(*made));
  return made;
}

Status Parser::order_limit(Query& query) {
  query.order_at = peek().at;
  if (take_words({"ORDER", "BY"})) RETURN_IF_ERROR(order_by(query.order_by));
  auto count = [&]() -> Result<ExpressionPtr> {
    if (peek().kind != TokenKind::integer && peek().kind != TokenKind::parameter) {
      return unexpected_token("<integer>, '?'");
    }
    return primary();
  };
  query.offset_at = peek().at;
  if (take_word("OFFSET")) {
    ASSIGN_OR_RETURN(query.offset, count());
    if (!take_word("ROW")) take_word("ROWS");
  }
  query.limit_at = peek().at;
  if (take_word("LIMIT")) {
    if (!take_word("ALL")) {
      ASSIGN_OR_RETURN(query.limit, count());
    }
  } else if (take_word("FETCH")) {
    if (!take_word("FIRST") && !take_word("NEXT")) return unexpected_token("'FIRST', 'NEXT'");
    if (at_word("ROW") || at_word("ROWS")) {
      query.limit = make_expression(ExpressionKind::integer_literal, peek().at);
      query.limit->text = "1";
    } else {
      ASSIGN_OR_RETURN(query.limit, count());
    }
    if (!take_word("ROW") && !take_word("ROWS")) return unexpected_token("'ROW', 'ROWS'");
    if (take_words({"WITH", "TIES"}))
      query.with_ties = true;
    else
      RETURN_IF_ERROR(need_word("ONLY"));
  }
  return {};
}

Status Parser::order_by(std::vector<SortItem>& items) {
  do {
    SortItem item;
    ASSIGN_OR_RETURN(item.key, expression());
    if (take_word("DESC"))
      item.descending = true;
    else
      take_word("ASC");
    if (take_word("NULLS")) {
      if (take_word("FIRST"))
        item.nulls_first = true;
      else {
        RETURN_IF_ERROR(need_word("LAST"));
        item.nulls_first = false;
      }
    }
    items.push_back(std::move(item));
  } while (take_symbol(","));
  return {};
}

Result<QueryTermPtr> Parser::set_tail(QueryTermPtr left, bool intersect) {
  int chain = 0;
  while (intersect ? at_word("INTERSECT") : at_word("UNION") || at_word("EXCEPT")) {
    if (++chain > kHeightMax) return too_deep(left->at);
    auto made = std::make_unique<QueryTerm>();
    made->kind = QueryTerm::Kind::set_operation;
    made->at = peek().at;
    made->op = peek().upper;
    ++next_;
    made->all = take_word("ALL");
    if (!made->all) take_word("DISTINCT");
    if (take_word("CORRESPONDING")) {
      made->corresponding = true;
      if (take_word("BY")) {
        ASSIGN_OR_RETURN(made->corresponding_columns, identifier_list());
      }
    }
    made->left = std::move(left);
    if (intersect) {
      ASSIGN_OR_RETURN(made->right, query_primary());
    } else {
      ASSIGN_OR_RETURN(made->right, intersect_term());
    }
    left = std::move(made);
  }
  return left;
}

Result<QueryTermPtr> Parser::query_term() {
  ASSIGN_OR_RETURN(QueryTermPtr left, intersect_term());
  return set_tail(std::move(left), false);
}

Result<QueryTermPtr> Parser::intersect_term() {
  ASSIGN_OR_RETURN(QueryTermPtr left, query_primary());
  return set_tail(std::move(left), true);
}

Result<QueryTermPtr> Parser::query_primary() {
  auto made = std::make_unique<QueryTerm>();
  made->at = peek().at;
  if (at_word("SELECT")) return select();
  if (take_word("VALUES")) {
    made->kind = QueryTerm::Kind::values;
    do {
      ASSIGN_OR_RETURN(ExpressionPtr row, expression());
      made->rows.push_back(std::move(row));
    } while (take_symbol(","));
    return made;
  }
  if (take_word("TABLE")) {
    made->kind = QueryTerm::Kind::table;
    ASSIGN_OR_RETURN(made->table, qualified_name());
    return made;
  }
  if (take_symbol("(")) {
    Nest nest(nesting_);
    RETURN_IF_ERROR(check_nesting());
    made->kind = QueryTerm::Kind::query;
    ASSIGN_OR_RETURN(made->query, query());
    RETURN_IF_ERROR(need_symbol(")"));
    return made;
  }
  return unexpected_token("'(', 'SELECT', 'TABLE', 'VALUES'");
}

Result<QueryTermPtr> Parser::select() {
  auto made = std::make_unique<QueryTerm>();
  made->kind = QueryTerm::Kind::select;
  made->at = peek().at;
  SelectBlock& block = made->select;
  ++next_;
  block.distinct = take_word("DISTINCT");
  if (!block.distinct) take_word("ALL");
  do {
    ASSIGN_OR_RETURN(SelectItem item, select_item());
    block.items.push_back(std::move(item));
    if (block.items.size() > kItemsMax) return too_many_items(made->at);
  } while (take_symbol(","));
  if (take_word("FROM")) {
    do {
      ASSIGN_OR_RETURN(RelationPtr from, relation());
      block.from.push_back(std::move(from));
    } while (take_symbol(","));
  }
  if (take_word("WHERE")) {
    ASSIGN_OR_RETURN(block.where, expression());
  }
  if (take_words({"GROUP", "BY"})) RETURN_IF_ERROR(group_by(block));
  if (take_word("HAVING")) {
    ASSIGN_OR_RETURN(block.having, expression());
  }
  if (take_word("WINDOW")) {
    do {
      ASSIGN_OR_RETURN(Identifier name, identifier());
      RETURN_IF_ERROR(need_word("AS"));
      RETURN_IF_ERROR(need_symbol("("));
      ASSIGN_OR_RETURN(auto window, window_body());
      RETURN_IF_ERROR(need_symbol(")"));
      block.windows.emplace_back(std::move(name), std::move(window));
    } while (take_symbol(","));
  }
  return made;
}

Result<SelectItem> Parser::select_item() {
  SelectItem item;
  item.at = peek().at;
  if (take_symbol("*")) {
    item.all = true;
    return item;
  }
  ASSIGN_OR_RETURN(item.expression, expression());
  if (at_symbol(".") && at_symbol("*", 1)) {
    next_ += 2;
    item.all = true;
    if (take_word("AS")) {
      ASSIGN_OR_RETURN(item.column_aliases, identifier_list());
    }
    return item;
  }
  if (take_word("AS")) {
    ASSIGN_OR_RETURN(item.alias, identifier());
  } else if (at_identifier() && !at_clause()) {
    ASSIGN_OR_RETURN(item.alias, identifier());
  }
  return item;
}

Status Parser::group_by(SelectBlock& block) {
  block.grouped = true;
  if (take_word("DISTINCT"))
    block.group_distinct = true;
  else
    take_word("ALL");
  do {
    if (at_word("AUTO") && !at_symbol("(", 1) && !at_symbol(".", 1)) {
      GroupingElement all;  // no set: the analyzer takes what is not aggregated
      all.at = peek().at;
      ++next_;
      block.group_by.push_back(std::move(all));
      continue;
    }
    ASSIGN_OR_RETURN(GroupingElement element, grouping_element());
    block.group_by.push_back(std::move(element));
  } while (take_symbol(","));
  return {};
}

Result<std::vector<ExpressionPtr>> Parser::grouping_set() {
  std::vector<ExpressionPtr> set;
  if (at_symbol("(")) {
    // (a) + 1: the parentheses belong to an expression; (a, b) and (a) before a comma or a clause
    // are a set.
    static constexpr std::string_view kOperators[] = {"AND",  "OR",      "IS",  "IN",
                                                      "LIKE", "BETWEEN", "NOT", "AT"};
    size_t after = closing_[next_] == 0 ? 0 : closing_[next_] + 1 - next_;
    bool list = after != 0 && (at_symbol(",", after) || at_symbol(")", after) ||
                               at_symbol(";", after) || peek(after).kind != TokenKind::symbol);
    for (auto word : kOperators) list = list && !at_word(word, after);
    for (auto word : {"SELECT", "WITH", "VALUES", "TABLE"}) list = list && !at_word(word, 1);
    if (list) {
      ++next_;
      while (!at_symbol(")")) {
        ASSIGN_OR_RETURN(ExpressionPtr item, expression());
        set.push_back(std::move(item));
        if (!take_symbol(",")) break;
      }
      RETURN_IF_ERROR(need_symbol(")"));
      return set;
    }
  }
  ASSIGN_OR_RETURN(ExpressionPtr item, expression());
  set.push_back(std::move(item));
  return set;
}

Result<GroupingElement> Parser::grouping_element() {
  GroupingElement element;
  element.at = peek().at;
  bool rollup = at_word("ROLLUP") && at_symbol("(", 1);
  bool cube = at_word("CUBE") && at_symbol("(", 1);
  bool sets = at_word("GROUPING") && at_word("SETS", 1);
  if (!rollup && !cube && !sets) {
    ASSIGN_OR_RETURN(auto set, grouping_set());
    element.sets.push_back(std::move(set));
    return element;
  }
  element.kind = rollup ? GroupingElement::Kind::rollup
                 : cube ? GroupingElement::Kind::cube
                        : GroupingElement::Kind::sets;
  next_ += sets ? 2 : 1;
  RETURN_IF_ERROR(need_symbol("("));
  while (!at_symbol(")")) {
    ASSIGN_OR_RETURN(auto set, grouping_set());
    element.sets.push_back(std::move(set));
    if (!take_symbol(",")) break;
  }
  RETURN_IF_ERROR(need_symbol(")"));
  return element;
}

Result<std::unique_ptr<WindowSpec>> Parser::window_body() {
  auto window = std::make_unique<WindowSpec>();
  window->at = peek().at;
  bool clause = at_word("PARTITION") || at_word("ORDER") || at_word("ROWS") || at_word("RANGE") ||
                at_word("GROUPS") || at_word("MEASURES");
  if (!clause && at_identifier()) {
    ASSIGN_OR_RETURN(window->base, identifier());
  }
  if (take_words({"PARTITION", "BY"})) {
    do {
      ASSIGN_OR_RETURN(ExpressionPtr key, expression());
      window->partition_by.push_back(std::move(key));
    } while (take_symbol(","));
  }
  window->order_at = peek().at;
  if (take_words({"ORDER", "BY"})) RETURN_IF_ERROR(order_by(window->order_by));
  if (at_word("MEASURES")) {
    window->pattern = std::make_unique<RowPattern>();
    RETURN_IF_ERROR(measures(*window->pattern));
  }
  if (at_word("ROWS") || at_word("RANGE") || at_word("GROUPS")) {
    window->unit = peek().upper;
    window->frame_at = peek().at;
    ++next_;
    if (take_word("BETWEEN")) {
      ASSIGN_OR_RETURN(window->start, frame_bound());
      RETURN_IF_ERROR(need_word("AND"));
      ASSIGN_OR_RETURN(window->end, frame_bound());
    } else {
      ASSIGN_OR_RETURN(window->start, frame_bound());
    }
  }
  if (window->pattern || at_row_pattern()) {
    if (!window->pattern) window->pattern = std::make_unique<RowPattern>();
    window->pattern->at = window->at;
    RETURN_IF_ERROR(pattern_clauses(*window->pattern));
  }
  return window;
}

Result<FrameBound> Parser::frame_bound() {
  FrameBound bound;
  if (take_words({"UNBOUNDED", "PRECEDING"})) return bound;
  if (take_words({"UNBOUNDED", "FOLLOWING"})) {
    bound.kind = BoundKind::unbounded_following;
    return bound;
  }
  if (take_words({"CURRENT", "ROW"})) {
    bound.kind = BoundKind::current_row;
    return bound;
  }
  ASSIGN_OR_RETURN(bound.value, expression());
  if (take_word("PRECEDING"))
    bound.kind = BoundKind::preceding;
  else if (take_word("FOLLOWING"))
    bound.kind = BoundKind::following;
  else
    return unexpected_token("'FOLLOWING', 'PRECEDING'");
  return bound;
}

Result<RelationPtr> Parser::relation() {
  Nest nest(nesting_);
  RETURN_IF_ERROR(check_nesting());
  ASSIGN_OR_RETURN(RelationPtr left, sampled_relation());
  bool joined = true;
  int chain = 0;
  while (joined) {
    if (++chain > kHeightMax) return too_deep(left->at);
    ASSIGN_OR_RETURN(left, join_tail(std::move(left), joined));
  }
  return left;
}

Result<RelationPtr> Parser::join_tail(RelationPtr left, bool& joined) {
  Position at = left->at;
  bool natural = at_word("NATURAL");
  size_t ahead = natural ? 1 : 0;
  std::string type;
  if (at_word("CROSS", ahead))
    type = "CROSS";
  else if (at_word("INNER", ahead))
    type = "INNER";
  else if (at_word("JOIN", ahead))
    type = "INNER";
  else if (at_word("LEFT", ahead))
    type = "LEFT";
  else if (at_word("RIGHT", ahead))
    type = "RIGHT";
  else if (at_word("FULL", ahead))
    type = "FULL";
  if (type.empty()) {
    joined = false;
    return left;
  }
  next_ += ahead;
  if (!at_word("JOIN")) ++next_;
  if (type == "LEFT" || type == "RIGHT" || type == "FULL") take_word("OUTER");
  RETURN_IF_ERROR(need_word("JOIN"));
  auto made = std::make_unique<Relation>();
  made->kind = Relation::Kind::join;
  made->at = at;
  made->join = type;
  made->natural = natural;
  made->left = std::move(left);
  ASSIGN_OR_RETURN(made->right, type == "CROSS" || natural ? sampled_relation() : relation());
  if (type == "CROSS" || natural) return made;
  if (take_word("ON")) {
    ASSIGN_OR_RETURN(made->on, expression());
  } else if (take_word("USING")) {
    made->has_using = true;
    ASSIGN_OR_RETURN(made->using_columns, identifier_list());
  } else {
    return unexpected_token(
        "'CROSS', 'FULL', 'INNER', 'JOIN', 'LEFT', 'NATURAL', 'ON', 'RIGHT', 'USING'");
  }
  return made;
}

Result<RelationPtr> Parser::sampled_relation() {
  ASSIGN_OR_RETURN(RelationPtr base, aliased_relation());
  if (!take_word("TABLESAMPLE")) return base;
  auto made = std::make_unique<Relation>();
  made->kind = Relation::Kind::sample;
  made->at = base->at;
  made->left = std::move(base);
  if (!at_word("BERNOULLI") && !at_word("SYSTEM")) return unexpected_token("'BERNOULLI', 'SYSTEM'");
  made->sample_kind = peek().upper;
  ++next_;
  RETURN_IF_ERROR(need_symbol("("));
  ASSIGN_OR_RETURN(ExpressionPtr percent, expression());
  made->args.push_back(std::move(percent));
  RETURN_IF_ERROR(need_symbol(")"));
  return made;
}

// LIMIT, OFFSET, FETCH and WINDOW are names like any other, unless what follows makes them a
// clause.
bool Parser::at_clause() const {
  const Token& after = peek(1);
  if (at_word("LIMIT") || at_word("OFFSET")) {
    return after.kind == TokenKind::integer || after.kind == TokenKind::parameter ||
           after.upper == "ALL";
  }
  if (at_word("FETCH")) return after.upper == "FIRST" || after.upper == "NEXT";
  return at_word("WINDOW") && peek(2).upper == "AS";
}

Result<RelationPtr> Parser::aliased_relation() {
  ASSIGN_OR_RETURN(RelationPtr base, relation_primary());
  ASSIGN_OR_RETURN(base, named_relation(std::move(base)));
  if (!at_words({"MATCH_RECOGNIZE"}) || !at_symbol("(", 1)) return base;
  ASSIGN_OR_RETURN(base, match_recognize(std::move(base)));
  return named_relation(std::move(base));
}

Result<RelationPtr> Parser::named_relation(RelationPtr base) {
  bool as = take_word("AS");
  bool named = as || (at_identifier() && !at_clause() && !at_word("TABLESAMPLE") &&
                      !(in_nearest_ && at_word("MATCH")) &&
                      !(at_word("MATCH_RECOGNIZE") && at_symbol("(", 1)) &&
                      !(at_word("CROSS") || at_word("NATURAL")));
  if (!named) return base;
  if (base->alias || base->kind == Relation::Kind::join) {
    // (a JOIN b) t: wrap, so that the alias hides what is inside.
    auto wrapped = std::make_unique<Relation>();
    wrapped->kind = Relation::Kind::query;
    wrapped->at = base->at;
    auto inner = std::make_unique<Query>();
    inner->at = base->at;
    inner->body = std::make_unique<QueryTerm>();
    inner->body->kind = QueryTerm::Kind::select;
    inner->body->at = base->at;
    SelectItem all;
    all.at = base->at;
    all.all = true;
    inner->body->select.items.push_back(std::move(all));
    inner->body->select.from.push_back(std::move(base));
    wrapped->query = std::move(inner);
    base = std::move(wrapped);
  }
  ASSIGN_OR_RETURN(base->alias, identifier());
  if (at_symbol("(")) {
    ASSIGN_OR_RETURN(base->column_aliases, identifier_list());
  }
  return base;
}

Result<RelationPtr> Parser::relation_primary() {
  auto made = std::make_unique<Relation>();
  made->at = peek().at;
  if (at_word("UNNEST") && at_symbol("(", 1)) {
    next_ += 2;
    made->kind = Relation::Kind::unnest;
    do {
      ASSIGN_OR_RETURN(ExpressionPtr argument, expression());
      made->args.push_back(std::move(argument));
    } while (take_symbol(","));
    RETURN_IF_ERROR(need_symbol(")"));
    made->ordinality = take_words({"WITH", "ORDINALITY"});
    return made;
  }
  if (at_word("JSON_TABLE") && at_symbol("(", 1)) return json_table();
  if (at_word("NEAREST") && at_symbol("(", 1) && at_word("FROM", 2)) return nearest();
  if (at_word("LATERAL") && at_symbol("(", 1)) {
    next_ += 2;
    made->kind = Relation::Kind::lateral;
    ASSIGN_OR_RETURN(made->query, query());
    RETURN_IF_ERROR(need_symbol(")"));
    return made;
  }
  if (at_word("TABLE") && at_symbol("(", 1)) return table_function();
  if (at_symbol("(")) {
    if (at_query_start(1)) {
      ++next_;
      made->kind = Relation::Kind::query;
      ASSIGN_OR_RETURN(made->query, query());
      RETURN_IF_ERROR(need_symbol(")"));
      return made;
    }
    ++next_;
    ASSIGN_OR_RETURN(made, relation());
    RETURN_IF_ERROR(need_symbol(")"));
    return made;
  }
  made->kind = Relation::Kind::table;
  ASSIGN_OR_RETURN(made->name, qualified_name());
  if (at_word("FOR") && (at_word("VERSION", 1) || at_word("TIMESTAMP", 1))) {
    ++next_;
    bool version = at_word("VERSION");
    ++next_;
    if (!take_words({"AS", "OF"})) return unexpected_token("'AS'");
    ASSIGN_OR_RETURN(ExpressionPtr point, concatenation());
    (version ? made->version : made->timestamp) = std::move(point);
  }
  return made;
}

}  // namespace aichemy::sql
