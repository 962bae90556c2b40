// An engine whose lack of memory is one statement's own: errors are told in the words of the limit
// that was reached.
#pragma once

#include <memory>
#include <string>

#include "sql/engine/engine.h"

namespace aichemy::sql {

struct MemoryLimit {
  uint64_t bytes = 0;
  bool per_node = false;  // else of the query in all nodes
  std::string message;    // what reached it, without the engine's reason
};

// The engine's lack of memory in the words of the limit; any other error as it is.
Error in_words_of(const MemoryLimit& limit, Error error);
// Rows and what else comes from the engine keep it alive.
std::shared_ptr<Engine> limited_engine(std::shared_ptr<Engine> engine, MemoryLimit limit);

}  // namespace aichemy::sql
