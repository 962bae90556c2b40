#include "sql/access_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <regex>

#include "base/json.h"

namespace aichemy::sql {
namespace {

struct Pattern {
  std::optional<std::regex> expression;  // none: everything
  bool matches(const std::string& text) const {
    return !expression || std::regex_match(text, *expression);
  }
};

struct Rule {
  Pattern user, role, group, catalog, schema, table, property, owner, new_user, new_role, name;
  bool has_role = false, has_group = false, has_new_user = false, has_new_role = false;
  std::string new_user_text;
  int level = 0;  // catalogs: 0 none, 1 read-only, 2 all
  bool allow = true;
  std::set<std::string> words;  // privileges, query rights; upper case
  std::set<std::string> hidden_columns;
  RowRules rows;

  bool is_for(const Identity& who, const std::set<std::string>& groups) const {
    auto any = [](const std::set<std::string>& names, const Pattern& pattern) {
      return std::ranges::any_of(names, [&](const auto& name) { return pattern.matches(name); });
    };
    return user.matches(who.user) && (!has_role || any(who.roles, role)) &&
           (!has_group || any(groups, group));
  }
  bool is_on(const AccessObject& object) const {
    return catalog.matches(object.catalog) && schema.matches(object.schema) &&
           table.matches(object.table);
  }
};
using Section = std::optional<std::vector<Rule>>;

std::unexpected<Error> broken(const std::string& where, const std::string& why) {
  return fail(Code::invalid, "access_rules", fmt::format("access rules: {}: {}", where, why));
}

Result<Pattern> pattern_of(const std::string& where, const Json& value) {
  if (!value.is_string()) return broken(where, "a pattern must be text");
  try {
    return Pattern{std::regex(std::string(value.as_string()), std::regex::ECMAScript)};
  } catch (const std::regex_error&) {
    return broken(where, fmt::format("'{}' is not a pattern", value.as_string()));
  }
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

struct PatternKey {
  const char* key;
  Pattern Rule::* member;
};
constexpr PatternKey kPatterns[] = {
    {"user", &Rule::user},        {"original_user", &Rule::user},
    {"role", &Rule::role},        {"original_role", &Rule::role},
    {"group", &Rule::group},      {"original_group", &Rule::group},
    {"catalog", &Rule::catalog},  {"schema", &Rule::schema},
    {"table", &Rule::table},      {"property", &Rule::property},
    {"queryOwner", &Rule::owner}, {"new_role", &Rule::new_role},
    {"function", &Rule::name},    {"procedure", &Rule::name},
};

struct SectionRow {
  const char* name;
  std::vector<std::string_view> keys;
};

const std::vector<SectionRow>& section_rows() {
  static const std::vector<SectionRow> kRows = {
      {"catalogs", {"user", "role", "group", "catalog", "allow"}},
      {"schemas", {"user", "role", "group", "catalog", "schema", "owner"}},
      {"tables",
       {"user", "role", "group", "catalog", "schema", "table", "privileges", "columns", "filter",
        "filter_environment"}},
      {"functions", {"user", "role", "group", "catalog", "schema", "function", "privileges"}},
      {"procedures", {"user", "role", "group", "catalog", "schema", "procedure", "privileges"}},
      {"system_session_properties", {"user", "role", "group", "property", "allow"}},
      {"catalog_session_properties", {"user", "role", "group", "catalog", "property", "allow"}},
      {"queries", {"user", "role", "group", "queryOwner", "allow"}},
      {"impersonation", {"original_user", "original_role", "new_user", "allow"}},
      {"system_information", {"user", "role", "allow"}},
      {"authorization",
       {"original_user", "original_role", "original_group", "new_user", "new_role", "allow"}},
  };
  return kRows;
}

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}
std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

Result<RowExpression> row_expression(const Json& sql, const Json& environment) {
  RowExpression made{std::string(sql.as_string()), std::nullopt};
  if (environment.is_object() && environment["user"].is_string())
    made.user = std::string(environment["user"].as_string());
  return made;
}

Status read_columns(const std::string& where, const Json& columns, Rule* rule) {
  for (const Json& column : columns.as_array()) {
    if (!column["name"].is_string()) return broken(where, "a column needs a name");
    std::string name = lower(std::string(column["name"].as_string()));
    for (const auto& [key, value] : column.as_object()) {
      if (key == "allow") {
        if (!value.as_bool(true)) rule->hidden_columns.insert(name);
      } else if (key == "mask") {
        ASSIGN_OR_RETURN(rule->rows.masks[name], row_expression(value, column["mask_environment"]));
      } else if (key != "name" && key != "mask_environment") {
        return broken(where, fmt::format("columns have no '{}'", key));
      }
    }
  }
  return {};
}

Status read_allow(const std::string& section, const std::string& where, const Json& value,
                  Rule* rule) {
  if (value.is_array()) {
    for (const Json& word : value.as_array())
      rule->words.insert(upper(std::string(word.as_string())));
    return {};
  }
  if (section != "catalogs") {
    if (!value.is_bool()) return broken(where, "allow must be true or false");
    rule->allow = value.as_bool();
    return {};
  }
  std::string level =
      value.is_bool() ? (value.as_bool() ? "all" : "none") : lower(std::string(value.as_string()));
  if (level != "all" && level != "read-only" && level != "none")
    return broken(where, "allow must be all, read-only or none");
  rule->level = level == "all" ? 2 : level == "read-only" ? 1 : 0;
  return {};
}

Result<Rule> read_rule(const SectionRow& section, const std::string& where, const Json& json) {
  Rule rule;
  rule.allow = std::string_view(section.name) == "impersonation" ||
               std::string_view(section.name) == "authorization";
  for (const auto& [key, value] : json.as_object()) {
    if (std::ranges::find(section.keys, key) == section.keys.end())
      return broken(where, fmt::format("there is no '{}'", key));
    for (const auto& row : kPatterns) {
      if (key == row.key) {
        ASSIGN_OR_RETURN(rule.*row.member, pattern_of(where, value));
      }
    }
    if (key == "role" || key == "original_role") rule.has_role = true;
    // ".*" is for those without a group too.
    if (key == "group" || key == "original_group") rule.has_group = value.as_string() != ".*";
    if (key == "new_role") rule.has_new_role = true;
    if (key == "new_user") {
      ASSIGN_OR_RETURN(rule.new_user, pattern_of(where, value));
      rule.has_new_user = true;
    }
    if (key == "allow") RETURN_IF_ERROR(read_allow(section.name, where, value, &rule));
    if (key == "owner") rule.allow = value.as_bool();
    if (key == "privileges") {
      for (const Json& word : value.as_array())
        rule.words.insert(upper(std::string(word.as_string())));
    }
    if (key == "columns") RETURN_IF_ERROR(read_columns(where, value, &rule));
    if (key == "filter") {
      ASSIGN_OR_RETURN(auto filter, row_expression(value, json["filter_environment"]));
      rule.rows.filters.push_back(std::move(filter));
    }
  }
  return rule;
}

class FileRules final : public AccessControl {
 public:
  std::map<std::string, Section> sections;
  UserGroups user_groups;

  Result<bool> allows(const Identity& who, Right right, bool writes,
                      const AccessObject& object) const override {
    if (!object.catalog.empty() && !catalog(who, object.catalog, writes ? 2 : 1)) return false;
    switch (right) {
      case Right::none: return true;
      case Right::visible: return visible(who, object);
      case Right::own_schema: return owns_schema(who, object);
      case Right::create:
      case Right::own:
        return object.table.empty() ? owns_schema(who, object) : table(who, object, "OWNERSHIP");
      case Right::select: return table(who, object, "SELECT");
      case Right::insert: return table(who, object, "INSERT");
      case Right::remove: return table(who, object, "DELETE");
      case Right::update: return table(who, object, "UPDATE");
      case Right::kill: return true;
      case Right::administer: return false;  // roles are not this file's: as in Trino
    }
    return false;
  }

  Result<bool> allows_action(const Identity& who, Action action, const AccessObject& object,
                             const std::string& detail) const override {
    switch (action) {
      case Action::execute_query:
      case Action::kill_query: return query(who, action, detail);
      case Action::system_property:
        return flag(who, "system_session_properties",
                    [&](const Rule& rule) { return rule.property.matches(detail); });
      case Action::catalog_property:
        return flag(who, "catalog_session_properties", [&](const Rule& rule) {
          return rule.property.matches(detail) && rule.catalog.matches(object.catalog);
        });
      case Action::execute_procedure: return procedure(who, object);
      case Action::execute_function: return executes(who, object);
      case Action::impersonate: return impersonates(who, detail);
      case Action::schema_authorization:
      case Action::table_authorization:
      case Action::view_authorization: return authorization(who, detail);
      case Action::rename_table:
      case Action::rename_view: {
        size_t dot = detail.rfind('.');
        AccessObject to = object;
        if (dot != std::string::npos) to.table = detail.substr(dot + 1);
        if (size_t first = detail.find('.'); dot != std::string::npos && first < dot)
          to.schema = detail.substr(first + 1, dot - first - 1);
        return table(who, to, "OWNERSHIP");
      }
      default: return true;
    }
  }

  Result<bool> allows_columns(const Identity& who, const AccessObject& object,
                              const std::set<std::string>& columns, bool grant) const override {
    if (!catalog(who, object.catalog, 1)) return false;
    if (open(object) || !section("tables")) return true;
    const Rule* rule = table_rule(who, object);
    if (!rule) return false;
    if (grant && !rule->words.contains("GRANT_SELECT")) return false;
    if (!rule->words.contains("SELECT") && !rule->words.contains("GRANT_SELECT")) return false;
    return std::ranges::none_of(
        columns, [&](const auto& column) { return rule->hidden_columns.contains(column); });
  }

  std::set<std::string> hidden_columns(const Identity& who,
                                       const AccessObject& object) const override {
    const Rule* rule = open(object) || !section("tables") ? nullptr : table_rule(who, object);
    return rule ? rule->hidden_columns : std::set<std::string>();
  }

  std::set<std::string> groups(const Identity& who) const override {
    auto found = user_groups.find(who.user);
    return found == user_groups.end() ? std::set<std::string>() : found->second;
  }

  RowRules row_rules(const Identity& who, const AccessObject& object) const override {
    const Rule* rule = open(object) ? nullptr : table_rule(who, object);
    return rule ? rule->rows : RowRules{};
  }

 private:
  const std::vector<Rule>* section(const char* name) const {
    auto found = sections.find(name);
    return found == sections.end() || !found->second ? nullptr : &*found->second;
  }

  bool is_for(const Rule& rule, const Identity& who) const {
    static const std::set<std::string> kNone;
    auto found = user_groups.find(who.user);
    return rule.is_for(who, found == user_groups.end() ? kNone : found->second);
  }

  static bool open(const AccessObject& object) { return object.schema == "information_schema"; }

  bool catalog(const Identity& who, const std::string& name, int level) const {
    const auto* rules = section("catalogs");
    if (!rules) return true;
    for (const Rule& rule : *rules) {
      if (is_for(rule, who) && rule.catalog.matches(name)) return rule.level >= level;
    }
    return name == "system";
  }

  const Rule* table_rule(const Identity& who, const AccessObject& object) const {
    const auto* rules = section("tables");
    if (!rules) return nullptr;
    for (const Rule& rule : *rules) {
      if (is_for(rule, who) && rule.is_on(object)) return &rule;
    }
    return nullptr;
  }

  bool table(const Identity& who, const AccessObject& object, const char* privilege) const {
    if (open(object) || !section("tables")) return true;
    const Rule* rule = table_rule(who, object);
    return rule && rule->words.contains(privilege);
  }

  bool owns_schema(const Identity& who, const AccessObject& object) const {
    const auto* rules = section("schemas");
    if (!rules) return true;
    for (const Rule& rule : *rules) {
      if (is_for(rule, who) && rule.catalog.matches(object.catalog) &&
          rule.schema.matches(object.schema))
        return rule.allow;
    }
    return false;
  }

  // A table: any privilege. A schema or catalog: of any table there may be in it.
  bool visible(const Identity& who, const AccessObject& object) const {
    if (open(object)) return true;
    const auto* tables = section("tables");
    const auto* schemas = section("schemas");
    if (!tables || (!object.table.empty() && schemas && owns_schema(who, object))) return true;
    for (const Rule& rule : *tables) {
      bool here = is_for(rule, who) && rule.catalog.matches(object.catalog) &&
                  (object.schema.empty() || rule.schema.matches(object.schema)) &&
                  (object.table.empty() || rule.table.matches(object.table));
      if (here && !rule.words.empty()) return true;
      if (here && !object.table.empty()) return false;
    }
    if (!schemas || !object.table.empty()) return false;
    return std::ranges::any_of(*schemas, [&](const Rule& rule) {
      return is_for(rule, who) && rule.allow && rule.catalog.matches(object.catalog) &&
             (object.schema.empty() || rule.schema.matches(object.schema));
    });
  }

  bool flag(const Identity& who, const char* name,
            const std::function<bool(const Rule&)>& fits) const {
    const auto* rules = section(name);
    if (!rules) return true;
    for (const Rule& rule : *rules) {
      if (is_for(rule, who) && fits(rule)) return rule.allow;
    }
    return false;
  }

  // `owner`: of the query to be killed.
  bool query(const Identity& who, Action action, const std::string& owner) const {
    const auto* rules = section("queries");
    if (!rules || (action == Action::kill_query && owner == who.user)) return true;
    const char* word = action == Action::kill_query ? "KILL" : "EXECUTE";
    for (const Rule& rule : *rules) {
      if (is_for(rule, who) && rule.owner.matches(owner)) return rule.words.contains(word);
    }
    return false;
  }

  // Of a schema: what is built in is everybody's.
  bool executes(const Identity& who, const AccessObject& object) const {
    const auto* rules = section("functions");
    return rules && named(*rules, who, object);
  }

  bool procedure(const Identity& who, const AccessObject& object) const {
    const auto* rules = section("procedures");
    return rules ? named(*rules, who, object) : object.catalog == "system";
  }

  bool named(const std::vector<Rule>& rules, const Identity& who,
             const AccessObject& object) const {
    for (const Rule& rule : rules) {
      if (is_for(rule, who) && rule.catalog.matches(object.catalog) &&
          rule.schema.matches(object.schema) && rule.name.matches(object.table))
        return rule.words.contains("EXECUTE");
    }
    return false;
  }

  bool authorization(const Identity& who, const std::string& detail) const {
    const auto* rules = section("authorization");
    if (!rules) return false;
    bool role = detail.starts_with("ROLE ");
    std::string name = detail.substr(std::min(detail.size(), size_t{5}));
    for (const Rule& rule : *rules) {
      bool named = role ? rule.has_new_role && rule.new_role.matches(name)
                        : rule.has_new_user && rule.new_user.matches(name);
      if (is_for(rule, who) && named) return rule.allow;
    }
    return false;
  }

  bool impersonates(const Identity& who, const std::string& user) const {
    const auto* rules = section("impersonation");
    if (!rules) return false;
    for (const Rule& rule : *rules) {
      if (is_for(rule, who) && rule.new_user.matches(user)) return rule.allow;
    }
    return false;
  }
};

}  // namespace

Result<UserGroups> read_user_groups(std::string_view text) {
  UserGroups groups;
  std::set<std::string> named;
  size_t number = 0;
  while (!text.empty()) {
    ++number;
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    line = trimmed(line);
    if (line.empty() || line.starts_with('#')) continue;
    size_t colon = line.find(':');
    std::string group(trimmed(line.substr(0, colon)));
    if (colon == std::string_view::npos || group.empty())
      return fail(Code::invalid, "groups", fmt::format("line {}: not group:user,user", number));
    if (!named.insert(group).second)
      return fail(Code::invalid, "groups", fmt::format("line {}: {} again", number, group));
    for (std::string_view rest = line.substr(colon + 1); !rest.empty();) {
      std::string_view user = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(rest.size(), user.size() + 1));
      user = trimmed(user);
      if (!user.empty()) groups[std::string(user)].insert(group);
    }
  }
  return groups;
}

Result<std::unique_ptr<AccessControl>> read_access_rules(std::string_view text, UserGroups groups) {
  auto json = Json::parse(text);
  if (!json || !json->is_object()) return broken("the file", "it is not a JSON object");
  auto made = std::make_unique<FileRules>();
  made->user_groups = std::move(groups);
  for (const auto& [name, rules] : json->as_object()) {
    const auto& rows = section_rows();
    auto row = std::ranges::find_if(rows, [&](const auto& one) { return name == one.name; });
    if (row == rows.end()) return broken(std::string(name), "there is no such section");
    Section& section = made->sections[std::string(name)];
    section.emplace();
    for (const Json& rule : rules.as_array()) {
      std::string where = fmt::format("{}[{}]", name, section->size());
      ASSIGN_OR_RETURN(Rule read, read_rule(*row, where, rule));
      section->push_back(std::move(read));
    }
  }
  return std::unique_ptr<AccessControl>(std::move(made));
}

}  // namespace aichemy::sql
