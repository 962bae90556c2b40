#include "app/sql_files.h"

namespace aichemy::app {

Result<std::vector<jobs::TopicTable>> read_topic_tables(const Config& config, Disk& disk) {
  std::vector<jobs::TopicTable> tables;
  const std::string& folder = config.text("sql.kafka_tables");
  if (folder.empty()) return tables;
  ASSIGN_OR_RETURN(auto entries, disk.list(folder));
  for (const auto& entry : entries) {
    if (!entry.name.ends_with(".json")) continue;
    std::string file = folder + "/" + entry.name;
    ASSIGN_OR_RETURN(std::string text, disk.read_file(file));
    ASSIGN_OR_RETURN(jobs::TopicTable table, jobs::read_topic_table(text, file));
    tables.push_back(std::move(table));
  }
  return tables;
}

Result<std::unique_ptr<sql::AccessControl>> read_access_rules(const Config& config, Disk& disk) {
  const std::string& path = config.text("sql.access_rules");
  const std::string& group_file = config.text("sql.groups");
  if (path.empty() && !group_file.empty())
    return fail(Code::invalid, "config", "sql.groups says nothing without sql.access_rules");
  if (path.empty()) return std::unique_ptr<sql::AccessControl>();
  ASSIGN_OR_RETURN(std::string text, disk.read_file(path));
  sql::UserGroups groups;
  if (!group_file.empty()) {
    ASSIGN_OR_RETURN(std::string lines, disk.read_file(group_file));
    auto read = sql::read_user_groups(lines);
    if (!read) return fail(read.error().code, "config", group_file + ": " + read.error().message);
    groups = std::move(*read);
  }
  auto rules = sql::read_access_rules(text, std::move(groups));
  if (!rules) return fail(rules.error().code, "config", path + ": " + rules.error().message);
  return rules;
}

}  // namespace aichemy::app
