#include "runtime/process.h"

#include <unistd.h>

#include <cstdio>

namespace aichemy {

uint64_t resident_bytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (!file) return 0;
  unsigned long total = 0, resident = 0;
  if (std::fscanf(file, "%lu %lu", &total, &resident) != 2) resident = 0;
  std::fclose(file);
  return uint64_t{resident} * static_cast<uint64_t>(::getpagesize());
}

}  // namespace aichemy
