// A small load generator for the Hive Metastore's Thrift port (binary protocol, no frames, as real clients speak): kept
// connections, each a thread, one call after another. Prints one JSON line.
//
//   hms_load HOST PORT make DATABASE TABLES CONNECTIONS       a database with tables t0 ... of 20 columns
//   hms_load HOST PORT get DATABASE TABLES CONNECTIONS SECONDS        get_table of each in turn
//   hms_load HOST PORT add DATABASE PARTITIONS               a table `parts` and its partitions, in one add_partitions
//   hms_load HOST PORT partitions DATABASE PARTITIONS CONNECTIONS SECONDS     get_partitions_by_names, 1,000 a call
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "load_socket.h"

namespace {

using Clock = std::chrono::steady_clock;
enum Type : char { kStop = 0, kBool = 2, kByte = 3, kDouble = 4, kShort = 6, kInt = 8, kLong = 10, kText = 11,
                   kStruct = 12, kMap = 13, kSet = 14, kList = 15 };

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "hms_load: %s\n", what.c_str());
  std::exit(1);
}

class Writer {
 public:
  std::string bytes;
  Writer& number(int64_t value, int size) {
    for (int i = size - 1; i >= 0; --i) bytes.push_back(static_cast<char>(value >> (8 * i)));
    return *this;
  }
  Writer& field(Type type, int id) { return number(type, 1).number(id, 2); }
  Writer& raw_text(const std::string& text) {
    number(static_cast<int64_t>(text.size()), 4).bytes += text;
    return *this;
  }
  Writer& text(int id, const std::string& value) { return field(kText, id).raw_text(value); }
  Writer& integer(int id, int value) { return field(kInt, id).number(value, 4); }
  Writer& list(int id, Type item, size_t count) {
    return field(kList, id).number(item, 1).number(static_cast<int64_t>(count), 4);
  }
  Writer& texts(int id, const std::vector<std::string>& values) {
    list(id, kText, values.size());
    for (const auto& value : values) raw_text(value);
    return *this;
  }
  Writer& map(int id, const std::vector<std::pair<std::string, std::string>>& entries) {
    field(kMap, id).number(kText, 1).number(kText, 1).number(static_cast<int64_t>(entries.size()), 4);
    for (const auto& [key, value] : entries) raw_text(key).raw_text(value);
    return *this;
  }
  Writer& stop() { return number(kStop, 1); }
};

std::string call(const std::string& method, const Writer& arguments) {
  Writer out;
  out.number(0x80010001, 4).raw_text(method).number(1, 4).bytes += arguments.bytes;
  return out.stop().bytes;
}

class Connection {
 public:
  Connection(const char* host, int port) : socket_(host, port) {}

  // Items of the answer's list, or 1; an exception ends the program unless it may come.
  size_t exchange(const std::string& request, bool may_fail = false) {
    if (!socket_.send_all(request)) fail("send");
    int64_t kind = number(4) & 0xff;
    take(static_cast<size_t>(number(4)));
    number(4);
    if (kind != 2) fail("the server threw: " + structure_text());
    size_t items = 1;
    for (Type type = next(); type != kStop; type = next()) {
      if (id_ != 0 && !may_fail) fail("the server threw: " + structure_text());
      if (type != kList) {
        skip(type);
        continue;
      }
      Type item = static_cast<Type>(number(1));
      items = static_cast<size_t>(number(4));
      for (size_t i = 0; i < items; ++i) skip(item);
    }
    return items;
  }

 private:
  bench::LoadSocket socket_;
  std::vector<char> buffer_ = std::vector<char>(256 << 10);
  size_t at_ = 0, end_ = 0;  // what was received and not taken yet
  int64_t id_ = 0;

  const char* take(size_t size) {
    if (size > end_ - at_) refill(size);
    at_ += size;
    return buffer_.data() + at_ - size;
  }
  void refill(size_t size) {
    std::memmove(buffer_.data(), buffer_.data() + at_, end_ - at_);
    end_ -= at_;
    at_ = 0;
    if (size > buffer_.size()) buffer_.resize(size);
    while (end_ < size) {
      size_t count = socket_.receive(buffer_.data() + end_, buffer_.size() - end_);
      if (count == 0) fail("recv");
      end_ += count;
    }
  }
  int64_t number(size_t size) {
    const char* bytes = take(size);
    int64_t value = 0;
    for (size_t i = 0; i < size; ++i) value = (value << 8) | static_cast<unsigned char>(bytes[i]);
    return value;
  }
  Type next() {
    Type type = static_cast<Type>(number(1));
    id_ = type == kStop ? 0 : number(2);
    return type;
  }
  void skip(Type type) {
    switch (type) {
      case kBool: case kByte: take(1); return;
      case kShort: take(2); return;
      case kInt: take(4); return;
      case kLong: case kDouble: take(8); return;
      case kText: take(static_cast<size_t>(number(4))); return;
      case kStruct:
        for (Type inner = next(); inner != kStop; inner = next()) skip(inner);
        return;
      case kMap: {
        Type key = static_cast<Type>(number(1)), value = static_cast<Type>(number(1));
        for (int64_t left = number(4); left > 0; --left) skip(key), skip(value);
        return;
      }
      case kSet: case kList: {
        Type item = static_cast<Type>(number(1));
        for (int64_t left = number(4); left > 0; --left) skip(item);
        return;
      }
      default: fail("no Thrift type");
    }
  }
  std::string structure_text() {
    if (next() != kText) return "?";
    size_t size = static_cast<size_t>(number(4));
    return std::string(take(size), size);
  }
};

void storage(Writer& out, int id, const std::string& location) {
  out.field(kStruct, id).list(1, kStruct, 20);
  for (int i = 0; i < 20; ++i) {
    out.text(1, "column_" + std::to_string(i)).text(2, i % 2 ? "bigint" : "string").stop();
  }
  if (!location.empty()) out.text(2, location);
  out.text(3, "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat");
  out.text(4, "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat");
  out.field(kBool, 5).number(0, 1).integer(6, -1);
  out.field(kStruct, 7).text(2, "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe");
  out.map(3, {{"serialization.format", "1"}}).stop();
  out.list(8, kText, 0).list(9, kStruct, 0).map(10, {}).stop();
}

std::string create_table(const std::string& database, const std::string& name, bool partitioned) {
  Writer out;
  out.field(kStruct, 1).text(1, name).text(2, database).text(3, "bench");
  storage(out, 7, "");
  out.list(8, kStruct, partitioned ? 1 : 0);
  if (partitioned) out.text(1, "ds").text(2, "string").stop();
  out.map(9, {{"purpose", "benchmark"}}).text(12, "MANAGED_TABLE").stop();
  return call("create_table", out);
}

void create_database(Connection& connection, const std::string& name) {
  Writer out;
  out.field(kStruct, 1).text(1, name).stop();
  connection.exchange(call("create_database", out), true);
}

struct Load {
  const char* host;
  int port, connections;
  // Runs `body` on each connection's thread and answers the seconds until all ended.
  double run(const std::function<void(Connection&, int)>& body) const {
    std::vector<std::thread> threads;
    auto began = Clock::now();
    for (int i = 0; i < connections; ++i) {
      threads.emplace_back([&, i] {
        Connection connection(host, port);
        body(connection, i);
      });
    }
    for (auto& thread : threads) thread.join();
    return std::chrono::duration<double>(Clock::now() - began).count();
  }
  void rate(double seconds, const std::function<size_t(Connection&, size_t)>& one) const {
    std::atomic<size_t> total = 0;
    auto end = Clock::now() + std::chrono::duration<double>(seconds);
    double elapsed = run([&](Connection& connection, int number) {
      size_t done = 0;
      for (size_t turn = static_cast<size_t>(number) * 7919; Clock::now() < end; ++turn) done += one(connection, turn);
      total += done;
    });
    std::printf("{\"per_second\": %.0f, \"seconds\": %.3f}\n", static_cast<double>(total) / elapsed, elapsed);
  }
};

std::string day(size_t number) { return "day-" + std::to_string(100000 + number); }

std::string add_partitions(const std::string& database, size_t partitions) {
  Writer out;
  out.list(1, kStruct, partitions);
  for (size_t i = 0; i < partitions; ++i) {
    out.texts(1, {day(i)}).text(2, database).text(3, "parts");
    storage(out, 6, "");
    out.map(7, {{"numRows", "1000"}}).stop();
  }
  return call("add_partitions", out);
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 6) fail("HOST PORT make|get|add|partitions DATABASE COUNT [CONNECTIONS] [SECONDS]");
  std::string mode = arguments[3], database = arguments[4];
  size_t items = std::strtoull(arguments[5], nullptr, 10);
  Load load{arguments[1], std::atoi(arguments[2]), count > 6 ? std::atoi(arguments[6]) : 1};
  double seconds = count > 7 ? std::atof(arguments[7]) : 1;
  if (mode == "make") {
    Connection first(load.host, load.port);
    create_database(first, database);
    std::atomic<size_t> next = 0;
    double took = load.run([&](Connection& connection, int) {
      for (size_t i = next++; i < items; i = next++)
        connection.exchange(create_table(database, "t" + std::to_string(i), false));
    });
    std::printf("{\"seconds\": %.3f}\n", took);
  } else if (mode == "get") {
    std::vector<std::string> calls;
    for (size_t i = 0; i < items; ++i)
      calls.push_back(call("get_table", Writer().text(1, database).text(2, "t" + std::to_string(i))));
    load.rate(seconds, [&](Connection& connection, size_t turn) { return connection.exchange(calls[turn % items]); });
  } else if (mode == "add") {
    Connection connection(load.host, load.port);
    create_database(connection, database);
    connection.exchange(create_table(database, "parts", true));
    std::string request = add_partitions(database, items);
    auto began = Clock::now();
    connection.exchange(request);
    std::printf("{\"seconds\": %.3f}\n", std::chrono::duration<double>(Clock::now() - began).count());
  } else if (mode == "partitions") {
    std::vector<std::string> calls;
    for (size_t from = 0; from + 1000 <= items; from += 1000) {
      std::vector<std::string> names;
      for (size_t i = from; i < from + 1000; ++i) names.push_back("ds=" + day(i));
      calls.push_back(call("get_partitions_by_names", Writer().text(1, database).text(2, "parts").texts(3, names)));
    }
    if (calls.empty()) fail("partitions are asked for by the thousand");
    load.rate(seconds, [&](Connection& connection, size_t turn) {
      size_t got = connection.exchange(calls[turn % calls.size()]);
      if (got != 1000) fail("partitions are missing");
      return got;
    });
  } else {
    fail("no such mode: " + mode);
  }
  return 0;
}
