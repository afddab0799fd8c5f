// See base/arena.h.
#include "base/arena.h"

#include <sys/mman.h>

#include <utility>

namespace ink {

Result<PageMemory> PageMemory::reserve(uint64_t size_bytes) {
  PageMemory memory;
  if (size_bytes == 0) return memory;
  void* data =
      ::mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED) {
    return Error{ErrorKind::kTooLarge, "memory", "",
                 "cannot reserve " + std::to_string(size_bytes) + " bytes",
                 "a smaller --ctx-size needs less"};
  }
  memory.data_ = static_cast<std::byte*>(data);
  memory.size_bytes_ = size_bytes;
  return memory;
}

PageMemory::~PageMemory() {
  if (data_ != nullptr) ::munmap(data_, size_bytes_);
}

PageMemory::PageMemory(PageMemory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_bytes_(std::exchange(other.size_bytes_, 0)) {}

PageMemory& PageMemory::operator=(PageMemory&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_bytes_, other.size_bytes_);
  return *this;
}

}  // namespace ink
