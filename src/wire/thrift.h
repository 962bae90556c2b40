// Thrift's binary protocol (https://github.com/apache/thrift, doc/specs/thrift-binary-protocol.md):
// values, structs as field tables, message headers, and a scanner that finds where a message ends
// in a stream, because the unframed transport says no lengths.
//
// A struct names its fields once, in kFields; reading and writing walk that table:
//
//   struct Order {
//     std::string column;
//     int32_t direction = 0;
//     static constexpr auto kFields = std::tuple{field(1, &Order::column), field(2,
//     &Order::direction)};
//   };
//
// C++ types stand for Thrift's: bool, int8_t ... int64_t, double, std::string (text and binary),
// std::vector (list), Set (set), std::map, structs. std::optional<T> is a field that may be absent;
// others are always written. Raw is a struct that is encoded already.
//
// Reading is bounded: lengths are compared with what is left, nesting with kNestingMax, and what is
// decoded may not cost more than kDecodedBytesMax. Unknown fields and fields of another type than
// ours are skipped, as Thrift's own readers do. The first error sticks: check Reader::status()
// once.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace aichemy::wire::thrift {

inline constexpr int kNestingMax = 64;
inline constexpr size_t kDecodedBytesMax = size_t{512} << 20;

enum class Type : uint8_t {
  stop = 0,
  boolean = 2,
  int8 = 3,
  float64 = 4,
  int16 = 6,
  int32 = 8,
  int64 = 10,
  text = 11,
  structure = 12,
  map = 13,
  set = 14,
  list = 15,
};

enum class MessageKind : uint8_t { call = 1, reply = 2, exception = 3, oneway = 4 };

struct MessageHeader {
  MessageKind kind = MessageKind::call;
  std::string name;
  int32_t sequence = 0;
};

// The struct of a message of kind `exception`.
enum class ApplicationError : int32_t {
  unknown_method = 1,
  internal_error = 6,
  protocol_error = 7,
};

template <class T>
struct Set : std::vector<T> {
  using std::vector<T>::vector;
};

// A struct's bytes, its stop byte included.
struct Raw {
  std::string bytes;
};

template <class Owner, class Value>
struct Field {
  int16_t id;
  Value Owner::* member;
};
template <class Owner, class Value>
constexpr Field<Owner, Value> field(int16_t id, Value Owner::* member) {
  return {id, member};
}

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsSet : std::false_type {};
template <class T>
struct IsSet<Set<T>> : std::true_type {};
template <class T>
struct IsMap : std::false_type {};
template <class K, class V>
struct IsMap<std::map<K, V>> : std::true_type {};

template <class T>
constexpr Type type_of() {
  if constexpr (std::is_same_v<T, bool>)
    return Type::boolean;
  else if constexpr (std::is_same_v<T, int8_t>)
    return Type::int8;
  else if constexpr (std::is_same_v<T, int16_t>)
    return Type::int16;
  else if constexpr (std::is_same_v<T, int32_t>)
    return Type::int32;
  else if constexpr (std::is_same_v<T, int64_t>)
    return Type::int64;
  else if constexpr (std::is_same_v<T, double>)
    return Type::float64;
  else if constexpr (std::is_same_v<T, std::string>)
    return Type::text;
  else if constexpr (IsVector<T>())
    return Type::list;
  else if constexpr (IsSet<T>())
    return Type::set;
  else if constexpr (IsMap<T>())
    return Type::map;
  else
    return Type::structure;
}

class Writer {
 public:
  explicit Writer(std::string& to) : to_(to) {}

  // Strict headers, as every current library writes them.
  void header(const MessageHeader& header);
  void field(Type type, int16_t id) {
    to_.push_back(static_cast<char>(type));
    append_big(to_, id);
  }
  void stop() { to_.push_back(0); }
  void application_error(ApplicationError code, std::string_view message);

  template <class T>
  void value(const T& value) {
    constexpr Type kType = type_of<T>();
    if constexpr (std::is_same_v<T, Raw>)
      to_ += value.bytes;
    else if constexpr (kType == Type::boolean)
      to_.push_back(value ? 1 : 0);
    else if constexpr (kType == Type::float64)
      append_big(to_, std::bit_cast<int64_t>(value));
    else if constexpr (kType == Type::text)
      text(value);
    else if constexpr (kType == Type::structure)
      structure(value);
    else if constexpr (kType == Type::map)
      map(value);
    else if constexpr (kType == Type::list || kType == Type::set)
      list(value);
    else
      append_big(to_, value);
  }

  template <class T>
  void member(int16_t id, const T& value) {
    if constexpr (IsOptional<T>()) {
      if (value) member(id, *value);
    } else {
      field(type_of<T>(), id);
      this->value(value);
    }
  }

  // The fields without the stop byte: the caller adds further fields.
  template <class T>
  void fields(const T& value) {
    std::apply([&](const auto&... row) { (member(row.id, value.*row.member), ...); }, T::kFields);
  }

 private:
  std::string& to_;

  void text(std::string_view value) {
    append_big(to_, static_cast<int32_t>(value.size()));
    to_ += value;
  }
  template <class T>
  void structure(const T& value) {
    fields(value);
    stop();
  }
  template <class T>
  void list(const T& values) {
    to_.push_back(static_cast<char>(type_of<typename T::value_type>()));
    append_big(to_, static_cast<int32_t>(values.size()));
    if constexpr (std::is_same_v<typename T::value_type, Raw>) {
      size_t bytes = 0;
      for (const Raw& item : values) bytes += item.bytes.size();
      to_.reserve(to_.size() + bytes + 16);  // and what closes the message
    }
    for (const auto& item : values) value(item);
  }
  template <class K, class V>
  void map(const std::map<K, V>& values) {
    to_.push_back(static_cast<char>(type_of<K>()));
    to_.push_back(static_cast<char>(type_of<V>()));
    append_big(to_, static_cast<int32_t>(values.size()));
    for (const auto& [key, item] : values) {
      value(key);
      value(item);
    }
  }
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : left_(bytes) {}

  bool ok() const { return problem_ == nullptr; }
  // corrupt ("thrift") after the first error.
  Status status() const;
  std::string_view left() const { return left_; }

  MessageHeader header();  // strict or not
  // The next field's type; Type::stop at the end or after an error.
  Type field(int16_t* id);
  void skip(Type type, int nesting = 0);

  template <class T>
  void value(T& value) {
    constexpr Type kType = type_of<T>();
    if constexpr (std::is_same_v<T, Raw>)
      raw(value);
    else if constexpr (kType == Type::boolean)
      value = number<int8_t>() != 0;
    else if constexpr (kType == Type::float64)
      value = std::bit_cast<double>(number<int64_t>());
    else if constexpr (kType == Type::text)
      value = text();
    else if constexpr (kType == Type::structure)
      structure(value);
    else if constexpr (kType == Type::map)
      map(value);
    else if constexpr (kType == Type::list || kType == Type::set)
      list(value);
    else
      value = number<T>();
  }

  template <class T>
  void structure(T& value) {
    int16_t id = 0;
    for (Type type = field(&id); type != Type::stop; type = field(&id)) {
      bool known = false;
      std::apply(
          [&](const auto&... row) { ((known = known || try_member(row, value, id, type)), ...); },
          T::kFields);
      if (!known) skip(type);
    }
  }

  template <class T>
  void member(T& value) {
    if constexpr (IsOptional<T>())
      this->value(value.emplace());
    else
      this->value(value);
  }

 private:
  std::string_view left_;
  const char* problem_ = nullptr;
  size_t decoded_bytes_ = 0;

  void broken(const char* problem) {
    if (!problem_) problem_ = problem;
    left_ = {};
  }
  std::string_view take(size_t size) {
    if (left_.size() < size) {
      broken("it ends too early");
      return {};
    }
    std::string_view taken = left_.substr(0, size);
    left_.remove_prefix(size);
    return taken;
  }
  template <class T>
  T number() {
    std::string_view raw = take(sizeof(T));
    return raw.empty() ? T{} : load_big<T>(raw.data());
  }
  std::string_view text();
  void raw(Raw& value);
  size_t count(size_t item_bytes);

  template <class Row, class T>
  bool try_member(const Row& row, T& value, int16_t id, Type type) {
    using Member = std::remove_reference_t<decltype(value.*row.member)>;
    if (row.id != id) return false;
    if constexpr (IsOptional<Member>()) {
      if (type != type_of<typename Member::value_type>()) return false;
    } else {
      if (type != type_of<Member>()) return false;
    }
    member(value.*row.member);
    return true;
  }
  template <class T>
  void list(T& values) {
    using Item = typename T::value_type;
    values.clear();
    Type type = static_cast<Type>(number<int8_t>());
    size_t size = count(sizeof(Item));
    if (size > 0 && type != type_of<Item>()) return broken("a list has items of another type");
    values.reserve(std::min(size, size_t{16} << 10));  // what is announced may not come
    for (size_t i = 0; i < size && ok(); ++i) value(values.emplace_back());
  }
  template <class K, class V>
  void map(std::map<K, V>& values) {
    values.clear();
    Type key_type = static_cast<Type>(number<int8_t>());
    Type value_type = static_cast<Type>(number<int8_t>());
    size_t size = count(sizeof(K) + sizeof(V) + 64);
    if (size > 0 && (key_type != type_of<K>() || value_type != type_of<V>()))
      return broken("a map has entries of another type");
    for (size_t i = 0; i < size && ok(); ++i) {
      K key{};
      V item{};
      value(key);
      value(item);
      values.insert_or_assign(std::move(key), std::move(item));
    }
  }
};

template <class T>
std::string encode(const T& value) {
  std::string out;
  Writer(out).value(value);
  return out;
}

// corrupt ("thrift"), also when bytes are left over.
template <class T>
Result<T> decode(std::string_view bytes) {
  Reader reader(bytes);
  T value{};
  reader.value(value);
  RETURN_IF_ERROR(reader.status());
  if (!reader.left().empty()) return fail(Code::corrupt, "thrift", "bytes follow a Thrift struct");
  return value;
}

// Finds the end of one message in a stream: feed() what arrived, from where the last call stopped.
class MessageScanner {
 public:
  explicit MessageScanner(size_t bytes_max) : bytes_max_(bytes_max) { reset(); }

  void reset();
  // The message's size once it is complete; 0 while bytes are missing. `bytes` is everything since
  // the message's begin. corrupt ("thrift"): nothing sensible can follow on this stream.
  Result<size_t> scan(std::string_view bytes);

 private:
  struct Level {
    Type kind;  // structure, map (keys and values in turn), list
    Type key = Type::stop, item = Type::stop;
    uint64_t left = 0;  // values still to come in a map or list
  };
  size_t bytes_max_;
  size_t position_ = 0;
  bool header_done_ = false;
  std::vector<Level> levels_;

  // False: bytes are missing.
  Result<bool> scan_header(std::string_view bytes);
  Result<bool> step(std::string_view bytes);
  Result<bool> begin_value(std::string_view bytes, Type type);
};

}  // namespace aichemy::wire::thrift
