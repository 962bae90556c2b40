// Which columns of which tables are worth keeping decoded in memory, told by what statements read.
// Holds no rows itself (column_cache.h does). Not thread safe; times are passed in.
//
// A column is wanted once its table's state was read kReadsBeforeLoad times. When more columns are
// wanted than are loaded, all of the table are, if it is not too large. A table that changes before
// what was loaded of it has paid for the loading needs twice as many reads the next time.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"

namespace aichemy::sql {

// One statement's read of a table.
struct ColumnRead {
  std::string table;            // for as long as the table lives
  std::string state;            // of its rows and columns: another one after each change
  std::vector<size_t> columns;  // by number
  size_t columns_total = 0;
  uint64_t file_bytes = 0;  // of all files of the state
  bool whole = false;       // no file is left out; what reads a part gains little from memory
};

class ColumnCachePolicy {
 public:
  static constexpr uint32_t kReadsBeforeLoad = 2;
  static constexpr uint32_t kReadsBeforeLoadMax = 32;
  static constexpr uint32_t kServedToPay = 4;  // reads that make up for one load
  static constexpr size_t kTablesMax = 1024;   // that are watched
  static constexpr std::chrono::minutes kIdle{5};

  explicit ColumnCachePolicy(uint64_t bytes_max) : bytes_max_(bytes_max) {}

  // The columns to load now, with those that are loaded already, in ascending order; empty: none.
  // While that is done nothing more is wanted of the table.
  std::vector<size_t> read(const ColumnRead& read, SteadyTime now);
  // Some statement was answered from memory.
  void served(const std::string& table, SteadyTime now);
  // Whether it is still of use to load that state.
  bool wanted(const std::string& table, const std::string& state) const;
  // How the loading ended. `bytes` in memory, of `state`. Whether it is to be kept: not when the
  // table has changed meanwhile.
  bool loaded(const std::string& table, const std::string& state, std::vector<size_t> columns,
              uint64_t bytes, SteadyTime now);
  void failed(const std::string& table);
  // Tables to let go of, which it does not count any more: those of an earlier state, those that
  // nobody read for a while, and the least recently read until the others fit.
  std::vector<std::string> to_drop(SteadyTime now);

  uint64_t bytes() const { return bytes_; }

 private:
  struct Watched {
    std::string state;
    std::map<size_t, uint32_t> reads;  // of all of the state, by column
    uint32_t reads_before_load = kReadsBeforeLoad;
    bool loading = false;
    std::string loaded_state;
    std::set<size_t> loaded;  // empty: nothing
    uint64_t bytes = 0;       // of what is loaded
    uint32_t served = 0;      // since it was loaded
    SteadyTime last_read;
  };

  uint64_t bytes_max_;
  uint64_t bytes_ = 0;
  std::map<std::string, Watched> tables_;

  static void put_off(Watched& table);
  void forget_one();
  void unload(Watched& table);
};

}  // namespace aichemy::sql
