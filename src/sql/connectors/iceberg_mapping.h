// Between Trino's and Iceberg's types, values, predicates and table properties. Private to the
// Iceberg connector.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "sql/connectors/connector.h"
#include "tables/types.h"
#include "tables/value.h"

namespace aichemy::sql {

Type trino_type(const tables::Type& type);
// Types that Iceberg lacks become the nearest it has (tinyint: integer, timestamp(3): timestamp(6),
// char: varchar), as Trino does; unsupported ("NOT_SUPPORTED") when there is none. Field ids count
// on from *last_id.
Result<tables::Type> iceberg_type(const Type& type, int* last_id);
FieldId field_id_of(const tables::Field& field);

// The predicate's value as the column's type stores it; none when it does not fit.
std::optional<tables::Value> iceberg_value(const Value& value, const tables::Type& type);
// What DuckDB prints for a value of the type's physical form; none when it cannot be read back
// exactly.
std::optional<tables::Value> value_from_engine_text(const std::string& text,
                                                    const tables::Type& type);
// What can be said of the conjuncts over the schema's columns, by position.
tables::Predicate predicate_of(const std::vector<Conjunct>& conjuncts,
                               const tables::Schema& schema);
// Whether that is all of it.
bool says_all(const std::vector<Conjunct>& conjuncts, const tables::Schema& schema);

// The Iceberg connector's table properties: applied to a table about to be made, and read off one
// that exists. invalid ("INVALID_TABLE_PROPERTY").
Status apply_properties(const Properties& properties, catalog::CreateTable* table);
Properties shown_properties(const tables::iceberg::TableMetadata& metadata);

}  // namespace aichemy::sql
