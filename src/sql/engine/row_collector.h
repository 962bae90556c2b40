// The end of a statement's pipelines: the engine's threads write its rows as the protocol's JSON
// while they are in the processor's cache, and the thread that asks takes the finished text. With
// the engine's own collector each chunk is copied into a buffer and read by one thread, which wakes
// the others again for every chunk.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <duckdb/main/client_config.hpp>
#include <duckdb/parallel/interrupt.hpp>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "sql/engine/engine.h"

namespace aichemy::sql {

// Bounded: threads that are ahead of the client by kRowsAheadBytes stop until half of that is left.
// A piece holds one more chunk than it should, at most. All methods may be called from any thread.
class RowQueue {
 public:
  struct Piece {
    std::string rows_json;  // "[v,v],[v,v]"
    uint64_t rows = 0;
  };

  explicit RowQueue(std::vector<OutputColumn> columns) : columns_(std::move(columns)) {}
  const std::vector<OutputColumn>& columns() const { return columns_; }

  // False: `blocked` is called back when there is room.
  bool has_room(const duckdb::InterruptState& blocked);
  void put(Piece piece);

  // Appends pieces to the page, whose text is an array without its end, until it holds max_bytes.
  void take(Page& page, size_t max_bytes);
  // Until there is a piece, or that long.
  void wait(std::chrono::microseconds most);

 private:
  const std::vector<OutputColumn> columns_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Piece> pieces_;
  size_t bytes_ = 0;
  std::vector<duckdb::InterruptState> blocked_;
};

// How the thread that asks waits while the engine's own threads have all the work there is: DuckDB
// would have it poll, on a processor that they, or the drives they write to, could use.
class Backoff {
 public:
  void worked() { idle_ = 0; }
  // Calls wait(duration) once yielding was not enough.
  template <class Wait>
  void idled(Wait wait) {
    constexpr int kYields = 8;
    constexpr std::chrono::microseconds kFirst{20}, kMost{320};
    if (++idle_ <= kYields) return std::this_thread::yield();
    wait(std::min(kMost, kFirst * (1 << std::min(idle_ - kYields, 4))));
  }

 private:
  int idle_ = 0;
};

// For ClientConfig::get_result_collector of a connection whose statements are not streamed. Rows
// keep their order where the statement has one.
duckdb::get_result_collector_t collect_rows_into(std::shared_ptr<RowQueue> rows);

}  // namespace aichemy::sql
