#include "sql/analysis/renderer.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "sql/analysis/expressions.h"
#include "sql/analysis/relations.h"
#include "sql/analysis/render_aggregate.h"
#include "sql/analysis/render_cast.h"
#include "sql/analysis/render_literal.h"
#include "sql/analysis/render_moment.h"
#include "sql/analysis/render_nested.h"
#include "sql/analysis/render_packed.h"
#include "sql/analysis/render_pattern.h"

namespace aichemy::sql {
namespace {

class Renderer {
 public:
  Renderer(const RenderOptions& o, ColumnsRead read) : options_(o), read_(std::move(read)) {}

  std::string query(const Plan& plan) {
    switch (plan.kind) {
      case Plan::Kind::select: return select(plan);
      case Plan::Kind::set:
        return fmt::format("({}) {} ({})", query(*plan.inputs[0]), plan.text,
                           query(*plan.inputs[1]));
      case Plan::Kind::values: return values(plan);
      case Plan::Kind::wrapped: return wrapped(plan);
      default: break;
    }
    note_scans(plan);
    std::string columns;
    for (size_t i = 0; i < plan.fields.size(); ++i) {
      Bound column;
      column.kind = Bound::Kind::column;
      column.relation = plan.relation;
      column.index = i;
      column.type = plan.fields[i].type;
      columns += fmt::format("{}{} AS c{}", i ? ", " : "", expression(column), i);
    }
    return fmt::format("SELECT {} FROM {}", columns.empty() ? "1 AS c0" : columns, from(plan));
  }

  std::string expression(const Bound& value) {
    using Kind = Bound::Kind;
    switch (value.kind) {
      case Kind::literal: return render_literal(value);
      case Kind::column: {
        auto captured = captured_.find({value.relation, value.index});
        if (captured != captured_.end()) return captured->second;
        std::string column = fmt::format("r{}.c{}", value.relation, value.index);
        return scans_.contains(value.relation) ? render_from_stored(column, value.type) : column;
      }
      case Kind::variable: {
        auto found = variables_.find(value.index);
        return found == variables_.end() ? fmt::format("v{}", value.index) : found->second;
      }
      case Kind::call: return call(value);
      case Kind::chain: {
        if (auto shorter = chain_as_in(value)) return expression(*shorter);
        std::string out = "(";
        for (size_t i = 0; i < value.args.size(); ++i) {
          if (i > 0) out += " " + value.text + " ";
          out += expression(*value.args[i]);
        }
        return out + ")";
      }
      case Kind::cast: return cast(value);
      case Kind::try_: {
        bool saved = std::exchange(in_try_, true);
        bool queries = std::exchange(subqueries_, false);
        std::string out = fmt::format("TRY({})", expression(*value.args[0]));
        in_try_ = saved;
        subqueries_ = queries;
        return out;
      }
      case Kind::case_: return case_of(value);
      case Kind::lambda: {
        std::string names;
        for (size_t i = 0; i < value.variables.size(); ++i)
          names += fmt::format("{}v{}", i ? ", " : "", value.variables[i]);
        bool saved = std::exchange(subqueries_, false);
        std::string out = fmt::format("lambda {}: {}", names, expression(*value.args[0]));
        subqueries_ = saved;
        return out;
      }
      case Kind::row: {
        std::string out = "struct_pack(";
        for (size_t i = 0; i < value.args.size(); ++i)
          out += fmt::format("{}f{} := {}", i ? ", " : "", i, expression(*value.args[i]));
        return out + ")";
      }
      case Kind::field: return fmt::format("({}).f{}", expression(*value.args[0]), value.index);
      case Kind::aggregate:
      case Kind::window: return expand(value.text, value);
      case Kind::scalar: return fmt::format("({})", below(*value.plan));
      case Kind::exists: return fmt::format("EXISTS ({})", below(*value.plan));
      case Kind::in_plan:
        return fmt::format("({} IN ({}))", expression(*value.args[0]), below(*value.plan));
      case Kind::quantified:
        return fmt::format("({} {} {} ({}))", expression(*value.args[0]), value.text,
                           value.negated ? "ALL" : "ANY", below(*value.plan));
      case Kind::routine: return routine(value);
    }
    return "NULL";
  }

 private:
  const RenderOptions& options_;
  const ColumnsRead read_;
  bool in_try_ = false;
  bool subqueries_ = false;                  // where an IN may become a join
  std::set<size_t> scans_;                   // relations whose columns have the files' form
  std::map<size_t, std::string> variables_;  // lambda parameters written otherwise than v<n>
  size_t next_item_ = 0;
  std::map<std::string, InPlaceQuery> in_place_;               // by handle
  size_t in_place_depth_ = 0;                                  // in the text being written
  std::map<std::pair<size_t, size_t>, std::string> captured_;  // columns of outer queries

  // Before any expression over them is written.
  void note_scans(const Plan& plan) {
    if (plan.kind == Plan::Kind::scan) scans_.insert(plan.relation);
    bool passes = plan.kind == Plan::Kind::join || plan.kind == Plan::Kind::sample;
    if (!passes) return;
    for (const auto& input : plan.inputs) note_scans(*input);
  }

  std::string instant(const Bound& value) {
    bool widened = value.kind == Bound::Kind::cast && !value.safe &&
                   value.args[0]->type.is(TypeKind::timestamp_tz) &&
                   value.args[0]->type.precision <= value.type.precision;
    if (widened) return instant(*value.args[0]);
    if (value.kind == Bound::Kind::literal && !value.null)
      return render_instant_literal(value.text);
    if (value.kind == Bound::Kind::column && scans_.contains(value.relation))
      return fmt::format("r{}.c{}", value.relation, value.index);
    return fmt::format("aichemy_store_tz6({})", expression(value));
  }

  std::string argument(const Bound& call, const Bound& value) {
    if (auto plain = render_operand(call, value)) return *plain;
    return compares_instants(call) ? instant(value) : expression(value);
  }

  std::string prefix(std::string text) const {
    return in_try_ ? with_try_macros(text) : std::move(text);
  }

  std::string call(const Bound& value) {
    if (auto text = render_packed_array(value)) return *text;
    if (auto pieces = in_pieces(value)) return expression(*pieces);
    auto items = subqueries_ ? render_packed_items(value) : std::nullopt;
    if (items) return fmt::format("({} IN ({}))", expression(*value.args[0]), *items);
    return expand(value.text, value);
  }

  // Only a condition itself, not the queries in it.
  std::string below(const Plan& plan) {
    bool saved = std::exchange(subqueries_, false);
    std::string out = query(plan);
    subqueries_ = saved;
    return out;
  }

  std::string condition(const Bound& value) {
    bool saved = std::exchange(subqueries_, true);
    std::string out = " WHERE " + expression(value);
    subqueries_ = saved;
    return out;
  }

  std::string cast(const Bound& value) {
    if (auto constant = render_number_constant(value)) return *constant;
    const Bound* source = value.args[0].get();
    bool nested = value.type.is(TypeKind::array) || value.type.is(TypeKind::map) ||
                  value.type.is(TypeKind::row);
    // CAST(json_parse(text) AS array...) reads the text itself: errors show it as it was.
    Bound json;
    if (nested && source->text == "aichemy_json_parse({0})") {
      json = *source->args[0];
      json.type = Type(TypeKind::json);
      if (json.kind != Bound::Kind::literal) source = &json;
    }
    const Bound& inner = *source;
    bool saved = in_try_;
    if (value.safe) in_try_ = true;
    // The argument is rendered apart from the cast's own text, so that only templates are prefixed.
    std::string argument = expression(inner);
    std::string marker = "\x01";
    std::string text = prefix(render_cast(marker, inner.type, value.type, options_));
    std::string out;
    for (char c : text) {
      if (c == '\x01')
        out += argument;
      else
        out += c;
    }
    in_try_ = saved;
    return value.safe ? fmt::format("TRY({})", out) : out;
  }

  std::string case_of(const Bound& value) {
    std::string out = "CASE";
    size_t i = 0;
    for (; i + 1 < value.args.size(); i += 2) {
      out += fmt::format(" WHEN {} THEN {}", expression(*value.args[i]),
                         expression(*value.args[i + 1]));
    }
    if (i < value.args.size()) out += " ELSE " + expression(*value.args[i]);
    return "(" + out + " END)";
  }

  std::string routine(const Bound& value) {
    std::vector<std::string> texts;
    for (const auto& step : value.routine->steps)
      texts.push_back(step.value ? expression(*step.value) : "");
    std::string arguments = list(value.args, 0);
    return fmt::format("aichemy_routine({}{}{})", arguments, arguments.empty() ? "" : ", ",
                       quote_text(routine_json(*value.routine, value.type, texts)));
  }

  // call: whose arguments they are, when that says how they are written.
  std::string list(const std::vector<BoundPtr>& args, size_t first, const Bound* call = nullptr) {
    std::string out;
    for (size_t i = first; i < args.size(); ++i)
      out += (i > first ? ", " : "") + (call ? argument(*call, *args[i]) : expression(*args[i]));
    return out;
  }

  std::string concatenated(const std::vector<BoundPtr>& parts) {
    return concatenated(parts, 0, parts.size());
  }

  // Halves, so that the engine's tree of a long chain is shallow.
  std::string concatenated(const std::vector<BoundPtr>& args, size_t begin, size_t end) {
    if (end - begin == 1) return expression(*args[begin]);
    size_t middle = begin + (end - begin + 1) / 2;
    return fmt::format("({} || {})", concatenated(args, begin, middle),
                       concatenated(args, middle, end));
  }

  std::string any_null(const std::vector<BoundPtr>& args) {
    std::string out;
    for (const auto& argument : args)
      out += (out.empty() ? "" : " OR ") + expression(*argument) + " IS NULL";
    return "(" + out + ")";
  }

  // A lambda's body with its parameters written as these texts.
  std::string body(const Bound& lambda, const std::vector<std::string>& parameters) {
    auto saved = variables_;
    for (size_t i = 0; i < lambda.variables.size(); ++i)
      variables_[lambda.variables[i]] = parameters[i];
    std::string out = expression(*lambda.args[0]);
    variables_ = std::move(saved);
    return out;
  }

  std::string named(const std::string& name, const Bound& value) {
    if (name == "type0") return physical_type(value.args[0]->type);
    if (auto text = render_word(name, value, options_)) return *text;
    if (name == "avg_decimal") return avg_decimal(value);
    if (name == "avg_decimal_list") {
      std::string list = expression(*value.args[1]);
      return prefix(render_decimal_average(value, fmt::format("list_aggregate({}, 'sum')", list),
                                           fmt::format("list_aggregate({}, 'count')", list)));
    }
    if (name == "greatest" || name == "least") return extreme(name, value);
    if (name.starts_with("padded")) return padded(*value.args.at(size_t(name.back() - '0')));
    NestedForms forms;
    forms.expression = [this](const Bound& one) { return expression(one); };
    forms.body = [this](const Bound& lambda, const std::vector<std::string>& parameters) {
      return body(lambda, parameters);
    };
    forms.fresh = [this] { return fmt::format("n{}", next_item_++); };
    forms.options = &options_;
    return prefix(render_nested(forms, name, value));
  }

  // char(n) is kept without its trailing blanks; some functions count them.
  std::string padded(const Bound& value) {
    if (!value.type.is(TypeKind::char_)) return expression(value);
    return fmt::format("rpad({}, {}, ' ')", expression(value), value.type.precision);
  }

  // In Trino NaN counts only when there is nothing else.
  std::string extreme(const std::string& name, const Bound& value) {
    std::string all = list(value.args, 0);
    if (value.type.is(TypeKind::double_)) return fmt::format("aichemy_{}({})", name, all);
    if (value.type.is(TypeKind::real)) return fmt::format("aichemy_{}_real({})", name, all);
    return fmt::format("CASE WHEN {} THEN NULL ELSE {}({}) END", any_null(value.args), name, all);
  }

  std::string avg_decimal(const Bound& value) {
    std::string inner =
        (value.distinct ? "(DISTINCT " : "(") + expression(*value.args[0]) + aggregate_end(value);
    return prefix(render_decimal_average(value, "sum" + inner, "count" + inner));
  }

  // {0} {1} arguments, {*} all, {1+} all from 1 on, {1+|} those joined by ||, {*?} whether one is
  // NULL, @( and )@ around an aggregate's arguments.
  std::string expand(const std::string& text, const Bound& value) {
    std::string out, plain;
    auto flush = [&] {
      out += prefix(plain);
      plain.clear();
    };
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '{' && i + 2 < text.size() &&
          (std::isalnum(static_cast<unsigned char>(text[i + 1])) || text[i + 1] == '*')) {
        flush();
        size_t close = text.find('}', i);
        std::string name = text.substr(i + 1, close - i - 1);
        if (name == "*")
          out += list(value.args, 0);
        else if (name == "*?")
          out += any_null(value.args);
        else if (name.back() == '+')
          out += list(value.args, static_cast<size_t>(name[0] - '0'), &value);
        else if (name.ends_with("+|"))
          out += concatenated(merge_texts(value.args, static_cast<size_t>(name[0] - '0')));
        else if (std::isalpha(static_cast<unsigned char>(name[0])))
          out += named(name, value);
        else
          out += argument(value, *value.args.at(static_cast<size_t>(name[0] - '0')));
        i = close;
      } else if (text[i] == '@' && text.compare(i, 2, "@(") == 0) {
        flush();
        out += value.distinct ? "(DISTINCT " : "(";
        ++i;
      } else if (text[i] == ')' && text.compare(i, 2, ")@") == 0) {
        flush();
        out += aggregate_end(value);
        ++i;
      } else {
        plain += text[i];
      }
    }
    flush();
    return out;
  }

  std::string aggregate_end(const Bound& value) {
    std::string out;
    if (!value.order_by.empty()) out += " ORDER BY " + sorts(value.order_by);
    if (value.ignore_nulls) out += " IGNORE NULLS";
    out += ")";
    if (value.filter) out += fmt::format(" FILTER (WHERE {})", expression(*value.filter));
    if (value.over) out += fmt::format(" OVER ({})", window(*value.over));
    return out;
  }

  std::string sort(std::string key, const BoundSort& item) const {
    if (form_name(item.key->type) == "tz12") {
      bool output = key.find_first_not_of("0123456789") == std::string::npos;
      if (output) key = fmt::format("c{}", std::atoi(key.c_str()) - 1);
      key = fmt::format("aichemy_key_tz12({})", key);
    }
    return fmt::format("{}{} NULLS {}", key, item.descending ? " DESC" : " ASC",
                       item.nulls_first ? "FIRST" : "LAST");
  }

  std::string sorts(const std::vector<BoundSort>& items) {
    std::string out;
    for (const auto& item : items)
      out += (out.empty() ? "" : ", ") + sort(expression(*item.key), item);
    return out;
  }

  std::string window(const BoundWindow& over) {
    WindowForms forms;
    forms.expression = [this](const Bound& one) { return expression(one); };
    forms.sorts = [this](const std::vector<BoundSort>& items) { return sorts(items); };
    forms.in_try = in_try_;
    return render_window(over, forms);
  }

  // ---- queries ----

  // At the border of a select block every value has the physical form of its type, whatever the
  // engine's own function gave; a cast that changes nothing costs nothing.
  std::string item(const Bound& value) {
    std::string text = expression(value);
    return has_form_of_type(value) ? text
                                   : fmt::format("CAST({} AS {})", text, physical_type(value.type));
  }

  std::string select(const Plan& plan) {
    for (const auto& input : plan.inputs) note_scans(*input);
    bool reads = !plan.inputs.empty() && plan.inputs[0]->kind != Plan::Kind::empty;
    std::string source = reads ? from(*plan.inputs[0]) : "";
    auto saved = captured_;
    source = with_captured(plan, std::move(source));
    std::string out = plan.distinct ? "SELECT DISTINCT " : "SELECT ";
    for (size_t i = 0; i < plan.items.size(); ++i) {
      out += fmt::format("{}{} AS c{}", i ? ", " : "", item(*plan.items[i]), i);
    }
    if (plan.items.empty()) out += "1 AS c0";
    if (!source.empty()) out += " FROM " + source;
    if (plan.where) out += condition(*plan.where);
    if (plan.grouped) out += grouping(plan);
    out += tail(plan);
    captured_ = std::move(saved);
    return out;
  }

  // FROM with a row of the outer columns that lambdas read; from here on they are read there.
  std::string with_captured(const Plan& plan, std::string source) {
    auto columns = captured_columns(plan);
    if (columns.empty()) return source;
    std::string name = fmt::format("l{}", next_item_++), row;
    for (size_t i = 0; i < columns.size(); ++i)
      row += fmt::format("{}{} AS c{}", i ? ", " : "", expression(*columns[i]), i);
    for (size_t i = 0; i < columns.size(); ++i)
      captured_[{columns[i]->relation, columns[i]->index}] = fmt::format("{}.c{}", name, i);
    return fmt::format("{}{}(SELECT {}) AS {}", source, source.empty() ? "" : ", ", row, name);
  }

  // A key whose text is another each time it is written stands by its number among the items.
  std::string group_key(const Plan& plan, size_t key, bool by_number) {
    const BoundPtr& value = plan.group_keys[key];
    size_t before = next_item_;
    std::string text = expression(*value);
    bool item = key < plan.items.size() && plan.items[key] == value;
    return by_number && item && next_item_ != before ? std::to_string(key + 1) : text;
  }

  std::string grouping(const Plan& plan) {
    bool single = plan.group_sets.size() == 1;
    if (plan.group_keys.empty() && single) {
      // No keys: one row, even over nothing; DuckDB needs an aggregate to see that.
      return plan.items.empty() ? " HAVING count(*) >= 0" : "";
    }
    auto keys = [&](const std::vector<size_t>& set) {
      std::string out;
      for (size_t key : set) out += (out.empty() ? "" : ", ") + group_key(plan, key, single);
      return out;
    };
    if (single) return " GROUP BY " + keys(plan.group_sets[0]);
    std::string sets;
    for (const auto& set : plan.group_sets)
      sets += fmt::format("{}({})", sets.empty() ? "" : ", ", keys(set));
    return fmt::format(" GROUP BY GROUPING SETS ({})", sets);
  }

  std::string tail(const Plan& plan) {
    std::string out, order;
    for (size_t i = 0; i < plan.order_by.size(); ++i) {
      const auto& output = plan.order_output[i];
      std::string key = output ? std::to_string(*output + 1) : expression(*plan.order_by[i].key);
      if (!output && plan.order_by[i].key->kind == Bound::Kind::literal)
        continue;  // a constant sorts nothing
      order += (order.empty() ? "" : ", ") + sort(key, plan.order_by[i]);
    }
    if (plan.with_ties && plan.limit) out += ties(plan);
    if (!order.empty()) out += " ORDER BY " + order;
    if (plan.with_ties) return out;
    if (plan.limit) out += fmt::format(" LIMIT {}", *plan.limit);
    if (plan.offset) out += fmt::format(" OFFSET {}", *plan.offset);
    return out;
  }

  // FETCH FIRST n WITH TIES: the rows that rank among the first n, without those before OFFSET.
  std::string ties(const Plan& plan) {
    std::string order;
    for (size_t i = 0; i < plan.order_by.size(); ++i) {
      const auto& output = plan.order_output[i];
      std::string key = output && *output < plan.items.size() ? expression(*plan.items[*output])
                                                              : expression(*plan.order_by[i].key);
      order += (order.empty() ? "" : ", ") + sort(key, plan.order_by[i]);
    }
    uint64_t offset = plan.offset.value_or(0);
    std::string out =
        fmt::format(" QUALIFY rank() OVER (ORDER BY {}) <= {}", order, offset + *plan.limit);
    if (offset > 0) out += fmt::format(" AND row_number() OVER (ORDER BY {}) > {}", order, offset);
    return out;
  }

  std::string values(const Plan& plan) {
    if (auto text = render_packed_values(plan)) return *text;
    std::string rows;
    for (const auto& row : plan.rows) {
      rows += rows.empty() ? "(" : ", (";
      rows += list(row, 0) + ")";
    }
    return fmt::format("SELECT * FROM (VALUES {}) AS v({})", rows,
                       column_names(plan.fields.size()));
  }

  // What is read once is written where it is read: the engine would put it there, after a look at
  // all others. What is never read is not written.
  std::string wrapped(const Plan& plan) {
    auto uses = count_named_queries(plan);
    NamedQueries queries;
    for (const auto& cte : plan.ctes) {
      std::string name = fmt::format("cte{}", cte.id);
      size_t count = uses[name];
      if (count == 0) continue;
      size_t around = std::exchange(in_place_depth_, 0);
      std::string text = cte.recursive ? recursive(*cte.plan, name) : query(*cte.plan);
      size_t depth = std::exchange(in_place_depth_, around);
      if (count == 1 && !cte.recursive && depth < kInPlaceDepthMax) {
        in_place_[name] = {std::move(text), depth + 1};
        continue;
      }
      queries.add(name, cte, text);
    }
    std::string inner = query(*plan.inputs[0]);
    return queries.before(std::move(inner), plan.inputs[0]->kind == Plan::Kind::wrapped);
  }

  std::string recursive(const Plan& plan, const std::string& name) {
    return render_recursive({name, column_names(plan.fields.size()), query(*plan.inputs[0]),
                             query(*plan.inputs[1]), *plan.limit, plan.distinct});
  }

  std::string named_query(const Plan& plan) {
    auto found = in_place_.find(plan.handle);
    if (found == in_place_.end()) return fmt::format("{} AS r{}", plan.handle, plan.relation);
    in_place_depth_ = std::max(in_place_depth_, found->second.depth);
    return fmt::format("({}) AS r{}", found->second.text, plan.relation);
  }

  // ---- FROM ----

  std::string from(const Plan& plan) {
    switch (plan.kind) {
      case Plan::Kind::scan: return scan(plan);
      case Plan::Kind::rows: return render_rows(plan);
      case Plan::Kind::cte: return named_query(plan);
      case Plan::Kind::join: return join(plan);
      case Plan::Kind::unnest: {
        auto saved = captured_;
        std::string source = with_captured(plan, "");
        auto write = [this](const Bound& value) { return expression(value); };
        std::string out = render_unnest(plan, write, source);
        captured_ = std::move(saved);
        return out;
      }
      case Plan::Kind::sample:
        return fmt::format("{} TABLESAMPLE BERNOULLI({} PERCENT)", from(*plan.inputs[0]),
                           plan.percentage);
      case Plan::Kind::empty: return "(SELECT 1 AS c0) AS e";
      case Plan::Kind::match: return match(plan);
      default:
        return fmt::format("{}({}) AS r{}", plan.lateral ? "LATERAL " : "", query(plan),
                           plan.relation);
    }
  }

  std::string scan(const Plan& plan) const {
    std::string call = fmt::format("{}({})", plan.text, quote_text(scan_argument(plan, read_)));
    if (plan.ordinality)
      call = fmt::format("(SELECT *, file_row_number AS c{} FROM {})", plan.fields.size(), call);
    return fmt::format("{} AS r{}", call, plan.relation);
  }

  std::string join(const Plan& plan) {
    const Plan& right_plan = *plan.inputs[1];
    if (plan.inputs[0]->kind == Plan::Kind::empty) return from(right_plan);
    std::string left = from(*plan.inputs[0]);
    std::string right = from(right_plan);
    if (right_plan.kind == Plan::Kind::join) right = "(" + right + ")";
    if (plan.text == "CROSS") return fmt::format("{} CROSS JOIN {}", left, right);
    return fmt::format("{} {} JOIN {} ON {}", left, plan.text, right,
                       plan.condition ? expression(*plan.condition) : "TRUE");
  }

  // Each partition's rows in order, as one list through the matcher, and its rows out of it.
  std::string match(const Plan& plan) {
    for (const auto& input : plan.inputs) note_scans(*input);
    MatchTexts texts;
    texts.from = from(*plan.inputs[0]);
    if (plan.where) texts.from += " WHERE " + expression(*plan.where);
    if (!plan.group_keys.empty()) texts.from += " GROUP BY " + list(plan.group_keys, 0);
    for (const auto& argument : plan.arguments) texts.row.push_back(item(*argument));
    for (const auto& condition : plan.rows[0])
      texts.conditions.push_back(condition ? expression(*condition) : "");
    if (!plan.order_by.empty()) texts.order = " ORDER BY " + sorts(plan.order_by);
    return render_match(plan, texts);
  }
};

}  // namespace

std::string render(const Plan& plan, const RenderOptions& options) {
  PlanPtr shorter = simplified(plan);
  return Renderer(options, columns_read(*shorter)).query(*shorter);
}

std::string render_expression(const Bound& value, const RenderOptions& options) {
  return Renderer(options, {}).expression(value);
}

}  // namespace aichemy::sql
