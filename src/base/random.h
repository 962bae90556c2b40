// Randomness is always passed in: the system's for secrets and ids, a seeded one for tests.
#pragma once

#include <cstdint>
#include <mutex>
#include <random>
#include <string>

namespace aichemy {

// Thread safe.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(char* to, size_t count) = 0;

  uint64_t next();
  std::string bytes(size_t count);
  std::string uuid();  // RFC 9562 version 4, lower case
};

// getrandom(2): fit for secrets.
class SystemRandom final : public Random {
 public:
  void fill(char* to, size_t count) override;
};

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint64_t seed) : engine_(seed) {}
  void fill(char* to, size_t count) override;

 private:
  std::mutex mutex_;
  std::mt19937_64 engine_;
};

}  // namespace aichemy
