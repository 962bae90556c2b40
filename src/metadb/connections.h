// What the stores have in common: a transaction on a connection, and the readers' connections.
// Internal.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "metadb/metadb.h"

namespace aichemy::metadb {

// Connection: Status each(sql, parameters, on_row), on_row taking Row& or const Row&; int64_t
// changes().
template <class Connection>
class TransactionOn final : public Transaction {
 public:
  explicit TransactionOn(Connection& connection) : connection_(connection) {}

  Result<int64_t> run(std::string_view sql, const std::vector<Cell>& parameters) override {
    RETURN_IF_ERROR(connection_.each(sql, parameters, [](const Row&) { return true; }));
    return connection_.changes();
  }
  Result<std::vector<Row>> query(std::string_view sql,
                                 const std::vector<Cell>& parameters) override {
    std::vector<Row> rows;
    RETURN_IF_ERROR(connection_.each(sql, parameters, [&](auto& row) {
      rows.push_back(std::move(row));  // a copy where the connection keeps its row
      return true;
    }));
    return rows;
  }
  Status each(std::string_view sql, const std::vector<Cell>& parameters,
              const std::function<bool(const Row&)>& row) override {
    return connection_.each(sql, parameters, row);
  }

 private:
  Connection& connection_;
};

// Connections that readers take turns on. A place may be empty: its taker connects. Thread safe.
template <class Connection>
class ReaderPool {
 public:
  void put(std::unique_ptr<Connection> connection) {
    {
      std::lock_guard lock(mutex_);
      free_.push_back(std::move(connection));
    }
    changed_.notify_one();
  }
  // Waits until one is free.
  std::unique_ptr<Connection> take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !free_.empty(); });
    auto connection = std::move(free_.back());
    free_.pop_back();
    return connection;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<Connection>> free_;
};

}  // namespace aichemy::metadb
