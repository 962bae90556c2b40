#include "sql/engine/column_cache_policy.h"

#include <algorithm>
#include <utility>

namespace aichemy::sql {

std::vector<size_t> ColumnCachePolicy::read(const ColumnRead& read, SteadyTime now) {
  if (!tables_.contains(read.table) && tables_.size() >= kTablesMax) forget_one();
  Watched& table = tables_[read.table];
  table.last_read = now;
  if (table.state != read.state) {
    if (!table.loaded.empty()) put_off(table);
    table.state = read.state;
    table.reads.clear();
  }
  if (!read.whole) return {};
  bool often = true, there = table.loaded_state == read.state;
  for (size_t column : read.columns) {
    often &= ++table.reads[column] >= table.reads_before_load;
    there &= table.loaded.contains(column);
  }
  if (!often || there || table.loading) return {};
  bool again = table.loaded_state == read.state;
  std::set<size_t> wanted;
  if (again && read.file_bytes <= bytes_max_ / 2) {
    for (size_t column = 0; column < read.columns_total; ++column) wanted.insert(column);
  } else {
    if (again) wanted = table.loaded;
    for (const auto& [column, count] : table.reads)
      if (count >= table.reads_before_load) wanted.insert(column);
  }
  // Columns in memory are about as large as in the files.
  uint64_t total = std::max<size_t>(read.columns_total, 1);
  if (read.file_bytes / total * wanted.size() > bytes_max_) return {};
  table.loading = true;
  return {wanted.begin(), wanted.end()};
}

// Loading it has not paid: the next time it needs more reads.
void ColumnCachePolicy::put_off(Watched& table) {
  table.reads_before_load = table.served >= kServedToPay
                                ? kReadsBeforeLoad
                                : std::min(2 * table.reads_before_load, kReadsBeforeLoadMax);
  table.reads.clear();
}

// The table that has not been read for the longest time, of those that hold no memory.
void ColumnCachePolicy::forget_one() {
  auto oldest = tables_.end();
  for (auto at = tables_.begin(); at != tables_.end(); ++at) {
    if (!at->second.loaded.empty() || at->second.loading) continue;
    if (oldest == tables_.end() || at->second.last_read < oldest->second.last_read) oldest = at;
  }
  if (oldest != tables_.end()) tables_.erase(oldest);
}

void ColumnCachePolicy::served(const std::string& name, SteadyTime now) {
  auto table = tables_.find(name);
  if (table == tables_.end()) return;
  ++table->second.served;
  table->second.last_read = now;
}

bool ColumnCachePolicy::wanted(const std::string& name, const std::string& state) const {
  auto table = tables_.find(name);
  return table != tables_.end() && table->second.state == state;
}

bool ColumnCachePolicy::loaded(const std::string& name, const std::string& state,
                               std::vector<size_t> columns, uint64_t bytes, SteadyTime now) {
  if (!wanted(name, state)) {
    failed(name);
    return false;
  }
  Watched& table = tables_[name];
  unload(table);
  table.loading = false;
  table.loaded_state = state;
  table.loaded = {columns.begin(), columns.end()};
  table.bytes = bytes;
  table.last_read = now;
  bytes_ += bytes;
  return true;
}

void ColumnCachePolicy::failed(const std::string& name) {
  auto table = tables_.find(name);
  if (table == tables_.end()) return;
  table->second.loading = false;
  table->second.served = 0;
  put_off(table->second);
}

void ColumnCachePolicy::unload(Watched& table) {
  bytes_ -= table.bytes;
  table.bytes = 0;
  table.served = 0;
  table.loaded.clear();
  table.loaded_state.clear();
}

std::vector<std::string> ColumnCachePolicy::to_drop(SteadyTime now) {
  std::vector<std::pair<SteadyTime, std::string>> kept;
  std::vector<std::string> out;
  for (auto& [name, table] : tables_) {
    if (table.loaded.empty()) continue;
    if (now - table.last_read < kIdle && table.loaded_state == table.state) {
      kept.emplace_back(table.last_read, name);
      continue;
    }
    unload(table);
    out.push_back(name);
  }
  std::ranges::sort(kept);
  for (size_t i = 0; i < kept.size() && bytes_ > bytes_max_; ++i) {
    Watched& table = tables_[kept[i].second];
    put_off(table);
    unload(table);
    out.push_back(kept[i].second);
  }
  return out;
}

}  // namespace aichemy::sql
