// Moving a mapped file into huge pages: readers see the same bytes before, meanwhile and afterwards.
#include "base/huge_pages.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <vector>

#include "base/mapped_file.h"

namespace ink {
namespace {

using namespace std::chrono_literals;

constexpr size_t kPage = size_t{2} << 20;

class HugePageMoverTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = std::filesystem::temp_directory_path() / ("inkstone-huge-pages-" + std::to_string(::getpid()));
  }
  void TearDown() override { std::filesystem::remove(path_); }
  // A file of so many bytes, mapped; `content_` holds the same.
  std::shared_ptr<const MappedFile> file_of(size_t bytes) {
    content_.resize(bytes);
    for (size_t i = 0; i < bytes; ++i) content_[i] = static_cast<std::byte>((i * 2654435761u) >> 13);
    EXPECT_TRUE(write_file_atomically(path_, content_).ok());
    auto file = MappedFile::open(path_);
    EXPECT_TRUE(file.ok());
    return *file;
  }
  bool same(const MappedFile& file) const {
    return std::equal(content_.begin(), content_.end(), file.bytes().begin(), file.bytes().end());
  }
  std::filesystem::path path_;
  std::vector<std::byte> content_;
};

TEST_F(HugePageMoverTest, BytesStayTheSameForWhoeverReadsMeanwhile) {
  const auto file = file_of(9 * kPage + 12345);
  {
    const HugePageMover mover(file->bytes(), 0ms);
    // All whole pages between the ends, if the system has any.
    for (int i = 0; i < 200 && mover.moved_bytes() < 8 * kPage; ++i) ASSERT_TRUE(same(*file));
    const uint64_t moved = mover.moved_bytes();
    if (moved == 0) GTEST_SKIP() << "no huge pages here, or no memory for them";
    EXPECT_GE(moved, 8 * kPage);
    EXPECT_LE(moved, 9 * kPage);
  }
  EXPECT_TRUE(same(*file));
  // The memory is this process's now: the file may go.
  std::filesystem::resize_file(path_, 0);
  const size_t in_the_middle = 4 * kPage;
  EXPECT_EQ(file->bytes()[in_the_middle], content_[in_the_middle]);
}

TEST_F(HugePageMoverTest, EndsAtOnceWhenItsOwnerDoes) {
  const auto file = file_of(5 * kPage);
  for (int i = 0; i < 20; ++i) {
    const HugePageMover mover(file->bytes(), i % 2 == 0 ? 0ms : 1h);
  }
  EXPECT_TRUE(same(*file));
}

TEST_F(HugePageMoverTest, WhatIsSmallerThanAPageStays) {
  for (const size_t bytes : {size_t{0}, size_t{1}, kPage - 1}) {
    const auto file = file_of(bytes);
    {
      const HugePageMover mover(file->bytes(), 0ms);
      std::this_thread::sleep_for(5ms);
      EXPECT_EQ(mover.moved_bytes(), 0u);
    }
    EXPECT_TRUE(same(*file));
  }
}

}  // namespace
}  // namespace ink
