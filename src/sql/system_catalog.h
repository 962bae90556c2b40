// Tables that are made on the spot: information_schema in every catalog, and the `system` catalog
// (jdbc, metadata, runtime), as far as drivers and tools read them.
#pragma once

#include <memory>
#include <string>

#include "sql/analysis/access.h"
#include "sql/connectors/connector.h"
#include "sql/executor.h"

namespace aichemy::sql {

// `all` may be filled after this returns; it is read when tables are.
std::unique_ptr<Connector> make_system_catalog(const ExecutorOptions& options, const Catalogs& all);
// The connector with an information_schema beside its own schemas.
std::unique_ptr<Connector> with_information_schema(const ExecutorOptions& options,
                                                   const std::string& catalog, Connector& inner);

// The caller with the roles that are enabled by default: what a session has chosen does not reach
// listings.
Identity default_identity(const ExecutorOptions& options, const Call& call);
// Whether a schema (with an empty table) or a table is shown in listings at all.
bool is_visible(const ExecutorOptions& options, const Identity& who, const AccessObject& object);
// Columns of a table that are shown in no listing.
std::set<std::string> hidden_columns(const ExecutorOptions& options, const Identity& who,
                                     const AccessObject& table);

}  // namespace aichemy::sql
