#include "wire/schema.h"

#include "base/bytes.h"
#include "wire/varint.h"

namespace aichemy::wire {
namespace {

class Reader {
 public:
  Reader(std::string_view body, int16_t version, bool flexible)
      : body_(body), version_(version), flexible_(flexible) {}

  size_t position() const { return at_; }

  Status structure(const Struct& table, char* to) {
    for (const Field& field : table.fields) {
      if (field.tag >= 0 || version_ < field.first || version_ > field.last) continue;
      Status read = value(*field.type, version_ >= field.nullable_from, to + field.offset);
      if (!read) return explain(read.error(), table, field);
    }
    return flexible_ ? tags(table, to) : Status{};
  }

 private:
  std::string_view body_;
  size_t at_ = 0;
  size_t allocated_ = 0;
  int16_t version_;
  bool flexible_;

  static std::unexpected<Error> explain(const Error& error, const Struct& table,
                                        const Field& field) {
    return fail(error.code, error.what,
                std::string(table.name) + "." + field.name + ": " + error.message);
  }
  static std::unexpected<Error> broken(const char* message) {
    return fail(Code::invalid, "frame", message);
  }

  size_t left() const { return body_.size() - at_; }

  template <class T>
  Status integer(void* to) {
    if (left() < sizeof(T)) return broken("the frame ends inside a number");
    *static_cast<T*>(to) = load_big<T>(body_.data() + at_);
    at_ += sizeof(T);
    return {};
  }

  Result<uint32_t> varint() {
    uint64_t number = 0;
    size_t used = read_varint(body_.substr(at_), number);
    if (used == 0 || number > UINT32_MAX) return broken("a broken variable-length number");
    at_ += used;
    return static_cast<uint32_t>(number);
  }

  // A length, -1 for null.
  Result<int64_t> length(bool is_text) {
    if (flexible_) {
      ASSIGN_OR_RETURN(uint32_t raw, varint());
      return int64_t{raw} - 1;
    }
    if (is_text) {
      int16_t raw = 0;
      RETURN_IF_ERROR(integer<int16_t>(&raw));
      return int64_t{raw};
    }
    int32_t raw = 0;
    RETURN_IF_ERROR(integer<int32_t>(&raw));
    return int64_t{raw};
  }

  // A run of bytes; `null` is set when it is null and may be.
  Result<std::string_view> run(bool is_text, bool nullable, bool& null) {
    ASSIGN_OR_RETURN(int64_t count, length(is_text));
    if (count < 0) {
      if (count != -1 || !nullable) return broken("a negative length");
      null = true;
      return std::string_view();
    }
    if (static_cast<uint64_t>(count) > left())
      return broken("a length beyond the end of the frame");
    std::string_view found = body_.substr(at_, static_cast<size_t>(count));
    at_ += found.size();
    return found;
  }

  Status value(const TypeOps& type, bool nullable, void* to) {
    switch (type.kind) {
      case Kind::boolean: {
        int8_t raw = 0;
        RETURN_IF_ERROR(integer<int8_t>(&raw));
        *static_cast<bool*>(to) = raw != 0;
        return {};
      }
      case Kind::int8: return integer<int8_t>(to);
      case Kind::int16: return integer<int16_t>(to);
      case Kind::uint16: return integer<uint16_t>(to);
      case Kind::int32: return integer<int32_t>(to);
      case Kind::int64: return integer<int64_t>(to);
      case Kind::uuid: {
        if (left() < sizeof(Uuid)) return broken("the frame ends inside a uuid");
        std::memcpy(static_cast<Uuid*>(to)->data(), body_.data() + at_, sizeof(Uuid));
        at_ += sizeof(Uuid);
        return {};
      }
      case Kind::text:
      case Kind::bytes: return text(type, nullable, to);
      case Kind::records: {
        auto& records = *static_cast<Records*>(to);
        ASSIGN_OR_RETURN(records.bytes, run(false, nullable, records.null));
        return {};
      }
      case Kind::structure: return structure(*type.structure, static_cast<char*>(to));
      case Kind::optional_structure: {
        int8_t present = 0;
        RETURN_IF_ERROR(integer<int8_t>(&present));
        if (present < 0) return {};
        return structure(*type.structure, static_cast<char*>(type.emplace(to)));
      }
      case Kind::array: return array(type, nullable, to);
    }
    return {};
  }

  Status text(const TypeOps& type, bool nullable, void* to) {
    bool null = false;
    ASSIGN_OR_RETURN(std::string_view found, run(type.kind == Kind::text, nullable, null));
    if (null) return {};
    void* place = type.optional ? type.emplace(to) : to;
    std::string& owned = type.kind == Kind::text ? *static_cast<std::string*>(place)
                                                 : static_cast<Bytes*>(place)->data;
    owned.assign(found);
    return {};
  }

  Status array(const TypeOps& type, bool nullable, void* to) {
    ASSIGN_OR_RETURN(int64_t count, length(false));
    if (count < 0) {
      if (count != -1 || !nullable) return broken("a negative count");
      *type.null(to) = true;
      return {};
    }
    // Every element takes a byte at least, so a count beyond the frame is a lie.
    if (static_cast<uint64_t>(count) > left())
      return broken("more elements than the frame can hold");
    allocated_ += static_cast<size_t>(count) * type.element_bytes;
    if (allocated_ > kDecodedBytesMax) return broken("the request would need too much memory");
    type.resize(to, static_cast<size_t>(count));
    char* element = type.data(to);
    for (int64_t i = 0; i < count; ++i, element += type.element_bytes) {
      RETURN_IF_ERROR(value(*type.element, false, element));
    }
    return {};
  }

  Status tags(const Struct& table, char* to) {
    ASSIGN_OR_RETURN(uint32_t count, varint());
    for (uint32_t i = 0; i < count; ++i) {
      ASSIGN_OR_RETURN(uint32_t tag, varint());
      ASSIGN_OR_RETURN(uint32_t size, varint());
      if (size > left()) return broken("a tagged field beyond the end of the frame");
      size_t end = at_ + size;
      for (const Field& field : table.fields) {
        if (field.tag < 0 || static_cast<uint32_t>(field.tag) != tag || version_ < field.first ||
            version_ > field.last) {
          continue;
        }
        Status read = value(*field.type, version_ >= field.nullable_from, to + field.offset);
        if (!read) return explain(read.error(), table, field);
        if (at_ != end) return broken("a tagged field of the wrong size");
      }
      at_ = end;
    }
    return {};
  }
};

class Writer {
 public:
  Writer(Encoded& to, int16_t version, bool flexible)
      : to_(to), version_(version), flexible_(flexible) {}

  void structure(const Struct& table, const char* from) {
    int tagged = 0;
    for (const Field& field : table.fields) {
      if (version_ < field.first || version_ > field.last) continue;
      if (field.tag >= 0) {
        if (flexible_ && !is_absent(field, from)) ++tagged;
        continue;
      }
      value(*field.type, version_ >= field.nullable_from, from + field.offset);
    }
    if (flexible_) tags(table, from, tagged);
  }

 private:
  Encoded& to_;
  int16_t version_;
  bool flexible_;

  static bool is_absent(const Field& field, const char* from) {
    const char* value = from + field.offset;
    if (field.type->kind == Kind::int64) return load_little<int64_t>(value) == field.absent;
    return field.type->is_default(value);
  }

  void length(int64_t count, bool is_text) {
    if (flexible_) {
      append_varint(to_.bytes, static_cast<uint64_t>(count + 1));
    } else if (is_text) {
      append_big(to_.bytes, static_cast<int16_t>(count));
    } else {
      append_big(to_.bytes, static_cast<int32_t>(count));
    }
  }

  template <class T>
  void integer(const void* from) {
    append_big(to_.bytes, *static_cast<const T*>(from));
  }

  void value(const TypeOps& type, bool nullable, const void* from) {
    switch (type.kind) {
      case Kind::boolean: to_.bytes.push_back(*static_cast<const bool*>(from) ? 1 : 0); return;
      case Kind::int8: return integer<int8_t>(from);
      case Kind::int16: return integer<int16_t>(from);
      case Kind::uint16: return integer<uint16_t>(from);
      case Kind::int32: return integer<int32_t>(from);
      case Kind::int64: return integer<int64_t>(from);
      case Kind::uuid:
        to_.bytes.append(reinterpret_cast<const char*>(static_cast<const Uuid*>(from)->data()),
                         sizeof(Uuid));
        return;
      case Kind::text:
      case Kind::bytes: return text(type, nullable, from);
      case Kind::records: return records(*static_cast<const Records*>(from), nullable);
      case Kind::structure: return structure(*type.structure, static_cast<const char*>(from));
      case Kind::optional_structure: {
        const void* present = type.get(from);
        to_.bytes.push_back(present ? 1 : -1);
        if (present) structure(*type.structure, static_cast<const char*>(present));
        return;
      }
      case Kind::array: return array(type, nullable, from);
    }
  }

  void text(const TypeOps& type, bool nullable, const void* from) {
    const void* place = type.optional ? type.get(from) : from;
    if (place == nullptr) return length(nullable ? -1 : 0, type.kind == Kind::text);
    std::string_view bytes = type.kind == Kind::text ? *static_cast<const std::string*>(place)
                                                     : static_cast<const Bytes*>(place)->data;
    if (type.kind == Kind::text) bytes = bytes.substr(0, INT16_MAX);
    length(static_cast<int64_t>(bytes.size()), type.kind == Kind::text);
    to_.bytes.append(bytes);
  }

  void records(const Records& records, bool nullable) {
    if (records.null) return length(nullable ? -1 : 0, false);
    length(static_cast<int64_t>(records.bytes.size() + records.external_bytes), false);
    to_.bytes.append(records.bytes);
    if (records.external_bytes > 0) to_.gaps.push_back({to_.bytes.size(), records.external_bytes});
  }

  void array(const TypeOps& type, bool nullable, const void* from) {
    void* array = const_cast<void*>(from);  // the accessors serve both directions
    if (*type.null(array)) return length(nullable ? -1 : 0, false);
    size_t count = type.size(from);
    length(static_cast<int64_t>(count), false);
    const char* element = type.data(array);
    for (size_t i = 0; i < count; ++i, element += type.element_bytes)
      value(*type.element, false, element);
  }

  void tags(const Struct& table, const char* from, int count) {
    append_varint(to_.bytes, static_cast<uint64_t>(count));
    for (int16_t tag = 0; count > 0; ++tag) {  // in ascending order, as the format asks
      for (const Field& field : table.fields) {
        if (field.tag != tag || version_ < field.first || version_ > field.last) continue;
        if (is_absent(field, from)) continue;
        --count;
        Encoded inner;
        Writer(inner, version_, flexible_)
            .value(*field.type, version_ >= field.nullable_from, from + field.offset);
        append_varint(to_.bytes, static_cast<uint64_t>(tag));
        append_varint(to_.bytes, inner.bytes.size());
        to_.bytes += inner.bytes;
      }
    }
  }
};

}  // namespace

const Message* find_message(int16_t key) {
  for (const Message& message : messages()) {
    if (message.key == key) return &message;
  }
  return nullptr;
}

Result<size_t> decode(const Struct& table, int16_t version, bool flexible, std::string_view body,
                      void* to) {
  Reader reader(body, version, flexible);
  RETURN_IF_ERROR(reader.structure(table, static_cast<char*>(to)));
  return reader.position();
}

void encode(const Struct& table, int16_t version, bool flexible, const void* from, Encoded& to) {
  Writer(to, version, flexible).structure(table, static_cast<const char*>(from));
}

Result<size_t> decode_header(std::string_view frame, bool flexible, RequestHeader& header) {
  if (frame.size() < 10) return fail(Code::invalid, "frame", "a request shorter than its header");
  header.key = load_big<int16_t>(frame.data());
  header.version = load_big<int16_t>(frame.data() + 2);
  header.correlation_id = load_big<int32_t>(frame.data() + 4);
  int16_t size = load_big<int16_t>(frame.data() + 8);
  size_t at = 10;
  if (size < -1 || (size > 0 && static_cast<size_t>(size) > frame.size() - at)) {
    return fail(Code::invalid, "frame", "a client id beyond the end of the request");
  }
  if (size >= 0) {
    header.client_id = std::string(frame.substr(at, static_cast<size_t>(size)));
    at += static_cast<size_t>(size);
  }
  if (!flexible) return at;
  static constexpr Struct kNoFields{"RequestHeader",
                                    {}};  // what follows is a list of tags, all unknown
  ASSIGN_OR_RETURN(size_t used, decode(kNoFields, 0, true, frame.substr(at), nullptr));
  return at + used;
}

}  // namespace aichemy::wire
