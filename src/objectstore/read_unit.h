// What a reader of whole objects should ask for at once.
#pragma once

#include <cstddef>

namespace aichemy::objectstore {

// A read that begins at a multiple of this and is as long touches every stored block once.
inline constexpr size_t kReadUnitBytes = size_t{2} * (129 * 4096 - 128);

}  // namespace aichemy::objectstore
