// INK_CHECK: an assertion about our own code that stays on in release builds. It is never used on input:
// a file, a prompt or a request that is wrong gives an Error (base/result.h).
#pragma once

namespace ink {

// Writes the place and the reason to stderr and aborts.
[[noreturn]] void check_failed(const char* file, int line, const char* condition, const char* reason);

}  // namespace ink

#define INK_CHECK(condition, reason) \
  ((condition) ? static_cast<void>(0) : ::ink::check_failed(__FILE__, __LINE__, #condition, reason))
