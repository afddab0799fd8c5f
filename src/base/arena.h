// Scratch memory planned once: a fixed range of address space handed out in order and given back all at once.
// Pages cost memory only when first touched. Asking for more than was planned is our mistake, not the
// world's.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "base/result.h"

namespace ink {

// Zeroed memory straight from the system, aligned to a page; empty when size_bytes is 0.
class PageMemory {
 public:
  PageMemory() = default;
  // Errors: kTooLarge when the system will not reserve the range.
  static Result<PageMemory> reserve(uint64_t size_bytes);
  ~PageMemory();
  PageMemory(PageMemory&& other) noexcept;
  PageMemory& operator=(PageMemory&& other) noexcept;

  std::byte* data() const { return data_; }
  uint64_t size_bytes() const { return size_bytes_; }

 private:
  std::byte* data_ = nullptr;
  uint64_t size_bytes_ = 0;
};

class Arena {
 public:
  Arena() = default;
  explicit Arena(PageMemory memory) : memory_(std::move(memory)) {}

  // `count` objects, aligned to 64 bytes, not initialised.
  template <typename T>
  T* allocate(int64_t count) {
    const uint64_t begin = (used_ + 63) & ~uint64_t{63};
    used_ = begin + static_cast<uint64_t>(count) * sizeof(T);
    INK_CHECK(used_ <= memory_.size_bytes(), "the scratch plan was too small");
    return reinterpret_cast<T*>(memory_.data() + begin);
  }

  uint64_t used() const { return used_; }
  void reset_to(uint64_t used) { used_ = used; }

 private:
  PageMemory memory_;
  uint64_t used_ = 0;
};

}  // namespace ink
