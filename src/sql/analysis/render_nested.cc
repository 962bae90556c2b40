#include "sql/analysis/render_nested.h"

#include <fmt/format.h>

#include <string_view>

#include "base/check.h"
#include "sql/analysis/render_cast.h"

namespace aichemy::sql {
namespace {

class Nested {
 public:
  Nested(const NestedForms& forms, const Bound& call) : forms_(forms), call_(call) {}

  std::string reduce() const {
    const Bound& step = *call_.args[2];
    const Bound& finish = *call_.args[3];
    std::string list = argument(0), start = argument(1);
    std::string state = physical_type(call_.args[1]->type),
                item = physical_type(call_.args[0]->type.element());
    std::string out;
    if (state == item) {
      out = fmt::format("list_reduce({}, {}, {})", list, forms_.expression(step), start);
    } else {  // DuckDB reduces to the list's own type: state and item ride in one struct
      std::string a = forms_.fresh(), b = forms_.fresh();
      out = fmt::format(
          "(list_reduce(list_transform({}, lambda {}: struct_pack(s := CAST(NULL AS {}), x := "
          "{})), "
          "lambda {}, {}: struct_pack(s := CAST({} AS {}), x := {}.x), struct_pack(s := {}, x := "
          "CAST(NULL AS {})))).s",
          list, b, state, b, a, b, forms_.body(step, {a + ".s", b + ".x"}), state, b, start, item);
    }
    bool identity = finish.args[0]->kind == Bound::Kind::variable;
    return identity ? out
                    : fmt::format("(list_transform([{}], {}))[1]", out, forms_.expression(finish));
  }

  // Each match becomes the text before it and the lambda of its groups; a NULL makes it all NULL.
  std::string regexp_replace() const {
    std::string item = forms_.fresh();
    return fmt::format(
        "trino_all_joined(list_transform(aichemy_regexp_matches({}, {}), lambda {}: {}.before || "
        "CASE WHEN {}.groups IS NULL THEN '' ELSE {} END))",
        argument(0), argument(1), item, item, item,
        forms_.body(*call_.args[2], {item + ".groups"}));
  }

  // split_to_map with a function for duplicate keys: it folds their values from left to right.
  std::string split_merge() const {
    std::string item = forms_.fresh(), a = forms_.fresh(), b = forms_.fresh();
    return fmt::format(
        "map_from_entries(list_transform(map_entries(trino_gather(aichemy_split_pairs({}, {}, {}, "
        "1))), lambda {}: struct_pack(k := {}.key, v := list_reduce({}.value, lambda {}, {}: "
        "{}))))",
        argument(0), argument(1), argument(2), item, item, item, a, b,
        forms_.body(*call_.args[3], {item + ".key", a, b}));
  }

  std::string zip() const {
    std::string item = forms_.fresh(), lengths, fields, nulls;
    for (size_t i = 0; i < call_.args.size(); ++i) {
      lengths += fmt::format("{}len({})", i ? ", " : "", argument(i));
      fields += fmt::format("{}f{} := ({})[{}]", i ? ", " : "", i, argument(i), item);
      nulls += fmt::format("{}{} IS NULL", i ? " OR " : "", argument(i));
    }
    return fmt::format(
        "CASE WHEN NOT ({}) THEN list_transform(range(1, greatest({}) + 1), lambda {}: "
        "struct_pack({})) END",
        nulls, lengths, item, fields);
  }

  std::string zip_with() const {
    std::string item = forms_.fresh(), first = argument(0), second = argument(1);
    return fmt::format(
        "CASE WHEN {0} IS NOT NULL AND {1} IS NOT NULL THEN list_transform(range(1, "
        "greatest(len({0}), len({1})) + 1), lambda {2}: {3}) END",
        first, second, item,
        forms_.body(*call_.args[2],
                    {fmt::format("({})[{}]", first, item), fmt::format("({})[{}]", second, item)}));
  }

  // Every element's rank is the number of those before it: any comparator is obeyed.
  std::string array_sort() const {
    std::string x = forms_.fresh(), i = forms_.fresh(), y = forms_.fresh(), j = forms_.fresh(),
                pair = forms_.fresh(), list = argument(0);
    std::string order = forms_.body(*call_.args[1], {y, x});
    return fmt::format(
        "list_transform(list_sort(list_transform({0}, lambda {1}, {2}: struct_pack(r := "
        "len(list_filter({0}, lambda {3}, {4}: (CASE WHEN ({5}) IN (-1, 0, 1) THEN {5} ELSE "
        "trino_fail('INVALID_FUNCTION_ARGUMENT', 'Lambda comparator must return either -1, 0, or "
        "1') END) < 0 OR (({5}) = 0 AND {4} < {2}))), v := {1}))), lambda {6}: {6}.v)",
        list, x, i, y, j, order, pair);
  }

  std::string map_filter() const {
    std::string item = forms_.fresh();
    return fmt::format("map_from_entries(list_filter(map_entries({}), lambda {}: {}))", argument(0),
                       item, forms_.body(*call_.args[1], {item + ".key", item + ".value"}));
  }

  std::string transform_values() const {
    std::string item = forms_.fresh();
    return fmt::format(
        "map_from_entries(list_transform(map_entries({}), lambda {}: struct_pack(k := {}.key, v := "
        "{})))",
        argument(0), item, item, forms_.body(*call_.args[1], {item + ".key", item + ".value"}));
  }

  std::string transform_keys() const {
    std::string item = forms_.fresh();
    return checked(
        fmt::format("list_transform(map_entries({}), lambda {}: struct_pack(k := {}, v := "
                    "{}.value))",
                    argument(0), item,
                    forms_.body(*call_.args[1], {item + ".key", item + ".value"}), item),
        call_.args[1]->type.fields.back().type);
  }

  std::string map_from_entries() const {
    std::string item = forms_.fresh();
    return checked(
        fmt::format("list_transform({}, lambda {}: CASE WHEN {} IS NULL THEN "
                    "trino_fail('INVALID_FUNCTION_ARGUMENT', 'map entry cannot be null') ELSE "
                    "struct_pack(k := {}.f0, v := {}.f1) END)",
                    argument(0), item, item, item, item),
        call_.args[0]->type.element().fields[0].type);
  }

  std::string map_zip_with() const {
    std::string key = forms_.fresh(), first = argument(0), second = argument(1);
    return fmt::format(
        "map_from_entries(list_transform(trino_distinct(list_concat(map_keys({0}), "
        "map_keys({1}))), lambda {2}: struct_pack(k := {2}, v := {3})))",
        first, second, key,
        forms_.body(*call_.args[2], {key, fmt::format("({})[{}]", first, key),
                                     fmt::format("({})[{}]", second, key)}));
  }

  // Both sides named once; the third argument compares two items.
  std::string array_equal() const {
    std::string pair = forms_.fresh(), i = forms_.fresh();
    std::string a = pair + ".a", b = pair + ".b";
    const Type& item = call_.args[0]->type.element();
    bool plain = item.fields.empty() && !item.is(TypeKind::double_) && !item.is(TypeKind::real) &&
                 !item.is(TypeKind::number);
    std::string whole =
        fmt::format("len({0}) = list_count({0}) AND len({1}) = list_count({1})", a, b);
    return fmt::format(
        "(list_transform([struct_pack(a := {}, b := {})], lambda {}: CASE WHEN {} IS NULL OR {} IS "
        "NULL THEN NULL WHEN len({}) <> len({}) THEN FALSE {} ELSE "
        "trino_all_match(list_transform(range(1, len({}) + 1), lambda {}: {})) END))[1]",
        argument(0), argument(1), pair, a, b, a, b,
        plain ? fmt::format("WHEN {} THEN {} = {}", whole, a, b) : "", a, i,
        forms_.body(*call_.args[2], {fmt::format("{}[{}]", a, i), fmt::format("{}[{}]", b, i)}));
  }

  std::string map_equal() const {
    std::string pair = forms_.fresh(), e = forms_.fresh();
    std::string a = pair + ".a", b = pair + ".b";
    return fmt::format(
        "(list_transform([struct_pack(a := {0}, b := {1})], lambda {2}: CASE WHEN {3} IS NULL OR "
        "{4} IS NULL THEN NULL WHEN cardinality({3}) <> cardinality({4}) THEN FALSE ELSE "
        "trino_all_match(list_transform(map_entries({3}), lambda {5}: CASE WHEN NOT "
        "map_contains({4}, {5}.key) THEN FALSE ELSE {6} END)) END))[1]",
        argument(0), argument(1), pair, a, b, e,
        forms_.body(*call_.args[2], {e + ".value", fmt::format("{}[{}.key]", b, e)}));
  }

  // The text of the first item of a list that came before.
  std::string duplicate0() const { return duplicate(argument(0), call_.args[0]->type.element()); }

 private:
  const NestedForms& forms_;
  const Bound& call_;

  std::string argument(size_t i) const { return forms_.expression(*call_.args[i]); }

  std::string duplicate(const std::string& keys, const Type& type) const {
    std::string x = forms_.fresh(), i = forms_.fresh();
    return text_of(fmt::format("(list_filter({0}, lambda {1}, {2}: list_position({0}, {1}) < "
                               "{2}))[1]",
                               keys, x, i),
                   type, 0);
  }

  // A list of {k, v} as a map, its text named once.
  std::string checked(const std::string& entries, const Type& key) const {
    std::string whole = forms_.fresh(), item = forms_.fresh();
    std::string keys = fmt::format("list_transform({}, lambda {}: {}.k)", whole, item, item);
    return fmt::format("(list_transform([{}], lambda {}: trino_entries({}, {})))[1]", entries,
                       whole, whole, duplicate(keys, key));
  }

  // Values as Trino's messages show them.
  std::string text_of(const std::string& value, const Type& type, int depth) const {
    std::string item = forms_.fresh();
    if (type.is(TypeKind::array)) {
      return fmt::format(
          "('[' || array_to_string(list_transform({}, lambda {}: COALESCE({}, 'null')), ', ') || "
          "']')",
          value, item, text_of(item, type.element(), depth + 1));
    }
    if (type.is(TypeKind::map)) {
      return fmt::format(
          "('{{' || array_to_string(list_transform(map_entries({}), lambda {}: {} || '=' || "
          "COALESCE({}, 'null')), ', ') || '}}')",
          value, item, text_of(item + ".key", type.key(), depth + 1),
          text_of(item + ".value", type.value(), depth + 1));
    }
    if (type.is(TypeKind::row)) {
      std::string parts;
      for (size_t i = 0; i < type.fields.size(); ++i)
        parts +=
            fmt::format("{}COALESCE({}, 'null')", i ? " || ', ' || " : "",
                        text_of(fmt::format("({}).f{}", value, i), type.fields[i].type, depth + 1));
      return fmt::format("('[' || {} || ']')", parts);
    }
    if (type.is(TypeKind::double_)) return fmt::format("aichemy_double_json({})", value);
    if (type.is(TypeKind::real)) return fmt::format("aichemy_float_json({})", value);
    if (!can_cast(type, Type::varchar())) return fmt::format("CAST({} AS VARCHAR)", value);
    return render_cast(value, type, Type::varchar(), *forms_.options);
  }
};

struct FormRow {
  std::string_view name;
  std::string (Nested::*render)() const;
};
constexpr FormRow kForms[] = {
    {"array_equal", &Nested::array_equal},
    {"array_sort", &Nested::array_sort},
    {"duplicate0", &Nested::duplicate0},
    {"map_equal", &Nested::map_equal},
    {"map_filter", &Nested::map_filter},
    {"map_from_entries", &Nested::map_from_entries},
    {"map_zip_with", &Nested::map_zip_with},
    {"reduce", &Nested::reduce},
    {"regexp_replace", &Nested::regexp_replace},
    {"split_merge", &Nested::split_merge},
    {"transform_keys", &Nested::transform_keys},
    {"transform_values", &Nested::transform_values},
    {"zip", &Nested::zip},
    {"zip_with", &Nested::zip_with},
};

}  // namespace

std::string render_nested(const NestedForms& forms, const std::string& name, const Bound& call) {
  for (const auto& row : kForms) {
    if (row.name == name) return (Nested(forms, call).*row.render)();
  }
  CHECK(false);
  return {};
}

// Lists side by side, the shorter ones filled with NULL.
std::string render_unnest(const Plan& plan,
                          const std::function<std::string(const Bound&)>& expression,
                          const std::string& source) {
  std::string inner, outer, longest;
  size_t column = 0, part = 0;
  auto add = [&](const std::string& item) {
    inner += fmt::format("{}{} AS e{}", inner.empty() ? "" : ", ", item, part);
    return part++;
  };
  auto show = [&](const std::string& value) {
    outer += fmt::format("{}{} AS c{}", outer.empty() ? "" : ", ", value, column++);
  };
  for (const auto& argument : plan.arguments) {
    std::string value = expression(*argument);
    std::string keys =
        argument->type.is(TypeKind::map) ? fmt::format("map_keys({})", value) : value;
    longest += fmt::format("{}COALESCE(len({}), 0)", longest.empty() ? "" : ", ", keys);
    if (argument->type.is(TypeKind::map)) {
      show(fmt::format("u.e{}", add(fmt::format("unnest({})", keys))));
      show(fmt::format("u.e{}", add(fmt::format("unnest(map_values({}))", value))));
    } else if (argument->type.element().is(TypeKind::row)) {
      size_t at = add(fmt::format("unnest({})", value));
      for (size_t i = 0; i < argument->type.element().fields.size(); ++i)
        show(fmt::format("u.e{}.f{}", at, i));
    } else {
      show(fmt::format("u.e{}", add(fmt::format("unnest({})", value))));
    }
  }
  if (plan.ordinality) {
    show(fmt::format(
        "u.e{}",
        add(fmt::format("unnest(generate_series(CAST(1 AS BIGINT), greatest({})))", longest))));
  }
  return fmt::format("LATERAL (SELECT {} FROM (SELECT {}{}{}) AS u) AS r{}", outer, inner,
                     source.empty() ? "" : " FROM ", source, plan.relation);
}

}  // namespace aichemy::sql
