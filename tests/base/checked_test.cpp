// Arithmetic that notices overflow, the one line an Error becomes and scratch memory.
#include "base/checked.h"

#include <gtest/gtest.h>

#include "base/arena.h"
#include "base/result.h"

namespace ink {
namespace {

constexpr uint64_t kMax = ~uint64_t{0};

TEST(Checked, NoticesOverflow) {
  EXPECT_EQ(checked_add(kMax - 1, 1), kMax);
  EXPECT_EQ(checked_add(kMax, 1), std::nullopt);
  EXPECT_EQ(checked_mul(uint64_t{1} << 32, (uint64_t{1} << 32) - 1), kMax - 0xffffffffu);
  EXPECT_EQ(checked_mul(uint64_t{1} << 32, uint64_t{1} << 32), std::nullopt);
  EXPECT_EQ(checked_mul(kMax, 0), 0u);
  EXPECT_EQ(checked_align(0, 32), 0u);
  EXPECT_EQ(checked_align(1, 32), 32u);
  EXPECT_EQ(checked_align(32, 32), 32u);
  EXPECT_EQ(checked_align(kMax - 31, 32), kMax - 31);
  EXPECT_EQ(checked_align(kMax - 30, 32), std::nullopt);
}

TEST(Error, IsOneLine) {
  EXPECT_EQ((Error{ErrorKind::kInvalid, "a.gguf: t", "2", "3", "fix it"}.message()),
            "a.gguf: t: expected 2, got 3 (fix it)");
  EXPECT_EQ((Error{ErrorKind::kIo, "a", "", "cannot open", ""}.message()), "a: cannot open");
  EXPECT_EQ((Error{ErrorKind::kIo, "", "", "stopped", ""}.message()), "stopped");
}

TEST(ResultDeathTest, TakingTheValueOfAFailureIsOurMistake) {
  const Result<int> failed = Error{};
  EXPECT_DEATH(static_cast<void>(failed.value()), "value\\(\\) of a failed Result");
  const Result<int> fine = 3;
  EXPECT_DEATH(static_cast<void>(fine.error()), "error\\(\\) of a successful Result");
}

TEST(Arena, HandsOutAlignedMemoryAndTakesItBack) {
  auto memory = PageMemory::reserve(4096);
  ASSERT_TRUE(memory.ok());
  Arena arena(std::move(*memory));
  char* first = arena.allocate<char>(3);
  float* second = arena.allocate<float>(16);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(first) % 64, 0u);
  EXPECT_EQ(reinterpret_cast<char*>(second) - first, 64);
  EXPECT_EQ(second[15], 0.0f);
  const uint64_t mark = arena.used();
  float* third = arena.allocate<float>(1);
  arena.reset_to(mark);
  EXPECT_EQ(arena.allocate<float>(1), third);
  EXPECT_DEATH(arena.allocate<char>(4096), "scratch plan");
}

TEST(PageMemory, RefusesWhatTheSystemWillNotReserve) {
  EXPECT_TRUE(PageMemory::reserve(0).ok());
  const auto memory = PageMemory::reserve(uint64_t{1} << 62);
  ASSERT_FALSE(memory.ok());
  EXPECT_EQ(memory.error().kind, ErrorKind::kTooLarge);
}

}  // namespace
}  // namespace ink
