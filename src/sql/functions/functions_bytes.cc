// Bytes, addresses, checksums and sizes.
#include "sql/functions/functions.h"

namespace aichemy::sql {

// lint: table
const std::vector<FunctionRow>& scalar_functions_bytes() {
  constexpr auto kScalar = FunctionKind::scalar;
  static const std::vector<FunctionRow> kRows = {
      {"contains", kScalar, "varchar, ipaddress -> boolean", "aichemy_network_contains({0}, {1})",
       "contains('10.0.0.0/8', IPADDRESS '10.255.1.1')", "true"},
      {"substr", kScalar, "varbinary, bigint -> varbinary", "aichemy_substr_bytes({0}, {1})",
       "to_hex(substr(X'010203', -2))", "\"0203\""},
      {"substr", kScalar, "varbinary, bigint, bigint -> varbinary",
       "aichemy_substr_bytes({0}, {1}, {2})", "to_hex(substr(X'010203', 2, 1))", "\"02\""},
      {"to_base32", kScalar, "varbinary -> varchar", "aichemy_to_base32({0})",
       "to_base32(to_utf8('hi'))", "\"NBUQ====\""},
      {"from_base32", kScalar, "varchar -> varbinary", "aichemy_from_base32(encode({0}))",
       "from_utf8(from_base32('NBUQ===='))", "\"hi\""},
      {"from_base32", kScalar, "varbinary -> varbinary", "aichemy_from_base32({0})"},
      {"to_big_endian_32", kScalar, "integer -> varbinary", "aichemy_to_big_endian({0})",
       "to_hex(to_big_endian_32(258))", "\"00000102\""},
      {"to_big_endian_64", kScalar, "bigint -> varbinary", "aichemy_to_big_endian({0})",
       "to_hex(to_big_endian_64(258))", "\"0000000000000102\""},
      {"to_ieee754_32", kScalar, "real -> varbinary", "aichemy_to_big_endian({0})",
       "to_hex(to_ieee754_32(REAL '1.0'))", "\"3F800000\""},
      {"to_ieee754_64", kScalar, "double -> varbinary", "aichemy_to_big_endian({0})",
       "to_hex(to_ieee754_64(1e0))", "\"3FF0000000000000\""},
      {"from_big_endian_32", kScalar, "varbinary -> integer", "aichemy_from_big_endian_32({0})",
       "from_big_endian_32(X'00000102')", "258"},
      {"from_big_endian_64", kScalar, "varbinary -> bigint", "aichemy_from_big_endian_64({0})",
       "from_big_endian_64(X'0000000000000102')", "258"},
      {"from_ieee754_32", kScalar, "varbinary -> real", "aichemy_from_ieee754_32({0})",
       "from_ieee754_32(X'3F800000')", "1.0"},
      {"from_ieee754_64", kScalar, "varbinary -> double", "aichemy_from_ieee754_64({0})",
       "from_ieee754_64(X'3FF0000000000000')", "1.0"},
      {"crc32", kScalar, "varbinary -> bigint", "aichemy_crc32({0})", "crc32(to_utf8('CRC me!'))",
       "38028046"},
      {"lpad", kScalar, "varbinary, bigint, varbinary -> varbinary",
       "aichemy_pad_bytes('l', {0}, {1}, {2})", "to_hex(lpad(X'01', 3, X'0A'))", "\"0A0A01\""},
      {"rpad", kScalar, "varbinary, bigint, varbinary -> varbinary",
       "aichemy_pad_bytes('r', {0}, {1}, {2})", "to_hex(rpad(X'01', 3, X'0A'))", "\"010A0A\""},
      {"sha512", kScalar, "varbinary -> varbinary", "aichemy_sha512({0})",
       "length(sha512(to_utf8('a')))", "64"},
      {"hmac_md5", kScalar, "varbinary, varbinary -> varbinary", "aichemy_hmac_md5({0}, {1})",
       "to_hex(hmac_md5(to_utf8('a'), to_utf8('k')))", "\"DDCF3D210049E7135F61AFFAE73731CD\""},
      {"hmac_sha1", kScalar, "varbinary, varbinary -> varbinary", "aichemy_hmac_sha1({0}, {1})",
       "length(hmac_sha1(to_utf8('a'), to_utf8('k')))", "20"},
      {"hmac_sha256", kScalar, "varbinary, varbinary -> varbinary", "aichemy_hmac_sha256({0}, {1})",
       "length(hmac_sha256(to_utf8('a'), to_utf8('k')))", "32"},
      {"hmac_sha512", kScalar, "varbinary, varbinary -> varbinary", "aichemy_hmac_sha512({0}, {1})",
       "length(hmac_sha512(to_utf8('a'), to_utf8('k')))", "64"},
      {"xxhash64", kScalar, "varbinary -> varbinary", "aichemy_xxhash64({0})",
       "to_hex(xxhash64(to_utf8('')))", "\"EF46DB3751D8E999\""},
      {"murmur3", kScalar, "varbinary -> varbinary", "aichemy_murmur3({0})",
       "to_hex(murmur3(to_utf8('hashme')))", "\"93192FE805BE23041C8318F67EC4F2BC\""},
      {"spooky_hash_v2_32", kScalar, "varbinary -> varbinary", "aichemy_spooky_32({0})",
       "to_hex(spooky_hash_v2_32(to_utf8('hello')))", "\"D382E6CA\""},
      {"spooky_hash_v2_64", kScalar, "varbinary -> varbinary", "aichemy_spooky_64({0})",
       "to_hex(spooky_hash_v2_64(to_utf8('hello')))", "\"3768826AD382E6CA\""},
      {"from_base64url", kScalar, "varchar -> varbinary",
       "from_base64(translate({0}, '-_', '+/') || repeat('=', CAST((4 - length({0}) % 4) % 4 AS "
       "BIGINT)))",
       "to_hex(from_base64url('-_8='))", "\"FBFF\""},
      {"from_base64url", kScalar, "varbinary -> varbinary",
       "from_base64(translate(decode({0}), '-_', '+/') || repeat('=', CAST((4 - octet_length({0}) "
       "% 4) % 4 AS BIGINT)))"},
      {"char2hexint", kScalar, "varchar -> varchar",
       "array_to_string(list_transform(string_split({0}, ''), lambda c: "
       "printf('%04X', unicode(c))), '')",
       "char2hexint('ab')", "\"00610062\""},
      {"index", kScalar, "varchar, varchar -> bigint", "strpos({0}, {1})", "index('high', 'ig')",
       "2"},
      {"luhn_check", kScalar, "varchar -> boolean", "aichemy_luhn({0})",
       "luhn_check('4242424242424242')", "true"},
      {"format_number", kScalar, "bigint -> varchar", "aichemy_format_number(CAST({0} AS DOUBLE))",
       "format_number(1000)", "\"1K\""},
      {"format_number", kScalar, "double -> varchar", "aichemy_format_number({0})",
       "format_number(1234567.8e0)", "\"1.23M\""},
      {"parse_data_size", kScalar, "varchar -> decimal(38, 0)",
       "CAST(aichemy_parse_data_size({0}) AS DECIMAL(38,0))", "parse_data_size('2kB')", "\"2048\""},
  };
  return kRows;
}

}  // namespace aichemy::sql
