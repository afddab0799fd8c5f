// See base/huge_pages.h.
#include "base/huge_pages.h"

#include <sys/mman.h>

#include <condition_variable>
#include <cstring>
#include <fstream>
#include <mutex>
#include <string>

#include "base/memory.h"

namespace ink {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;  // of x86-64, and of arm64 with small pages of 4 KiB

// Bytes from `address` to the next border of a huge page.
size_t to_huge_page(const std::byte* address) {
  return (0 - reinterpret_cast<uintptr_t>(address)) % kHugePage;
}

bool system_has_huge_pages() {
  std::ifstream file("/sys/kernel/mm/transparent_hugepage/enabled");
  std::string modes;
  return std::getline(file, modes) && modes.find("[never]") == std::string::npos;
}

// Whether `delay` has passed before the end was asked for.
bool passes(std::chrono::milliseconds delay, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any ended;
  std::unique_lock lock(mutex);
  ended.wait_for(lock, stop, delay, [] { return false; });
  return !stop.stop_requested();
}

// A range of addresses in which huge pages are filled before they are put in their place, ascending.
class Staging {
 public:
  explicit Staging(size_t size_bytes) {
    const size_t reserved = size_bytes + kHugePage;
    void* data =
        ::mmap(nullptr, reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (data == MAP_FAILED) return;
    auto* begin = static_cast<std::byte*>(data);
    end_ = begin + reserved;
    next_ = begin + to_huge_page(begin);
    if (next_ > begin) ::munmap(begin, static_cast<size_t>(next_ - begin));
    prefer_huge_pages({next_, end_});
  }
  // Gives back what is still here; the places that were left may be somebody else's by now.
  ~Staging() {
    if (end_ > next_) ::munmap(next_, static_cast<size_t>(end_ - next_));
  }
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  // Puts a copy of the huge page's worth of bytes at `place` there instead. A reader meets the old pages or
  // the new ones: the system holds back whoever touches them in between.
  bool replace(std::byte* place) {
    if (next_ == nullptr) return false;
    std::memcpy(next_, place, kHugePage);
    if (::mprotect(next_, kHugePage, PROT_READ) != 0) return false;
    void* moved = ::mremap(next_, kHugePage, kHugePage, MREMAP_MAYMOVE | MREMAP_FIXED, place);
    if (moved == MAP_FAILED) return false;
    next_ += kHugePage;
    return true;
  }

 private:
  std::byte* next_ = nullptr;  // the first huge page that is still here
  std::byte* end_ = nullptr;
};

}  // namespace

void prefer_huge_pages(std::span<std::byte> memory) {
  if (!memory.empty()) ::madvise(memory.data(), memory.size(), MADV_HUGEPAGE);
}

HugePageMover::HugePageMover(std::span<const std::byte> mapped, std::chrono::milliseconds delay)
    : thread_([this, mapped, delay](const std::stop_token& stop) {
        if (passes(delay, stop)) move(mapped, stop);
      }) {}

void HugePageMover::move(std::span<const std::byte> mapped, const std::stop_token& stop) {
  if (!system_has_huge_pages() || available_memory_bytes() / 2 < mapped.size()) return;
  // The pages are replaced, not written to.
  auto* begin = const_cast<std::byte*>(mapped.data());
  Staging staging(mapped.size());
  for (size_t at = to_huge_page(begin); at + kHugePage <= mapped.size(); at += kHugePage) {
    if (stop.stop_requested() || !staging.replace(begin + at)) return;
    moved_bytes_ += kHugePage;
  }
}

}  // namespace ink
