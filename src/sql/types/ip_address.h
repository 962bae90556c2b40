// IP addresses as 16 bytes in network order; IPv4 as ::ffff:a.b.c.d.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace aichemy::sql {

// "10.0.0.1", "2001:db8::1", "64:ff9b::10.0.0.0". None: no address.
std::optional<std::string> parse_ip_address(std::string_view text);
// The shortest form: the longest run of zero groups as ::, IPv4 as four numbers.
std::string ip_address_text(std::string_view bytes);

}  // namespace aichemy::sql
