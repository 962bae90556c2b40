// The catalog `tpch`: schemas tiny, sf1, sf100 ... and any sf<number>; tables made while they are
// read (tpch_generator.h). Read only.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "sql/connectors/connector.h"

namespace aichemy::sql {

std::unique_ptr<Connector> make_tpch_connector();
// "tiny" 0.01, "sf1" 1, ...; none for other names.
std::optional<double> tpch_scale(std::string_view schema);

}  // namespace aichemy::sql
