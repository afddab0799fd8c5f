// Packed models in files: the same numbers from the file as from the source, and every file that is not
// exactly right is made anew.
#include "runtime/pack_cache.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "models/qwen3.h"
#include "runtime/session.h"
#include "tests/golden_folder.h"

namespace ink {
namespace {

namespace fs = std::filesystem;

class PackCache : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("pack_cache_test." + std::to_string(::getpid()));
    fs::create_directories(folder_);
    for (const auto& folder : testing::require_golden_paths("gguf_models")) {
      for (const auto& entry : fs::directory_iterator(folder)) {
        if (entry.path().filename().string().find("mixed") != std::string::npos) source_ = entry.path();
      }
    }
    ASSERT_FALSE(source_.empty());
    fs::copy_file(source_, folder_ / "model.gguf");
    source_ = folder_ / "model.gguf";
  }
  void TearDown() override { fs::remove_all(folder_); }

  PackedPlace place() const {
    const auto checkpoint = Checkpoint::open(source_);
    auto found = pack_cache_place(folder_, *checkpoint, Arithmetic::kFast, kLeastCachedBytes);
    EXPECT_TRUE(found.has_value());
    found->make_room = [](uint64_t) { return true; };
    return *found;
  }

  // The packed bytes of the model's head, loaded with this place.
  std::vector<std::byte> load(const PackedPlace* packed) const {
    const auto checkpoint = Checkpoint::open(source_);
    const auto config = read_config(*checkpoint);
    ThreadPool threads(1);
    Weights weights(*checkpoint, config->quantization, Arithmetic::kFast);
    const Linear head = weights.linear("model.embed_tokens", config->vocab_size, config->hidden_size);
    const Linear down =
        weights.linear("model.layers.0.mlp.down_proj", config->hidden_size, config->intermediate_size);
    const Status packed_all = weights.pack(threads, {}, packed);
    EXPECT_TRUE(packed_all.ok());
    std::vector<std::byte> bytes;
    for (const PackedMatrix* matrix : {head.weight, down.weight}) {
      bytes.insert(bytes.end(), matrix->panels, matrix->panels + matrix->panels_bytes());
      bytes.insert(bytes.end(), matrix->scales, matrix->scales + matrix->scales_bytes());
    }
    return bytes;
  }

  fs::path folder_;
  fs::path source_;
};

TEST_F(PackCache, TheFileHoldsWhatPackingMakes) {
  const PackedPlace packed = place();
  const auto plain = load(nullptr);
  EXPECT_EQ(load(&packed), plain);
  ASSERT_TRUE(fs::exists(packed.path)) << "written";
  const auto written = fs::last_write_time(packed.path);
  EXPECT_EQ(load(&packed), plain) << "read";
  EXPECT_EQ(fs::last_write_time(packed.path), written);
}

TEST_F(PackCache, AFileThatIsNotRightIsMadeAnew) {
  const PackedPlace packed = place();
  const auto plain = load(&packed);
  const auto size = fs::file_size(packed.path);
  fs::resize_file(packed.path, size - 1);  // cut off
  EXPECT_EQ(load(&packed), plain);
  EXPECT_EQ(fs::file_size(packed.path), size);
  for (const int64_t place_of_change : {0, 15, 16, 24, 32}) {  // another version, machine, length, key
    std::fstream file(packed.path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(place_of_change);
    file.put('\x7f');
    file.close();
    std::ifstream before(packed.path, std::ios::binary);
    EXPECT_EQ(load(&packed), plain) << place_of_change;
    std::ifstream after(packed.path, std::ios::binary);
    after.seekg(place_of_change);
    EXPECT_NE(after.get(), 0x7f) << place_of_change;
  }
  fs::resize_file(packed.path, 0);
  EXPECT_EQ(load(&packed), plain);
}

TEST_F(PackCache, GoesOnWithoutAFileWhereNoneCanBe) {
  PackedPlace packed = place();
  packed.path = folder_ / "nowhere" / "model.pack";
  EXPECT_EQ(load(&packed), load(nullptr));
  packed = place();
  packed.make_room = [](uint64_t) { return false; };
  EXPECT_EQ(load(&packed), load(nullptr));
  EXPECT_FALSE(fs::exists(packed.path));
  packed.make_room = nullptr;
  EXPECT_EQ(load(&packed), load(nullptr));
  EXPECT_TRUE(list_pack_cache(folder_).empty());
}

TEST_F(PackCache, RoomIsMadeForAFileThatIsWrittenOnly) {
  PackedPlace packed = place();
  std::vector<uint64_t> asked;
  packed.make_room = [&](uint64_t bytes) {
    asked.push_back(bytes);
    return true;
  };
  load(&packed);
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0] + 4096, fs::file_size(packed.path)) << "and the page of the header";
  load(&packed);
  EXPECT_EQ(asked.size(), 1U);
}

TEST_F(PackCache, AnotherSourceHasAnotherPlace) {
  const std::string first = place().key;
  EXPECT_EQ(place().key, first);
  fs::last_write_time(source_, fs::last_write_time(source_) + std::chrono::seconds(1));
  const std::string later = place().key;
  EXPECT_NE(later, first);
  const auto time = fs::last_write_time(source_);
  {
    std::fstream file(source_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(-1, std::ios::end);
    file.put('\x55');
  }
  fs::last_write_time(source_, time);
  const auto checkpoint = Checkpoint::open(source_);
  EXPECT_NE(pack_cache_place(folder_, *checkpoint, Arithmetic::kExact, kLeastCachedBytes)->key, later);
  EXPECT_FALSE(pack_cache_place(folder_, *checkpoint, Arithmetic::kFast, kLeastCachedBytes - 1).has_value());
  EXPECT_FALSE(pack_cache_place("", *checkpoint, Arithmetic::kFast, kLeastCachedBytes).has_value());
}

TEST_F(PackCache, IsListedAndCleared) {
  const PackedPlace packed = place();
  load(&packed);
  std::ofstream(packed.path.string() + ".partial-1") << "killed";
  std::ofstream(folder_ / "other.txt") << "not ours";
  const auto files = list_pack_cache(folder_);
  ASSERT_EQ(files.size(), 1U);
  EXPECT_EQ(files[0].model, "model.gguf");
  EXPECT_EQ(files[0].bytes, fs::file_size(packed.path));
  EXPECT_TRUE(make_room_in_pack_cache(folder_, 1000));
  EXPECT_TRUE(fs::exists(packed.path));
  EXPECT_FALSE(make_room_in_pack_cache(folder_, kMostCachedBytes + 1));
  EXPECT_EQ(clear_pack_cache(folder_), files[0].bytes + 6);
  EXPECT_TRUE(list_pack_cache(folder_).empty());
  EXPECT_TRUE(fs::exists(folder_ / "other.txt"));
}

}  // namespace
}  // namespace ink
