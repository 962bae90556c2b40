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

// A column's default as Iceberg writes it, from the JSON that the protocol has for the value.
// unsupported ("NOT_SUPPORTED") below format version 3 and for nested types.
Result<Json> default_json(const std::string& json, const tables::Type& type, int format_version);

// The other way; none without one.
std::optional<std::string> shown_default(const tables::Field& field);

// What apply_properties() knows.
std::vector<PropertyInfo> table_properties();

// The Iceberg connector's table properties: applied to a table about to be made, and read off one
// that exists. invalid ("INVALID_TABLE_PROPERTY").
Status apply_properties(const Properties& properties, catalog::CreateTable* table);
// The updates that set these properties of a table that exists and give others back their default.
// unsupported ("NOT_SUPPORTED") for a property that stays what it was made.
Result<std::vector<tables::iceberg::Update>> changed_properties(
    const tables::iceberg::TableMetadata& metadata, const Properties& properties,
    const std::vector<std::string>& reset);
Properties shown_properties(const tables::iceberg::TableMetadata& metadata);

}  // namespace aichemy::sql
