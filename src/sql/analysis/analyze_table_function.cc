// TABLE(f(...)): the table functions that are built in.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <span>

#include "sql/analysis/analyzer.h"

namespace aichemy::sql {
namespace {

struct TableParameter {
  enum class Kind : uint8_t { scalar, table, descriptor } kind;
  const char* name;
  bool required;
};

constexpr TableParameter kExcludeColumns[] = {
    {TableParameter::Kind::table, "INPUT", true},
    {TableParameter::Kind::descriptor, "COLUMNS", true},
};
constexpr TableParameter kSequence[] = {
    {TableParameter::Kind::scalar, "START", false},
    {TableParameter::Kind::scalar, "STOP", true},
    {TableParameter::Kind::scalar, "STEP", false},
};

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

TableParameter::Kind kind_of(const TableArgument& argument) {
  if (argument.table) return TableParameter::Kind::table;
  return argument.descriptor ? TableParameter::Kind::descriptor : TableParameter::Kind::scalar;
}

const char* kind_name(TableParameter::Kind kind) {
  switch (kind) {
    case TableParameter::Kind::table: return "table";
    case TableParameter::Kind::descriptor: return "descriptor";
    case TableParameter::Kind::scalar: return "expression";
  }
  return "";
}

// Tables are read row by row by all of these functions: nothing may ask for more.
Status check_argument(const TableArgument& argument, const TableParameter& parameter) {
  auto invalid = [&](const std::string& why) {
    return semantic_error("INVALID_FUNCTION_ARGUMENT", argument.at,
                          fmt::format("Invalid argument {}. {}", parameter.name, why));
  };
  if (kind_of(argument) != parameter.kind) {
    return invalid(fmt::format("Expected {}, got {}", kind_name(parameter.kind),
                               kind_name(kind_of(argument))));
  }
  constexpr const char* kRows = "specified for table argument with row semantics";
  if (argument.partition_by) return invalid(fmt::format("Partitioning {}", kRows));
  if (!argument.order_by.empty()) return invalid(fmt::format("Ordering {}", kRows));
  if (!argument.when_empty.empty()) return invalid(fmt::format("Empty behavior {}", kRows));
  return {};
}

// The argument of each parameter, nullptr for one that keeps its default.
Result<std::vector<const TableArgument*>> arguments_of(const Relation& relation,
                                                       std::span<const TableParameter> parameters) {
  const auto& given = relation.table_args;
  std::vector<const TableArgument*> made(parameters.size());
  if (given.size() > parameters.size()) {
    return semantic_error("INVALID_ARGUMENTS", relation.at,
                          fmt::format("Too many arguments. Expected at most {} arguments, got {}",
                                      parameters.size(), given.size()));
  }
  size_t named = static_cast<size_t>(
      std::ranges::count_if(given, [](const auto& one) { return one.name.has_value(); }));
  if (named > 0 && named < given.size()) {
    return semantic_error(
        "INVALID_ARGUMENTS", relation.at,
        "All arguments must be passed by name or all must be passed positionally");
  }
  for (size_t i = 0; i < given.size(); ++i) {
    size_t place = i;
    if (given[i].name) {
      std::string name = given[i].name->quoted ? given[i].name->text : upper(given[i].name->text);
      place = 0;
      while (place < parameters.size() && parameters[place].name != name) ++place;
      if (place == parameters.size()) {
        return semantic_error("INVALID_ARGUMENTS", given[i].at,
                              fmt::format("Unexpected argument name: {}", name));
      }
      if (made[place]) {
        return semantic_error("INVALID_ARGUMENTS", given[i].at,
                              fmt::format("Duplicate argument name: {}", name));
      }
    }
    RETURN_IF_ERROR(check_argument(given[i], parameters[place]));
    made[place] = &given[i];
  }
  for (size_t i = 0; i < parameters.size(); ++i) {
    if (made[i] || !parameters[i].required) continue;
    return semantic_error("MISSING_ARGUMENT", relation.at,
                          fmt::format("Missing argument: {}", parameters[i].name));
  }
  return made;
}

std::unexpected<Error> bad_argument(const std::string& message) {
  return fail(Code::invalid, "INVALID_FUNCTION_ARGUMENT", message);
}

}  // namespace

Result<Analyzer::From> Analyzer::analyze_table_function(const Relation& relation,
                                                        const Scope* outer) {
  std::string name = relation.name.back().lower();
  bool builtin = relation.name.size() == 1 ||
                 (relation.name.size() == 3 && relation.name[0].lower() == "system" &&
                  relation.name[1].lower() == "builtin");
  if (builtin && name == "exclude_columns") return exclude_columns(relation, outer);
  if (builtin && name == "sequence") return sequence(relation);
  std::string shown;
  for (const auto& part : relation.name) shown += (shown.empty() ? "" : ".") + part.lower();
  return semantic_error("FUNCTION_NOT_FOUND", relation.name[0].at,
                        fmt::format("Table function '{}' not registered", shown));
}

// The input without the columns of the descriptor.
Result<Analyzer::From> Analyzer::exclude_columns(const Relation& relation, const Scope* outer) {
  ASSIGN_OR_RETURN(auto arguments, arguments_of(relation, kExcludeColumns));
  while (outer && outer->neighbours) outer = outer->parent;
  ASSIGN_OR_RETURN(From input, analyze_relation(*arguments[0]->table, outer));
  std::set<std::string> excluded, missing;
  for (const auto& column : *arguments[1]->descriptor) excluded.insert(column.lower());
  missing = excluded;
  auto made = std::make_shared<Plan>();
  made->kind = Plan::Kind::select;
  for (const auto& field : input.fields) {
    if (field.hidden) continue;
    std::string name = lower_case(field.name.value_or(""));
    missing.erase(name);
    if (field.name && excluded.contains(name)) continue;
    mark_read(*field.value);
    made->fields.push_back({field.name, field.value->type});
    made->items.push_back(field.value);
  }
  if (!missing.empty()) {
    std::string names;
    for (const auto& name : missing) names += (names.empty() ? "" : ", ") + name;
    return bad_argument(fmt::format("Excluded columns: [{}] not present in the table", names));
  }
  if (made->items.empty()) return bad_argument("All columns are excluded");
  made->inputs.push_back(std::move(input.plan));
  return from_plan(std::move(made), {});
}

// The numbers from START to STOP by STEP, made by the engine as they are read.
Result<Analyzer::From> Analyzer::sequence(const Relation& relation) {
  ASSIGN_OR_RETURN(auto arguments, arguments_of(relation, kSequence));
  static constexpr const char* kNames[] = {"Start", "Stop", "Step"};
  int64_t numbers[] = {0, 0, 1};
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (!arguments[i]) continue;
    ASSIGN_OR_RETURN(BoundPtr value, constant(*arguments[i]->value));
    Type bigint(TypeKind::bigint);
    if (!can_coerce(value->type, bigint)) {
      return semantic_error("TYPE_MISMATCH", arguments[i]->at,
                            fmt::format("Cannot cast type {} to bigint", value->type.display()));
    }
    ASSIGN_OR_RETURN(Json number, evaluate_(make_cast(value, bigint)));
    if (number.is_null()) return bad_argument(fmt::format("{} is null", kNames[i]));
    numbers[i] = number.as_int();
  }
  auto [start, stop, step] = numbers;
  if (start < stop && step <= 0) {
    return bad_argument(fmt::format("Step must be positive for sequence [{}, {}]", start, stop));
  }
  if (start > stop && step >= 0) {
    return bad_argument(fmt::format("Step must be negative for sequence [{}, {}]", start, stop));
  }
  if (start == stop) step = 1;
  auto made = std::make_shared<Plan>();
  made->kind = Plan::Kind::scan;
  made->text = "trino_sequence_rows";
  made->handle = fmt::format("{},{},{}", start, stop, step);
  made->fields.push_back({"sequential_number", Type(TypeKind::bigint)});
  return from_plan(std::move(made), {});
}

}  // namespace aichemy::sql
