// Addresses and bytes: IP addresses and networks, UUIDs, base 32, big-endian and IEEE 754 forms,
// checksums, bits.
#include <fmt/format.h>

#include <bit>

#include "base/bytes.h"
#include "base/checksum.h"
#include "sql/native/functions.h"
#include "sql/types/ip_address.h"

namespace aichemy::sql {
namespace {

using duckdb::DataChunk;
using duckdb::ExpressionState;
using duckdb::idx_t;
using duckdb::Vector;

// ---- IP addresses ----

void address_of_text(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_text(result, [&](idx_t row) {
    auto made = parse_ip_address(arguments.text(0, row));
    if (!made) {
      raise("INVALID_CAST_ARGUMENT",
            fmt::format("Cannot cast value to IPADDRESS: {}", arguments.text(0, row)));
    }
    return *made;
  });
}

void address_of_bytes(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_text(result, [&](idx_t row) {
    std::string bytes(arguments.text(0, row));
    if (bytes.size() == 4) return std::string("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) + bytes;
    if (bytes.size() != 16) {
      raise("INVALID_CAST_ARGUMENT",
            fmt::format("Invalid IP address binary length: {}", bytes.size()));
    }
    return bytes;
  });
}

void text_of_address(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_text(result, [&](idx_t row) { return ip_address_text(arguments.text(0, row)); });
}

[[noreturn]] void bad_network(const char* why = "Invalid CIDR") {
  raise("INVALID_FUNCTION_ARGUMENT", why);
}

// (network "address/bits", address)
void network_contains(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_value<bool>(result, [&](idx_t row) {
    std::string_view network = arguments.text(0, row), address = arguments.text(1, row);
    size_t slash = network.find('/');
    if (slash == std::string_view::npos) bad_network();
    auto base = parse_ip_address(network.substr(0, slash));
    std::string_view bits_text = network.substr(slash + 1);
    if (!base) bad_network("Invalid network IP address");
    if (bits_text.empty()) bad_network();
    if (bits_text.size() > 3) bad_network();
    int bits = 0;
    for (char c : bits_text) {
      if (c < '0' || c > '9')
        bad_network(bits_text[0] == '-' ? "Invalid prefix length" : "Invalid CIDR");
      bits = bits * 10 + (c - '0');
    }
    constexpr std::string_view kMapped("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
    // A network written as an IPv4 address counts its bits from there.
    bool short_form = network.substr(0, slash).find(':') == std::string_view::npos;
    if (bits > (short_form ? 32 : 128)) bad_network();
    if (short_form) {
      for (int i = bits; i < 32; ++i) {  // nothing may stand behind the network's bits
        auto octet = static_cast<unsigned char>((*base)[static_cast<size_t>(12 + i / 8)]);
        if ((octet >> (7 - i % 8) & 1) != 0) bad_network();
      }
      if (!address.starts_with(kMapped)) return false;
      bits += 96;
    }
    for (int i = 0; i < bits; i += 8) {
      auto at = static_cast<size_t>(i / 8);
      int kept = std::min(8, bits - i);
      int mask = 0xff << (8 - kept) & 0xff;
      if (((static_cast<unsigned char>((*base)[at]) ^ static_cast<unsigned char>(address[at])) &
           mask) != 0)
        return false;
    }
    return true;
  });
}

// ---- UUIDs ----

// The text of a UUID as DuckDB reads it: parts may be short, as Java reads them.
void uuid_text(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_text(result, [&](idx_t row) {
    std::string_view text = arguments.text(0, row);
    if (text.size() != 36) {
      raise("INVALID_CAST_ARGUMENT", fmt::format("Invalid UUID string length: {}", text.size()));
    }
    bool fits = true;
    for (size_t i = 0; i < 36; ++i) {
      bool dash = i == 8 || i == 13 || i == 18 || i == 23;
      bool hex = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f') ||
                 (text[i] >= 'A' && text[i] <= 'F');
      fits = fits && (dash ? text[i] == '-' : hex);
    }
    if (!fits) raise("INVALID_CAST_ARGUMENT", fmt::format("Cannot cast value to UUID: {}", text));
    return std::string(text);
  });
}

// 16 bytes as a UUID's text.
void uuid_of_bytes(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_text(result, [&](idx_t row) {
    std::string_view bytes = arguments.text(0, row);
    if (bytes.size() != 16) {
      raise("INVALID_CAST_ARGUMENT", fmt::format("Invalid UUID binary length: {}", bytes.size()));
    }
    std::string hex = to_hex(bytes);
    return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" +
           hex.substr(16, 4) + "-" + hex.substr(20);
  });
}

// ---- base 32 ----

constexpr std::string_view kBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

void to_base32(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_text(result, [&](idx_t row) {
    std::string out;
    uint32_t held = 0;
    int bits = 0;
    for (char c : arguments.text(0, row)) {
      held = held << 8 | static_cast<unsigned char>(c);
      for (bits += 8; bits >= 5; bits -= 5) out += kBase32[held >> (bits - 5) & 31];
    }
    if (bits > 0) out += kBase32[held << (5 - bits) & 31];
    while (out.size() % 8 != 0) out += '=';
    return out;
  });
}

void from_base32(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_text(result, [&](idx_t row) {
    std::string_view text = arguments.text(0, row);
    while (text.ends_with('=')) text.remove_suffix(1);
    size_t rest = text.size() % 8;
    if (rest == 1 || rest == 3 || rest == 6)
      raise("INVALID_FUNCTION_ARGUMENT", fmt::format("Invalid input length {}", text.size()));
    std::string out;
    uint32_t held = 0;
    int bits = 0;
    for (char c : text) {
      size_t value = kBase32.find(c);
      if (value == std::string_view::npos)
        raise("INVALID_FUNCTION_ARGUMENT", fmt::format("Unrecognized character: {}", c));
      held = held << 5 | static_cast<uint32_t>(value);
      bits += 5;
      if (bits >= 8) {
        bits -= 8;
        out += static_cast<char>(held >> bits);
      }
    }
    return out;
  });
}

// ---- big-endian forms ----

template <class T>
std::string big_endian(T value) {
  using Bits = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;
  std::string out(sizeof(T), '\0');
  store_big(out.data(), std::bit_cast<Bits>(value));
  return out;
}

template <class T>
void to_big_endian(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_text(result, [&](idx_t row) { return big_endian(arguments.value<T>(0, row)); });
}

// (bytes, function's name)
template <class T>
void from_big_endian(DataChunk& chunk, ExpressionState&, Vector& result) {
  using Bits = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;
  NativeArguments arguments(chunk);
  arguments.each_value<T>(result, [&](idx_t row) {
    std::string_view bytes = arguments.text(0, row);
    if (bytes.size() != sizeof(T)) {
      bool real = std::is_floating_point_v<T>;
      raise("INVALID_FUNCTION_ARGUMENT",
            real
                ? fmt::format("Input floating-point value must be exactly {} bytes long", sizeof(T))
                : fmt::format("expected {}-byte input, but got instead: {}", sizeof(T),
                              bytes.size()));
    }
    Bits value = 0;
    for (char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
    return std::bit_cast<T>(value);
  });
}

void crc32_of(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_value<int64_t>(
      result, [&](idx_t row) { return static_cast<int64_t>(crc32(0, arguments.text(0, row))); });
}

// (side, bytes, length, padding)
void pad_bytes(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_text(result, [&](idx_t row) {
    std::string_view bytes = arguments.text(1, row), padding = arguments.text(3, row);
    int64_t length = arguments.value<int64_t>(2, row);
    if (length < 0 || length > INT32_MAX)
      raise("INVALID_FUNCTION_ARGUMENT", "Target length must be in the range [0..2147483647]");
    if (padding.empty()) raise("INVALID_FUNCTION_ARGUMENT", "Padding bytes must not be empty");
    if (length > (int64_t{1} << 28)) raise("INVALID_FUNCTION_ARGUMENT", "Target length too large");
    auto size = static_cast<size_t>(length);
    if (bytes.size() >= size) return std::string(bytes.substr(0, size));
    std::string fill;
    while (fill.size() < size - bytes.size()) fill += padding;
    fill.resize(size - bytes.size());
    bool left = arguments.text(0, row) == "l";
    return left ? fill + std::string(bytes) : std::string(bytes) + fill;
  });
}

// (bytes, start, length): from 1, below 0 from the end; nothing for a start of 0 or beyond an end.
void reverse_bytes(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_text(result, [&](idx_t row) {
    std::string_view bytes = arguments.text(0, row);
    return std::string(bytes.rbegin(), bytes.rend());
  });
}

void substr_bytes(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  bool bounded = chunk.ColumnCount() > 2;
  arguments.each_text(result, [&](idx_t row) -> std::string_view {
    std::string_view bytes = arguments.text(0, row);
    auto size = static_cast<int64_t>(bytes.size()), start = arguments.value<int64_t>(1, row);
    int64_t length = bounded ? arguments.value<int64_t>(2, row) : size;
    if (start == 0 || start > size || start < -size || length <= 0) return {};
    return bytes.substr(static_cast<size_t>(start > 0 ? start - 1 : size + start),
                        static_cast<size_t>(length));
  });
}

// ---- bits ----

void bit_count_in(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_value<int64_t>(result, [&](idx_t row) -> int64_t {
    int64_t number = arguments.value<int64_t>(0, row), bits = arguments.value<int64_t>(1, row);
    if (bits < 2 || bits > 64) {
      raise("INVALID_FUNCTION_ARGUMENT",
            fmt::format("Bits specified in bit_count must be between 2 and 64, got {}", bits));
    }
    if (bits == 64) return std::popcount(static_cast<uint64_t>(number));
    int64_t limit = int64_t{1} << (bits - 1);
    if (number >= limit || number < -limit) {
      raise("INVALID_FUNCTION_ARGUMENT",
            fmt::format("Number must be representable with the bits specified. {} cannot be "
                        "represented with {} bits",
                        number, bits));
    }
    return std::popcount(static_cast<uint64_t>(number) & ((uint64_t{1} << bits) - 1));
  });
}

enum class Shift : uint8_t { left, right, right_arithmetic };

template <class T, Shift kShift>
void shift_bits(DataChunk& chunk, ExpressionState&, Vector& result) {
  using Bits = std::make_unsigned_t<T>;
  constexpr int64_t kWidth = sizeof(T) * 8;
  NativeArguments arguments(chunk);
  arguments.each_value<T>(result, [&](idx_t row) -> T {
    T value = arguments.value<T>(0, row);
    int64_t by = arguments.value<int64_t>(1, row);
    if (by < 0) raise("INVALID_FUNCTION_ARGUMENT", "Shift must be positive");
    if (kShift == Shift::right_arithmetic)
      return by >= kWidth ? static_cast<T>(value < 0 ? -1 : 0) : static_cast<T>(value >> by);
    if (by >= kWidth) return 0;
    auto raw = static_cast<Bits>(value);
    return static_cast<T>(kShift == Shift::left ? static_cast<Bits>(raw << by)
                                                : static_cast<Bits>(raw >> by));
  });
}

template <class T>
void add_shifts(std::vector<NativeFunction>& rows, const std::string& type) {
  std::string signature = type + ", BIGINT -> " + type;
  rows.push_back({"aichemy_shift_left", signature, shift_bits<T, Shift::left>});
  rows.push_back({"aichemy_shift_right", signature, shift_bits<T, Shift::right>});
  rows.push_back(
      {"aichemy_shift_right_arithmetic", signature, shift_bits<T, Shift::right_arithmetic>});
}

}  // namespace

std::vector<NativeFunction> native_bytes_functions() {
  std::vector<NativeFunction> rows = {
      {"aichemy_ip", "VARCHAR -> BLOB", address_of_text},
      {"aichemy_ip_of_bytes", "BLOB -> BLOB", address_of_bytes},
      {"aichemy_ip_text", "BLOB -> VARCHAR", text_of_address},
      {"aichemy_network_contains", "VARCHAR, BLOB -> BOOLEAN", network_contains},
      {"aichemy_uuid", "VARCHAR -> VARCHAR", uuid_text},
      {"aichemy_uuid_of_bytes", "BLOB -> VARCHAR", uuid_of_bytes},
      {"aichemy_to_base32", "BLOB -> VARCHAR", to_base32},
      {"aichemy_from_base32", "BLOB -> BLOB", from_base32},
      {"aichemy_to_big_endian", "INTEGER -> BLOB", to_big_endian<int32_t>},
      {"aichemy_to_big_endian", "BIGINT -> BLOB", to_big_endian<int64_t>},
      {"aichemy_to_big_endian", "FLOAT -> BLOB", to_big_endian<float>},
      {"aichemy_to_big_endian", "DOUBLE -> BLOB", to_big_endian<double>},
      {"aichemy_from_big_endian_32", "BLOB -> INTEGER", from_big_endian<int32_t>},
      {"aichemy_from_big_endian_64", "BLOB -> BIGINT", from_big_endian<int64_t>},
      {"aichemy_from_ieee754_32", "BLOB -> FLOAT", from_big_endian<float>},
      {"aichemy_from_ieee754_64", "BLOB -> DOUBLE", from_big_endian<double>},
      {"aichemy_crc32", "BLOB -> BIGINT", crc32_of},
      {"aichemy_pad_bytes", "VARCHAR, BLOB, BIGINT, BLOB -> BLOB", pad_bytes},
      {"aichemy_reverse_bytes", "BLOB -> BLOB", reverse_bytes},
      {"aichemy_substr_bytes", "BLOB, BIGINT -> BLOB", substr_bytes},
      {"aichemy_substr_bytes", "BLOB, BIGINT, BIGINT -> BLOB", substr_bytes},
      {"aichemy_bit_count", "BIGINT, BIGINT -> BIGINT", bit_count_in},
  };
  add_shifts<int8_t>(rows, "TINYINT");
  add_shifts<int16_t>(rows, "SMALLINT");
  add_shifts<int32_t>(rows, "INTEGER");
  add_shifts<int64_t>(rows, "BIGINT");
  return rows;
}

}  // namespace aichemy::sql
