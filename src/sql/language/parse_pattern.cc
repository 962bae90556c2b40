// MATCH_RECOGNIZE and the row patterns of windows.
#include <cstdlib>

#include "sql/language/parse_state.h"
#include "sql/language/parser.h"

namespace aichemy::sql {

WindowSpec::WindowSpec() = default;
WindowSpec::~WindowSpec() = default;

bool Parser::at_row_pattern() const {
  return at_words({"AFTER", "MATCH"}) || at_word("INITIAL") || at_word("SEEK") ||
         at_word("PATTERN") || at_word("SUBSET") || at_word("DEFINE");
}

Result<RelationPtr> Parser::match_recognize(RelationPtr input) {
  auto relation = std::make_unique<Relation>();
  relation->kind = Relation::Kind::match_recognize;
  relation->at = peek().at;
  relation->left = std::move(input);
  relation->pattern = std::make_unique<RowPattern>();
  RowPattern& made = *relation->pattern;
  made.at = relation->at;
  ++next_;
  RETURN_IF_ERROR(need_symbol("("));
  if (take_words({"PARTITION", "BY"})) {
    do {
      ASSIGN_OR_RETURN(ExpressionPtr key, expression());
      made.partition_by.push_back(std::move(key));
    } while (take_symbol(","));
  }
  if (take_words({"ORDER", "BY"})) RETURN_IF_ERROR(order_by(made.order_by));
  if (at_word("MEASURES")) RETURN_IF_ERROR(measures(made));
  RETURN_IF_ERROR(rows_per_match(made));
  RETURN_IF_ERROR(pattern_clauses(made));
  RETURN_IF_ERROR(need_symbol(")"));
  return relation;
}

Status Parser::measures(RowPattern& made) {
  RETURN_IF_ERROR(need_word("MEASURES"));
  do {
    ASSIGN_OR_RETURN(ExpressionPtr value, expression());
    RETURN_IF_ERROR(need_word("AS"));
    ASSIGN_OR_RETURN(Identifier name, identifier());
    made.measures.emplace_back(std::move(name), std::move(value));
  } while (take_symbol(","));
  return {};
}

Status Parser::rows_per_match(RowPattern& made) {
  using Rows = RowPattern::Rows;
  if (take_words({"ONE", "ROW", "PER", "MATCH"})) return {};
  if (!take_words({"ALL", "ROWS", "PER", "MATCH"})) return {};
  made.rows = Rows::all;
  if (take_words({"SHOW", "EMPTY", "MATCHES"})) return {};
  if (take_words({"OMIT", "EMPTY", "MATCHES"})) made.rows = Rows::all_omit_empty;
  if (take_words({"WITH", "UNMATCHED", "ROWS"})) made.rows = Rows::all_with_unmatched;
  return {};
}

Status Parser::skip_clause(RowPattern& made) {
  using Skip = RowPattern::Skip;
  if (!take_words({"AFTER", "MATCH"})) return {};
  RETURN_IF_ERROR(need_word("SKIP"));
  if (take_words({"PAST", "LAST", "ROW"})) return {};
  RETURN_IF_ERROR(need_word("TO"));
  if (take_words({"NEXT", "ROW"})) {
    made.skip = Skip::to_next;
    return {};
  }
  made.skip = Skip::to_last;
  if ((at_word("FIRST") || at_word("LAST")) && at_identifier(1)) {
    if (at_word("FIRST")) made.skip = Skip::to_first;
    ++next_;
  }
  ASSIGN_OR_RETURN(made.skip_to, identifier());
  return {};
}

Status Parser::pattern_clauses(RowPattern& made) {
  RETURN_IF_ERROR(skip_clause(made));
  if (take_word("SEEK"))
    made.seek = true;
  else
    take_word("INITIAL");
  RETURN_IF_ERROR(need_word("PATTERN"));
  RETURN_IF_ERROR(need_symbol("("));
  ASSIGN_OR_RETURN(made.pattern, pattern_choice());
  RETURN_IF_ERROR(need_symbol(")"));
  return pattern_definitions(made);
}

Status Parser::pattern_definitions(RowPattern& made) {
  if (take_word("SUBSET")) {
    do {
      ASSIGN_OR_RETURN(Identifier name, identifier());
      RETURN_IF_ERROR(need_symbol("="));
      ASSIGN_OR_RETURN(auto members, identifier_list());
      made.subsets.emplace_back(std::move(name), std::move(members));
    } while (take_symbol(","));
  }
  if (!take_word("DEFINE")) return unexpected_token("'DEFINE'");
  do {
    ASSIGN_OR_RETURN(Identifier name, identifier());
    RETURN_IF_ERROR(need_word("AS"));
    ASSIGN_OR_RETURN(ExpressionPtr condition, expression());
    made.define.emplace_back(std::move(name), std::move(condition));
  } while (take_symbol(","));
  return {};
}

Result<PatternNode> Parser::pattern_choice() {
  Nest nest(nesting_);
  RETURN_IF_ERROR(check_nesting());
  PatternNode made;
  made.at = peek().at;
  made.kind = PatternNode::Kind::choice;
  do {
    ASSIGN_OR_RETURN(PatternNode part, pattern_sequence());
    made.parts.push_back(std::move(part));
  } while (take_symbol("|"));
  if (made.parts.size() > 1) return made;
  PatternNode only = std::move(made.parts[0]);
  return only;
}

Result<PatternNode> Parser::pattern_sequence() {
  PatternNode made;
  made.at = peek().at;
  made.kind = PatternNode::Kind::sequence;
  do {
    ASSIGN_OR_RETURN(PatternNode part, pattern_repeated());
    made.parts.push_back(std::move(part));
  } while (!at_symbol(")") && !at_symbol("|") && !at_symbol(",") && !at_symbol("-") &&
           peek().kind != TokenKind::end);
  if (made.parts.size() > 1) return made;
  PatternNode only = std::move(made.parts[0]);
  return only;
}

bool Parser::at_question() const { return peek().kind == TokenKind::parameter || at_symbol("?"); }

Result<PatternNode> Parser::pattern_repeated() {
  ASSIGN_OR_RETURN(PatternNode part, pattern_primary());
  bool repeated =
      at_symbol("*") || at_symbol("+") || at_question() || (at_symbol("{") && !at_symbol("-", 1));
  if (!repeated) return part;
  PatternNode made;
  made.kind = PatternNode::Kind::repeated;
  made.at = part.at;
  made.parts.push_back(std::move(part));
  RETURN_IF_ERROR(pattern_quantifier(made));
  if (at_question()) {
    made.reluctant = true;
    ++next_;
  }
  return made;
}

Status Parser::pattern_quantifier(PatternNode& made) {
  if (take_symbol("*")) return {};
  if (take_symbol("+")) {
    made.low = 1;
    return {};
  }
  if (at_question()) {
    ++next_;
    made.high = 1;
    return {};
  }
  Position at = peek().at;
  ++next_;  // {
  auto number = [&](int64_t& value) {
    if (peek().kind != TokenKind::integer) return false;
    value = std::strtoll(peek().text.c_str(), nullptr, 10);
    ++next_;
    return true;
  };
  int64_t high = 0;
  bool low = number(made.low);
  if (take_symbol(",")) {
    if (number(high)) made.high = high;
  } else if (low) {
    made.high = made.low;
  } else {
    return unexpected_token("','");
  }
  RETURN_IF_ERROR(need_symbol("}"));
  if (made.high && *made.high == 0) {
    return fail(Code::invalid, "NUMERIC_VALUE_OUT_OF_RANGE",
                "line " + std::to_string(at.line) + ":" + std::to_string(at.column) +
                    ": Pattern quantifier upper bound must be greater than or equal to 1");
  }
  if (made.high && *made.high < made.low) {
    return fail(Code::invalid, "INVALID_RANGE",
                "line " + std::to_string(at.line) + ":" + std::to_string(at.column) +
                    ": Pattern quantifier lower bound must not exceed upper bound");
  }
  return {};
}

Result<PatternNode> Parser::pattern_primary() {
  using Kind = PatternNode::Kind;
  PatternNode made;
  made.at = peek().at;
  if (take_symbol("^")) {
    made.kind = Kind::start;
    return made;
  }
  if (take_symbol("$")) {
    made.kind = Kind::end;
    return made;
  }
  if (at_symbol("(") && at_symbol(")", 1)) {
    next_ += 2;
    return made;
  }
  if (take_symbol("(")) {
    ASSIGN_OR_RETURN(made, pattern_choice());
    RETURN_IF_ERROR(need_symbol(")"));
    return made;
  }
  if (at_symbol("{") && at_symbol("-", 1)) {
    next_ += 2;
    made.kind = Kind::excluded;
    ASSIGN_OR_RETURN(PatternNode part, pattern_choice());
    made.parts.push_back(std::move(part));
    RETURN_IF_ERROR(need_symbol("-"));
    RETURN_IF_ERROR(need_symbol("}"));
    return made;
  }
  if (at_word("PERMUTE") && at_symbol("(", 1)) {
    next_ += 2;
    made.kind = Kind::permutation;
    do {
      ASSIGN_OR_RETURN(PatternNode part, pattern_choice());
      made.parts.push_back(std::move(part));
    } while (take_symbol(","));
    RETURN_IF_ERROR(need_symbol(")"));
    return made;
  }
  made.kind = Kind::label;
  ASSIGN_OR_RETURN(made.name, identifier());
  return made;
}

}  // namespace aichemy::sql
