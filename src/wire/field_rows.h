// For messages_*.cc only: TABLE(Type, F(member)..., ...) writes the field table of one struct.
#pragma once

#include "wire/schema.h"

// offsetof of these structs is well defined with the compilers we build with (no virtual bases);
// the standard calls it conditionally supported because std::vector is a base class of Array.
#pragma clang diagnostic ignored "-Winvalid-offsetof"

#define F(member) make_field<decltype(Self::member)>(#member, offsetof(Self, member))
#define TABLE(TYPE, ...)                            \
  constinit const Struct TYPE::kTable = [] {        \
    using Self = TYPE;                              \
    static constexpr Field kRows[] = {__VA_ARGS__}; \
    return Struct{#TYPE, kRows};                    \
  }();
