// Kafka's messages as tables: a C++ struct per message, a row per field with the versions that
// carry it, and one engine (schema.cc) that reads and writes every message by walking those rows.
// messages_*.h declare the structs, messages_*.cc hold the rows.
//
// Rules of the encoding (https://kafka.apache.org/protocol, KIP-482):
//   classic versions: big-endian integers, i16 string lengths, i32 bytes and array lengths, -1 =
//   null; flexible versions: lengths are unsigned varints of n + 1, 0 = null; every struct ends
//   with tagged fields.
// Decoding is bounded: a length is compared with what is left of the frame before anything is
// allocated, and an array may not cost more memory than kDecodedBytesMax. Unknown tags are skipped.
//
// Strings are copied out of the frame; record sets are not: Records::bytes points into the decoded
// frame.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/result.h"

namespace aichemy::wire {

struct Struct;

inline constexpr size_t kDecodedBytesMax = size_t{256} << 20;

using Uuid = std::array<uint8_t, 16>;

struct Bytes {
  std::string data;
  bool operator==(const Bytes&) const = default;
};

// A vector that can be null.
template <class T>
struct Array : std::vector<T> {
  using std::vector<T>::vector;
  bool null = false;
};

// A record set. When encoding, `external_bytes` more bytes follow `bytes` that are not in memory:
// the encoder leaves a gap for them (Encoded::gaps) and whoever sends the frame fills it from a
// file.
struct Records {
  std::string_view bytes;
  uint32_t external_bytes = 0;
  bool null = false;
  bool operator==(const Records&) const = default;
};

enum class Kind : uint8_t {
  boolean,
  int8,
  int16,
  uint16,
  int32,
  int64,
  uuid,
  text,
  bytes,
  records,
  structure,           // T
  optional_structure,  // std::optional<T>, an int8 says whether it follows
  array,               // Array<T>
};

// What the engine must know of a field's C++ type.
struct TypeOps {
  Kind kind;
  bool optional = false;  // text and bytes: std::optional<...>
  const Struct* structure = nullptr;
  const TypeOps* element = nullptr;  // of an array
  size_t element_bytes = 0;
  void (*resize)(void* array, size_t count) = nullptr;
  size_t (*size)(const void* array) = nullptr;
  char* (*data)(void* array) = nullptr;
  bool* (*null)(void* array) = nullptr;
  void* (*emplace)(void* optional) = nullptr;          // optional_structure
  const void* (*get)(const void* optional) = nullptr;  // nullptr when empty
  bool (*is_default)(const void* value) = nullptr;
};

inline constexpr int16_t kNever = 32767;

struct Field {
  const char* name = "";
  size_t offset = 0;
  const TypeOps* type = nullptr;
  int16_t first = 0, last = kNever;  // versions that carry it
  int16_t nullable_from = kNever;
  int16_t tag = -1;    // >= 0: a tagged field in all its versions
  int64_t absent = 0;  // a tagged int64 of this value is not sent

  constexpr Field from(int16_t version) const {
    Field copy = *this;
    copy.first = version;
    return copy;
  }
  constexpr Field until(int16_t version) const {
    Field copy = *this;
    copy.last = version;
    return copy;
  }
  constexpr Field nullable(int16_t version) const {
    Field copy = *this;
    copy.nullable_from = version;
    return copy;
  }
  constexpr Field tagged(int16_t number, int64_t without = 0) const {
    Field copy = *this;
    copy.tag = number;
    copy.absent = without;
    return copy;
  }
};

struct Struct {
  const char* name;
  std::span<const Field> fields;
};

struct Message {
  const char* name;
  int16_t key;
  int16_t first, last;    // versions the tables describe
  int16_t flexible_from;  // kNever: no flexible version
  const Struct* request;
  const Struct* response;
  bool is_flexible(int16_t version) const { return version >= flexible_from; }
};

// All messages that have tables, ordered by key.
std::span<const Message> messages();
const Message* find_message(int16_t key);

// Reads `body` into *to (a default-constructed struct of `table`); returns the bytes used.
// invalid ("frame") when the bytes break the format.
Result<size_t> decode(const Struct& table, int16_t version, bool flexible, std::string_view body,
                      void* to);

struct Gap {
  size_t position;  // in the encoded bytes where the external bytes belong
  uint32_t size;
};
struct Encoded {
  std::string bytes;
  std::vector<Gap> gaps;
};
void encode(const Struct& table, int16_t version, bool flexible, const void* from, Encoded& to);

struct RequestHeader {
  int16_t key = 0;
  int16_t version = 0;
  int32_t correlation_id = 0;
  std::optional<std::string> client_id;
};
// Reads the request header in front of a frame; returns the bytes used. `flexible` as the message
// table says; an unknown key or version must be read as not flexible.
Result<size_t> decode_header(std::string_view frame, bool flexible, RequestHeader& header);

namespace schema_internal {

template <class T>
struct IsArray : std::false_type {};
template <class T>
struct IsArray<Array<T>> : std::true_type {
  using Element = T;
};
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {
  using Value = T;
};

template <class T>
constexpr Kind scalar_kind() {
  if constexpr (std::is_same_v<T, bool>)
    return Kind::boolean;
  else if constexpr (std::is_same_v<T, int8_t>)
    return Kind::int8;
  else if constexpr (std::is_same_v<T, int16_t>)
    return Kind::int16;
  else if constexpr (std::is_same_v<T, uint16_t>)
    return Kind::uint16;
  else if constexpr (std::is_same_v<T, int32_t>)
    return Kind::int32;
  else if constexpr (std::is_same_v<T, int64_t>)
    return Kind::int64;
  else if constexpr (std::is_same_v<T, Uuid>)
    return Kind::uuid;
  else if constexpr (std::is_same_v<T, std::string>)
    return Kind::text;
  else if constexpr (std::is_same_v<T, Bytes>)
    return Kind::bytes;
  else if constexpr (std::is_same_v<T, Records>)
    return Kind::records;
  else
    return Kind::structure;
}

template <class T>
constexpr TypeOps make_ops();
template <class T>
inline constexpr TypeOps kOps = make_ops<T>();

template <class T>
constexpr TypeOps make_ops() {
  TypeOps ops{};
  ops.is_default = [](const void* value) { return *static_cast<const T*>(value) == T{}; };
  if constexpr (IsArray<T>::value) {
    using Element = typename IsArray<T>::Element;
    ops.kind = Kind::array;
    ops.element = &kOps<Element>;
    ops.element_bytes = sizeof(Element);
    ops.resize = [](void* array, size_t count) { static_cast<T*>(array)->resize(count); };
    ops.size = [](const void* array) { return static_cast<const T*>(array)->size(); };
    ops.data = [](void* array) { return reinterpret_cast<char*>(static_cast<T*>(array)->data()); };
    ops.null = [](void* array) { return &static_cast<T*>(array)->null; };
  } else if constexpr (IsOptional<T>::value) {
    using Value = typename IsOptional<T>::Value;
    constexpr Kind kind = scalar_kind<Value>();
    ops.kind = kind;
    ops.optional = true;
    ops.emplace = [](void* optional) -> void* { return &static_cast<T*>(optional)->emplace(); };
    ops.get = [](const void* optional) -> const void* {
      auto* value = static_cast<const T*>(optional);
      return value->has_value() ? &**value : nullptr;
    };
    if constexpr (kind == Kind::structure) {
      ops.kind = Kind::optional_structure;
      ops.structure = &Value::kTable;
    }
  } else {
    ops.kind = scalar_kind<T>();
    if constexpr (scalar_kind<T>() == Kind::structure) ops.structure = &T::kTable;
  }
  return ops;
}

}  // namespace schema_internal

template <class T>
constexpr Field make_field(const char* name, size_t offset) {
  Field field;
  field.name = name;
  field.offset = offset;
  field.type = &schema_internal::kOps<T>;
  return field;
}

}  // namespace aichemy::wire
