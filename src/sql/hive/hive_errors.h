// The Metastore's errors in the words of the connector's interface. Private to the module.
#pragma once

#include "base/result.h"

namespace aichemy::sql {

Error hive_words(Error error);
Status hive_words(Status status);
template <class T>
Result<T> hive_words(Result<T> result) {
  if (result) return result;
  return std::unexpected(hive_words(result.error()));
}

}  // namespace aichemy::sql
