// Files: mapping, reading whole, and writing so that nobody ever sees half of it.
#include "base/mapped_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>

namespace ink {
namespace {

namespace fs = std::filesystem;

class MappedFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("inkstone-files-" + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  Status write(const std::string& name, const std::string& content) {
    return write_file_atomically(folder_ / name, std::as_bytes(std::span(content)));
  }
  auto files() const { return std::distance(fs::directory_iterator(folder_), {}); }
  fs::path folder_;
};

TEST_F(MappedFileTest, MapsWhatWasWritten) {
  ASSERT_TRUE(write("a", "hello").ok());
  const auto file = MappedFile::open(folder_ / "a");
  ASSERT_TRUE(file.ok()) << file.error().message();
  ASSERT_EQ((*file)->bytes().size(), 5u);
  EXPECT_EQ((*file)->bytes()[4], std::byte{'o'});
  (*file)->drop_pages();
  EXPECT_EQ((*file)->bytes()[0], std::byte{'h'});
  EXPECT_EQ(files(), 1);
}

TEST_F(MappedFileTest, AnEmptyFileIsEmpty) {
  ASSERT_TRUE(write("a", "").ok());
  const auto file = MappedFile::open(folder_ / "a");
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE((*file)->bytes().empty());
  (*file)->drop_pages();
}

TEST_F(MappedFileTest, SaysWhatIsNotAFile) {
  EXPECT_EQ(MappedFile::open(folder_ / "none").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(MappedFile::open(folder_).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(MappedFile::open("/dev/null").error().kind, ErrorKind::kInvalid);
  ASSERT_TRUE(write("a", "x").ok());
  EXPECT_EQ(MappedFile::open(folder_ / "a" / "b").error().kind, ErrorKind::kNotFound);
}

TEST_F(MappedFileTest, ReadsTextUpToACap) {
  ASSERT_TRUE(write("a", "12345").ok());
  EXPECT_EQ(read_text_file(folder_ / "a", 5).value(), "12345");
  const auto too_long = read_text_file(folder_ / "a", 4);
  ASSERT_FALSE(too_long.ok());
  EXPECT_EQ(too_long.error().kind, ErrorKind::kTooLarge);
  EXPECT_NE(too_long.error().message().find("expected at most 4 bytes, got 5 bytes"), std::string::npos);
}

TEST_F(MappedFileTest, ReplacesAFileThatSomebodyHasMapped) {
  ASSERT_TRUE(write("a", "old").ok());
  const auto old = MappedFile::open(folder_ / "a");
  ASSERT_TRUE(write("a", "newer").ok());
  EXPECT_EQ((*old)->bytes()[0], std::byte{'o'});  // the old content stays whole
  EXPECT_EQ(read_text_file(folder_ / "a", 100).value(), "newer");
}

TEST_F(MappedFileTest, AFailedWriteLeavesTheOldFileAndNothingElse) {
  ASSERT_TRUE(write("a", "old").ok());
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit old_limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old_limit), 0);
  const rlimit small{1000, old_limit.rlim_max};  // stands in for a full disk
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto status = write("a", std::string(5000, 'x'));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old_limit), 0);
  std::signal(SIGXFSZ, old_handler);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().kind, ErrorKind::kIo);
  EXPECT_EQ(read_text_file(folder_ / "a", 100).value(), "old");
  EXPECT_EQ(files(), 1);

  EXPECT_EQ(write("none/a", "x").error().kind, ErrorKind::kNotFound);
  fs::create_directories(folder_ / "d" / "full");
  EXPECT_FALSE(write("d", "x").ok());  // a folder is in the way
  EXPECT_EQ(files(), 2);
}

}  // namespace
}  // namespace ink
