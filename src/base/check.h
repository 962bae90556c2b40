// CHECK(condition): for our own bugs only. It prints and aborts, in every build. Bytes from disk or
// network are answered with Code::corrupt or Code::invalid, never with a CHECK.
#pragma once

namespace aichemy {

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace aichemy

#define CHECK(condition)                                       \
  do {                                                         \
    if (!(condition)) [[unlikely]]                             \
      ::aichemy::check_failed(#condition, __FILE__, __LINE__); \
  } while (false)
