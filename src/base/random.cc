#include "base/random.h"

#include <sys/random.h>

#include <cerrno>
#include <cstring>

#include "base/bytes.h"
#include "base/check.h"

namespace aichemy {

uint64_t Random::next() {
  char raw[8];
  fill(raw, sizeof raw);
  return load_little<uint64_t>(raw);
}

std::string Random::bytes(size_t count) {
  std::string out(count, '\0');
  fill(out.data(), count);
  return out;
}

std::string Random::uuid() {
  std::string raw = bytes(16);
  raw[6] = static_cast<char>((raw[6] & 0x0F) | 0x40);
  raw[8] = static_cast<char>((raw[8] & 0x3F) | 0x80);
  std::string hex = to_hex(raw);
  for (size_t at : {20, 16, 12, 8}) hex.insert(at, "-");
  return hex;
}

void SystemRandom::fill(char* to, size_t count) {
  while (count > 0) {
    ssize_t got = ::getrandom(to, count, 0);
    if (got < 0) {
      CHECK(errno == EINTR);
      continue;
    }
    to += got;
    count -= static_cast<size_t>(got);
  }
}

void SeededRandom::fill(char* to, size_t count) {
  std::lock_guard lock(mutex_);
  while (count > 0) {
    uint64_t word = engine_();
    size_t step = count < 8 ? count : 8;
    std::memcpy(to, &word, step);
    to += step;
    count -= step;
  }
}

}  // namespace aichemy
