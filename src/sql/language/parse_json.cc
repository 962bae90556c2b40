// SQL/JSON: JSON_EXISTS, JSON_VALUE, JSON_QUERY, JSON_OBJECT, JSON_ARRAY and JSON_TABLE.
#include <algorithm>

#include "sql/language/parse_state.h"
#include "sql/language/parser.h"

namespace aichemy::sql {
namespace {

constexpr std::string_view kFunctions[] = {"JSON_EXISTS", "JSON_VALUE", "JSON_QUERY", "JSON_OBJECT",
                                           "JSON_ARRAY"};

}  // namespace

bool Parser::at_json_function() const {
  return peek().kind == TokenKind::word && at_symbol("(", 1) &&
         std::ranges::find(kFunctions, peek().upper) != std::end(kFunctions);
}

Result<ExpressionPtr> Parser::json_function() {
  auto made = make_expression(ExpressionKind::json_function, peek().at);
  made->text = peek().upper;
  made->json = std::make_unique<JsonClauses>();
  JsonClauses& clauses = *made->json;
  next_ += 2;
  if (made->text == "JSON_OBJECT" || made->text == "JSON_ARRAY") {
    clauses.absent = made->text == "JSON_ARRAY";
    RETURN_IF_ERROR(json_members(*made));
    RETURN_IF_ERROR(json_returning(clauses));
  } else {
    RETURN_IF_ERROR(json_input(*made));
    RETURN_IF_ERROR(json_path(clauses));
    RETURN_IF_ERROR(json_returning(clauses));
    RETURN_IF_ERROR(json_wrapper(clauses));
    RETURN_IF_ERROR(json_behaviours(clauses));
  }
  RETURN_IF_ERROR(need_symbol(")"));
  return made;
}

// FORMAT JSON [ENCODING name], if it is there.
Status Parser::json_format() {
  if (!take_words({"FORMAT", "JSON"})) return {};
  if (take_word("ENCODING")) ++next_;
  return {};
}

Status Parser::json_input(Expression& call) {
  ASSIGN_OR_RETURN(ExpressionPtr input, expression());
  add_argument(call, std::move(input));
  RETURN_IF_ERROR(json_format());
  return need_symbol(",");
}

Status Parser::json_path(JsonClauses& clauses) {
  clauses.path_at = peek().at;
  ASSIGN_OR_RETURN(clauses.path, string_text());
  if (!take_word("PASSING")) return {};
  do {
    ASSIGN_OR_RETURN(ExpressionPtr value, expression());
    clauses.passing_json.push_back(at_words({"FORMAT", "JSON"}));
    RETURN_IF_ERROR(json_format());
    RETURN_IF_ERROR(need_word("AS"));
    ASSIGN_OR_RETURN(Identifier name, identifier());
    if (!name.quoted)
      for (char& c : name.text) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    clauses.passing.emplace_back(std::move(name), std::move(value));
  } while (take_symbol(","));
  return {};
}

Status Parser::json_returning(JsonClauses& clauses) {
  if (!take_word("RETURNING")) return {};
  clauses.returning_at = peek().at;
  ASSIGN_OR_RETURN(clauses.returning, type_text());
  return json_format();
}

Status Parser::json_wrapper(JsonClauses& clauses) {
  if (take_word("WITHOUT")) {
    take_word("ARRAY");
    RETURN_IF_ERROR(need_word("WRAPPER"));
  } else if (take_word("WITH")) {
    clauses.wrapper = take_word("CONDITIONAL") ? 1 : 2;
    take_word("UNCONDITIONAL");
    take_word("ARRAY");
    RETURN_IF_ERROR(need_word("WRAPPER"));
  }
  if (at_word("KEEP") || at_word("OMIT")) {
    clauses.omit_quotes = at_word("OMIT");
    ++next_;
    RETURN_IF_ERROR(need_word("QUOTES"));
    take_words({"ON", "SCALAR", "STRING"});
  }
  return {};
}

// NULL | ERROR | DEFAULT value | TRUE | FALSE | UNKNOWN | EMPTY [ARRAY|OBJECT], then ON EMPTY|ERROR
Status Parser::json_behaviours(JsonClauses& clauses) {
  while (!at_symbol(")") && !at_symbol(",")) {
    std::string what;
    ExpressionPtr value;
    for (auto word : {"NULL", "ERROR", "TRUE", "FALSE", "UNKNOWN"}) {
      if (what.empty() && take_word(word)) what = word;
    }
    if (what.empty() && take_word("EMPTY")) what = take_word("OBJECT") ? "OBJECT" : "ARRAY";
    if (what == "ARRAY") take_word("ARRAY");
    if (what.empty() && take_word("DEFAULT")) {
      what = "DEFAULT";
      ASSIGN_OR_RETURN(value, expression());
    }
    if (what.empty()) return unexpected_token("')'");
    RETURN_IF_ERROR(need_word("ON"));
    bool empty = at_word("EMPTY");
    if (!empty && !at_word("ERROR")) return unexpected_token("'EMPTY', 'ERROR'");
    ++next_;
    (empty ? clauses.on_empty : clauses.on_error) = what;
    (empty ? clauses.default_empty : clauses.default_error) = std::move(value);
  }
  return {};
}

Status Parser::json_members(Expression& call) {
  JsonClauses& clauses = *call.json;
  bool object = call.text == "JSON_OBJECT";
  while (!at_symbol(")") && !at_words({"NULL", "ON"}) && !at_words({"ABSENT", "ON"}) &&
         !at_word("RETURNING")) {
    if (object) {
      if (at_word("KEY") && !at_symbol(":", 1) && !at_word("VALUE", 1) && !at_symbol(",", 1))
        ++next_;
      ASSIGN_OR_RETURN(ExpressionPtr key, expression());
      add_argument(call, std::move(key));
      if (!take_symbol(":")) RETURN_IF_ERROR(need_word("VALUE"));
    }
    ASSIGN_OR_RETURN(ExpressionPtr value, expression());
    add_argument(call, std::move(value));
    clauses.value_json.push_back(at_words({"FORMAT", "JSON"}));
    RETURN_IF_ERROR(json_format());
    if (!take_symbol(",")) break;
  }
  if (take_words({"NULL", "ON", "NULL"})) clauses.absent = false;
  if (take_words({"ABSENT", "ON", "NULL"})) clauses.absent = true;
  if (take_words({"WITH", "UNIQUE"})) {
    clauses.unique = true;
    take_word("KEYS");
  } else if (take_words({"WITHOUT", "UNIQUE"})) {
    take_word("KEYS");
  }
  return {};
}

// ---- JSON_TABLE ----

Result<RelationPtr> Parser::json_table() {
  auto made = std::make_unique<Relation>();
  made->at = peek().at;
  made->kind = Relation::Kind::json_table;
  made->json_table = std::make_unique<JsonTable>();
  JsonTable& table = *made->json_table;
  next_ += 2;
  ASSIGN_OR_RETURN(ExpressionPtr input, expression());
  made->args.push_back(std::move(input));
  RETURN_IF_ERROR(json_format());
  RETURN_IF_ERROR(need_symbol(","));
  table.clauses.path_at = peek().at;
  ASSIGN_OR_RETURN(table.clauses.path, string_text());
  if (take_word("AS")) {
    ASSIGN_OR_RETURN(table.path_name, identifier());
  }
  if (at_word("PASSING")) {
    // the path is read already: json_path wants it before PASSING
    std::string path = table.clauses.path;
    ++next_;
    do {
      ASSIGN_OR_RETURN(ExpressionPtr value, expression());
      table.clauses.passing_json.push_back(at_words({"FORMAT", "JSON"}));
      RETURN_IF_ERROR(json_format());
      RETURN_IF_ERROR(need_word("AS"));
      ASSIGN_OR_RETURN(Identifier name, identifier());
      table.clauses.passing.emplace_back(std::move(name), std::move(value));
    } while (take_symbol(","));
  }
  ASSIGN_OR_RETURN(table.columns, json_columns());
  if (take_word("PLAN")) {
    bool defaults = take_word("DEFAULT");
    table.default_plan = defaults;
    RETURN_IF_ERROR(need_symbol("("));
    if (!defaults) {
      ASSIGN_OR_RETURN(table.plan, json_plan());
    } else {
      do {
        if (take_word("INNER"))
          table.default_outer = false;
        else if (take_word("CROSS"))
          table.default_union = false;
        else if (!take_word("OUTER") && !take_word("UNION"))
          return unexpected_token("'OUTER'");
      } while (take_symbol(","));
    }
    RETURN_IF_ERROR(need_symbol(")"));
  }
  RETURN_IF_ERROR(json_behaviours(table.clauses));
  RETURN_IF_ERROR(need_symbol(")"));
  return made;
}

Result<std::vector<JsonTableColumn>> Parser::json_columns() {
  RETURN_IF_ERROR(need_word("COLUMNS"));
  RETURN_IF_ERROR(need_symbol("("));
  std::vector<JsonTableColumn> made;
  do {
    ASSIGN_OR_RETURN(JsonTableColumn column, json_column());
    made.push_back(std::move(column));
  } while (take_symbol(","));
  RETURN_IF_ERROR(need_symbol(")"));
  return made;
}

Result<JsonTableColumn> Parser::json_column() {
  Nest nest(nesting_);
  RETURN_IF_ERROR(check_nesting());
  JsonTableColumn made;
  made.at = peek().at;
  if (at_word("NESTED") && (at_word("PATH", 1) || peek(1).kind == TokenKind::string)) {
    ++next_;
    take_word("PATH");
    made.kind = JsonTableColumn::Kind::nested;
    made.clauses.path_at = peek().at;
    ASSIGN_OR_RETURN(made.clauses.path, string_text());
    if (take_word("AS")) {
      ASSIGN_OR_RETURN(made.name, identifier());
    }
    ASSIGN_OR_RETURN(made.columns, json_columns());
    return made;
  }
  ASSIGN_OR_RETURN(made.name, identifier());
  if (take_words({"FOR", "ORDINALITY"})) {
    made.kind = JsonTableColumn::Kind::ordinality;
    return made;
  }
  made.clauses.returning_at = peek().at;
  ASSIGN_OR_RETURN(made.clauses.returning, type_text());
  if (at_words({"FORMAT", "JSON"})) made.kind = JsonTableColumn::Kind::query;
  RETURN_IF_ERROR(json_format());
  made.clauses.path_at = made.at;
  if (take_word("PATH")) {
    made.clauses.path_at = peek().at;
    ASSIGN_OR_RETURN(made.clauses.path, string_text());
  }
  RETURN_IF_ERROR(json_wrapper(made.clauses));
  RETURN_IF_ERROR(json_behaviours(made.clauses));
  return made;
}

// path [OUTER|INNER part] | part UNION|CROSS part ...
Result<JsonTablePlan> Parser::json_plan() {
  ASSIGN_OR_RETURN(JsonTablePlan made, json_plan_part());
  if (made.op.empty() && made.below.empty() && (at_word("OUTER") || at_word("INNER"))) {
    made.outer = at_word("OUTER");
    ++next_;
    ASSIGN_OR_RETURN(JsonTablePlan below, json_plan_part());
    made.below.push_back(std::move(below));
  }
  while (at_word("UNION") || at_word("CROSS")) {
    JsonTablePlan both;
    both.op = peek().upper;
    ++next_;
    both.below.push_back(std::move(made));
    ASSIGN_OR_RETURN(JsonTablePlan right, json_plan_part());
    both.below.push_back(std::move(right));
    made = std::move(both);
  }
  return made;
}

Result<JsonTablePlan> Parser::json_plan_part() {
  Nest nest(nesting_);
  RETURN_IF_ERROR(check_nesting());
  if (take_symbol("(")) {
    ASSIGN_OR_RETURN(JsonTablePlan made, json_plan());
    RETURN_IF_ERROR(need_symbol(")"));
    return made;
  }
  JsonTablePlan made;
  ASSIGN_OR_RETURN(made.path, identifier());
  return made;
}

}  // namespace aichemy::sql
