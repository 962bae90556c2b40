// Files that the configuration names for SQL. Errors: those of the disk, and invalid ("config")
// naming the file.
#pragma once

#include <memory>
#include <vector>

#include "app/config.h"
#include "jobs/topic_catalog.h"
#include "runtime/disk.h"
#include "sql/access_rules.h"

namespace aichemy::app {

// sql.kafka_tables: every *.json of the folder.
Result<std::vector<jobs::TopicTable>> read_topic_tables(const Config& config, Disk& disk);

// sql.access_rules and sql.groups; none when no rules are named.
Result<std::unique_ptr<sql::AccessControl>> read_access_rules(const Config& config, Disk& disk);

}  // namespace aichemy::app
