// Numbers of the sketches' bytes: little-endian, one after the other. Private to the module.
#pragma once

#include <cstring>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace aichemy::sql {

template <class T>
void append(std::string& out, T value) {
  append_little(out, value);
}

// False: there are not as many bytes left, and nothing was taken.
template <class T>
bool take(std::string_view& in, T& value) {
  if (in.size() < sizeof(T)) return false;
  std::memcpy(&value, in.data(), sizeof(T));
  in.remove_prefix(sizeof(T));
  return true;
}

}  // namespace aichemy::sql
