#include "metadb/metadb.h"

namespace aichemy::metadb {

int64_t Cell::as_int(int64_t fallback) const {
  const int64_t* value = std::get_if<int64_t>(&value_);
  return value ? *value : fallback;
}

double Cell::as_double(double fallback) const {
  if (const double* value = std::get_if<double>(&value_)) return *value;
  if (const int64_t* value = std::get_if<int64_t>(&value_)) return static_cast<double>(*value);
  return fallback;
}

const std::string& Cell::as_text() const {
  static const std::string kNothing;
  const std::string* value = std::get_if<std::string>(&value_);
  return value ? *value : kNothing;
}

}  // namespace aichemy::metadb
