// Every golden model of the causal-LM kinds, wherever the golden folders are, on every kernel table this
// processor has: logits of the prompt and of 16 greedy steps within the README's tolerances, greedy ids
// equal. Nothing here knows a model by name: other folders of the same layout are replayed without a change.
#include <gtest/gtest.h>

#include <cstdio>

#include "runtime/verify.h"
#include "tests/golden_folder.h"

namespace ink {
namespace {

namespace fs = std::filesystem;

void expect_replays(const GoldenModel& golden) {
  const auto replays = replay_golden_everywhere(golden);
  ASSERT_TRUE(replays.ok()) << replays.error().message();
  EXPECT_FALSE(replays->empty());
  for (const GoldenReplay& replay : *replays) {
    const std::string run =
        golden.name + " on " + replay.kernels + (replay.arithmetic == Arithmetic::kExact ? ", exact" : "");
    EXPECT_LE(replay.max_difference, replay.allowed_max) << run;
    EXPECT_LE(replay.mean_difference, replay.allowed_mean) << run;
    EXPECT_TRUE(replay.wrong_ids == 0 || !replay.ids_must_match)
        << run << ": " << replay.wrong_ids << " wrong ids";
    EXPECT_TRUE(replay.passed()) << run;
    std::printf("%-40s max %.2g mean %.2g, %d of %d ids differ\n", run.c_str(), replay.max_difference,
                replay.mean_difference, replay.wrong_ids, replay.ids);
  }
}

void expect_all_below(const std::string& relative) {
  for (const fs::path& folder : testing::require_golden_paths(relative)) {
    const auto found = find_golden_models(folder);
    EXPECT_FALSE(found.empty()) << folder << " holds no golden model of a kind that is run";
    for (const GoldenModel& golden : found) {
      SCOPED_TRACE(golden.model.string());
      expect_replays(golden);
    }
  }
}

TEST(GoldenModels, LogitsAndGreedyIdsAreTheReferences) { expect_all_below("models"); }

TEST(GoldenGguf, LogitsAndGreedyIdsAreTheReferences) { expect_all_below("gguf_models"); }

TEST(GoldenQuantized, LogitsAndGreedyIdsAreTheReferences) { expect_all_below("quantized_models"); }

// config.published_style.json says the same in the words of the published checkpoints.
TEST(GoldenModels, ThePublishedStyleOfConfigIsReadAlike) {
  int compared = 0;
  for (const fs::path& folder : testing::require_golden_paths("models")) {
    for (const GoldenModel& golden : find_golden_models(folder)) {
      const fs::path published = golden.model / "config.published_style.json";
      if (!fs::exists(published)) continue;
      SCOPED_TRACE(golden.model.string());
      const fs::path copy = fs::path(::testing::TempDir()) / ("published_" + golden.name);
      fs::remove_all(copy);
      fs::create_directories(copy);
      fs::copy_file(published, copy / "config.json");
      fs::create_symlink(fs::absolute(golden.model / "model.safetensors"), copy / "model.safetensors");
      const auto replay =
          replay_golden({golden.name, copy, golden.vectors, golden.prefix}, "portable", Arithmetic::kFast);
      fs::remove_all(copy);
      ASSERT_TRUE(replay.ok()) << replay.error().message();
      EXPECT_TRUE(replay->passed()) << replay->max_difference << ", wrong ids " << replay->wrong_ids;
      ++compared;
    }
  }
  std::printf("%d models read from the published style\n", compared);
}

// A comparison that cannot fail proves nothing: the vectors of one model must not fit another.
TEST(GoldenModels, AnotherModelsNumbersAreNoticed) {
  for (const fs::path& folder : testing::require_golden_paths("gguf_models")) {
    const auto found = find_golden_models(folder);
    ASSERT_GE(found.size(), 2u);
    for (const GoldenModel& other : found) {
      GoldenModel swapped = found.front();
      swapped.prefix = other.prefix;
      if (other.prefix == found.front().prefix) continue;
      const auto replay = replay_golden(swapped, "portable", Arithmetic::kExact);
      if (!replay.ok()) {
        EXPECT_EQ(replay.error().kind, ErrorKind::kInvalid);  // another vocabulary
      } else {
        EXPECT_GT(replay->max_difference, 1e-3) << other.name;
        EXPECT_FALSE(replay->passed()) << other.name;
      }
    }
  }
}

TEST(GoldenModels, RunsOfOneModelAgreeInEveryBit) {
  for (const fs::path& folder : testing::require_golden_paths("gguf_models")) {
    for (const GoldenModel& golden : find_golden_models(folder)) {
      const auto checks = check_consistency([&] { return Checkpoint::open(golden.model); }, EngineOptions());
      ASSERT_TRUE(checks.ok()) << checks.error().message();
      for (const Consistency& check : *checks) EXPECT_TRUE(check.equal) << golden.name << ": " << check.what;
    }
  }
}

}  // namespace
}  // namespace ink
