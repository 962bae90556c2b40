#include "wire/thrift.h"

namespace aichemy::wire::thrift {

namespace {

constexpr uint32_t kVersionMask = 0xffff0000;
constexpr uint32_t kVersion1 = 0x80010000;
constexpr size_t kNameBytesMax = 1024;

// Bytes of a value without contents of its own; 0 for the others.
size_t fixed_size(Type type) {
  switch (type) {
    case Type::boolean:
    case Type::int8: return 1;
    case Type::int16: return 2;
    case Type::int32: return 4;
    case Type::int64:
    case Type::float64: return 8;
    default: return 0;
  }
}

bool is_known(Type type) {
  switch (type) {
    case Type::text:
    case Type::structure:
    case Type::map:
    case Type::set:
    case Type::list: return true;
    default: return fixed_size(type) > 0;
  }
}

std::unexpected<Error> broken_stream(const char* problem) {
  return fail(Code::corrupt, "thrift", std::string("a Thrift message is broken: ") + problem);
}

}  // namespace

void Writer::header(const MessageHeader& header) {
  append_big(to_, kVersion1 | static_cast<uint32_t>(header.kind));
  text(header.name);
  append_big(to_, header.sequence);
}

void Writer::application_error(ApplicationError code, std::string_view message) {
  field(Type::text, 1);
  text(message);
  field(Type::int32, 2);
  append_big(to_, static_cast<int32_t>(code));
  stop();
}

Status Reader::status() const {
  if (ok()) return {};
  return broken_stream(problem_);
}

MessageHeader Reader::header() {
  MessageHeader header;
  auto first = number<uint32_t>();
  if ((first & 0x80000000) != 0) {
    if ((first & kVersionMask) != kVersion1) broken("its version is unknown");
    header.kind = static_cast<MessageKind>(first & 0xff);
    header.name = text();
  } else {
    header.name = take(first);
    header.kind = static_cast<MessageKind>(number<int8_t>());
  }
  header.sequence = number<int32_t>();
  return header;
}

Type Reader::field(int16_t* id) {
  Type type = static_cast<Type>(number<int8_t>());
  if (!ok() || type == Type::stop) return Type::stop;
  if (!is_known(type)) {
    broken("a field has an unknown type");
    return Type::stop;
  }
  *id = number<int16_t>();
  return ok() ? type : Type::stop;
}

void Reader::skip(Type type, int nesting) {
  if (nesting > kNestingMax) return broken("it is nested too deeply");
  if (size_t fixed = fixed_size(type)) {
    take(fixed);
  } else if (type == Type::text) {
    text();
  } else if (type == Type::structure) {
    int16_t id = 0;
    for (Type inner = field(&id); inner != Type::stop; inner = field(&id)) skip(inner, nesting + 1);
  } else if (type == Type::list || type == Type::set) {
    Type item = static_cast<Type>(number<int8_t>());
    size_t size = count(1);
    for (size_t i = 0; i < size && ok(); ++i) skip(item, nesting + 1);
  } else if (type == Type::map) {
    Type key = static_cast<Type>(number<int8_t>());
    Type item = static_cast<Type>(number<int8_t>());
    size_t size = count(1);
    for (size_t i = 0; i < size && ok(); ++i) {
      skip(key, nesting + 1);
      skip(item, nesting + 1);
    }
  } else {
    broken("a value has an unknown type");
  }
}

std::string_view Reader::text() {
  auto size = number<int32_t>();
  if (size < 0) {
    broken("a text has a negative length");
    return {};
  }
  decoded_bytes_ += static_cast<size_t>(size);
  return take(static_cast<size_t>(size));
}

void Reader::raw(Raw& value) {
  std::string_view begin = left_;
  skip(Type::structure);
  if (ok()) value.bytes = begin.substr(0, begin.size() - left_.size());
}

// Of items that take at least one byte each and cost `item_bytes` of memory.
size_t Reader::count(size_t item_bytes) {
  auto size = number<int32_t>();
  if (size < 0 || static_cast<size_t>(size) > left_.size()) {
    broken("a collection announces more than follows");
    return 0;
  }
  decoded_bytes_ += static_cast<size_t>(size) * item_bytes;
  if (decoded_bytes_ > kDecodedBytesMax) {
    broken("it would take too much memory");
    return 0;
  }
  return static_cast<size_t>(size);
}

void MessageScanner::reset() {
  position_ = 0;
  header_done_ = false;
  levels_.clear();
}

Result<size_t> MessageScanner::scan(std::string_view bytes) {
  if (!header_done_) {
    ASSIGN_OR_RETURN(header_done_, scan_header(bytes));
    if (!header_done_) return size_t{0};
    levels_.push_back({Type::structure});
  }
  while (!levels_.empty()) {
    ASSIGN_OR_RETURN(bool went_on, step(bytes));
    if (position_ > bytes_max_) return broken_stream("it is too large");
    if (!went_on) return size_t{0};
  }
  return position_;
}

Result<bool> MessageScanner::scan_header(std::string_view bytes) {
  if (bytes.size() < 4) return false;
  auto first = load_big<uint32_t>(bytes.data());
  bool strict = (first & 0x80000000) != 0;
  if (strict && (first & kVersionMask) != kVersion1) return broken_stream("its version is unknown");
  size_t name_at = strict ? 8 : 4;
  if (bytes.size() < name_at) return false;
  uint32_t name_size = strict ? load_big<uint32_t>(bytes.data() + 4) : first;
  if (name_size > kNameBytesMax) return broken_stream("a method's name is too long");
  size_t end = name_at + name_size + (strict ? 4 : 5);
  if (bytes.size() < end) return false;
  position_ = end;
  return true;
}

// One value, one field header, or the end of a level.
Result<bool> MessageScanner::step(std::string_view bytes) {
  Level& level = levels_.back();
  if (level.kind == Type::structure) {
    if (bytes.size() <= position_) return false;
    Type type = static_cast<Type>(bytes[position_]);
    if (type == Type::stop) {
      ++position_;
      levels_.pop_back();
      return true;
    }
    if (!is_known(type)) return broken_stream("a field has an unknown type");
    if (bytes.size() < position_ + 3) return false;
    size_t before = position_;
    position_ += 3;
    ASSIGN_OR_RETURN(bool begun, begin_value(bytes, type));
    if (!begun) position_ = before;
    return begun;
  }
  if (level.left == 0) {
    levels_.pop_back();
    return true;
  }
  // The level may move when begin_value() adds another.
  size_t index = levels_.size() - 1;
  bool key = level.kind == Type::map && level.left % 2 == 0;
  ASSIGN_OR_RETURN(bool begun, begin_value(bytes, key ? level.key : level.item));
  if (begun) --levels_[index].left;
  return begun;
}

Result<bool> MessageScanner::begin_value(std::string_view bytes, Type type) {
  if (size_t fixed = fixed_size(type)) {
    if (bytes.size() < position_ + fixed) return false;
    position_ += fixed;
    return true;
  }
  if (levels_.size() > static_cast<size_t>(kNestingMax))
    return broken_stream("it is nested too deeply");
  if (type == Type::structure) {
    levels_.push_back({Type::structure});
    return true;
  }
  size_t types = type == Type::map ? 2 : type == Type::text ? 0 : 1;
  if (!is_known(type)) return broken_stream("a value has an unknown type");
  if (bytes.size() < position_ + types + 4) return false;
  auto size = load_big<int32_t>(bytes.data() + position_ + types);
  if (size < 0 || static_cast<size_t>(size) > bytes_max_) {
    return broken_stream("a length is negative or too large");
  }
  if (type == Type::text) {
    if (bytes.size() < position_ + 4 + static_cast<size_t>(size)) return false;
    position_ += 4 + static_cast<size_t>(size);
    return true;
  }
  Level level{type == Type::map ? Type::map : Type::list};
  if (type == Type::map) {
    level.key = static_cast<Type>(bytes[position_]);
    level.item = static_cast<Type>(bytes[position_ + 1]);
    level.left = 2 * static_cast<uint64_t>(size);
  } else {
    level.item = static_cast<Type>(bytes[position_]);
    level.left = static_cast<uint64_t>(size);
  }
  position_ += types + 4;
  levels_.push_back(level);
  return true;
}

}  // namespace aichemy::wire::thrift
