// What the system says of this process.
#pragma once

#include <cstdint>

namespace aichemy {

// Resident memory; 0 when it cannot be read. Any thread.
uint64_t resident_bytes();

}  // namespace aichemy
